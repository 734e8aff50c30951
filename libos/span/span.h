/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A spanning domain inside the library OS: a small multikernel.
 *
 * Each member has a library OS of its own: its data lie at the same addresses everywhere (USER_PRIVATE), but in other memory on each core.
 * So everything in libos goes on being code for one core that is guarded by being disabled; members share no list, no counter and no lock
 * of the library OS, and talk by messages. What they have in common is the program's memory, and pointers to functions, for they run the
 * same program.
 *
 *   messages.def   what they say to each other: one table
 *   link.h         how: a channel between any two members, and the handlers
 *   span.c         growing and shrinking, who is where
 *   work.c         threads for other members, and for handlers that must wait
 *
 * Whose things are. A member places memory in an area of its own (monitor/abi/start.h), so the *home* of an address is found by a shift:
 * home_of. That also holds for pointers to objects of the library OS (connections, threads), which lie in the store of their member. Data
 * of the program and the first stack are at home at member 0; what lies between USER_PRIVATE and USER_HEAP is everybody's own.
 *
 * Growing. A thread asks its monitor; the monitor of the new core makes the member, and the monitors bind a channel between it and each of
 * the others. Every member hears `joined` from its monitor, once for each other member, and opens the link. The new member's first thread
 * waits for ever: what runs there begins with a message. */

#include <atoll/span.h>

#include "cpudriver/abi/memory_map.h"
#include "libos/domain/start.h"

/* Whether its spawner wants the domain on several cores; and the first thread's way to _start then: it grows there, as far as those cores
 * can be had, and goes on with `stack`, at a distance of SPAN_BEGIN_ROOM above its own. */
#define SPAN_BEGIN_ROOM 256
bool span_is_ordered(void);
_Noreturn void span_begin(uint64_t stack);

#define HOME_NONE UINT32_MAX /* everybody has something of his own there, or there can't be anything */

static inline unsigned home_of(uint64_t address)
{
	if (address >= USER_HEAP)
		return address < USER_HEAP + SPAN_MAX * SPAN_AREA_BYTES ? (unsigned)((address - USER_HEAP) >> SPAN_AREA_SHIFT) : HOME_NONE;
	if (address < USER_PRIVATE || (address >= USER_STACK_TOP - USER_STACK_BYTES && address < USER_STACK_TOP))
		return 0;
	return HOME_NONE;
}

static inline uint64_t area_of(unsigned member)
{
	return USER_HEAP + member * SPAN_AREA_BYTES;
}

/* The first thing of a new member's thread 0, in place of a program. */
_Noreturn void span_member_main(void);

/* A member has gone with its core, or the core was taken back: END_CORE, END_REVOKED. */
void span_lost(unsigned member, unsigned core, enum end_cause why);
/* This member has promised to leave. It does so if no thread but its services' is left and `may` agrees, which is asked inside a section.
 */
bool span_leaves(void);
void span_when_may_leave(bool (*may)(void));

/* A thread with a stack of its own that calls function(argument0, argument1), without the C library's thread-local storage; whoever has
 * begun it waits for its end. */
struct worker;
struct thread;
MUST_USE err_t span_worker_begin(uint64_t function, uint64_t argument0, uint64_t argument1, struct worker **out, struct thread **thread,
                                 void **stack);
uint64_t span_worker_end(struct worker *w, struct thread *thread, void *stack);
unsigned span_workers(void);

/* A function on a service thread of this member, which may wait; it gets a copy of what `argument` points to. Inside or outside of
 * sections. Such a thread has its service stack only: no deep calls, and none of the program's functions. */
#define SERVICE_BYTES 64
MUST_USE err_t service_begin(void (*function)(void *argument), const void *argument, size_t bytes);
