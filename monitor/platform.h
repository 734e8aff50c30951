/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a monitor does to the world, apart from the capability operations of atoll/capability.h: all of its input and output in one place,
 * so that tests and explorers put a simulated machine under the same monitor. platform.c is the one of the machine; its functions are the
 * operations of the Kernel and Dispatcher capabilities, word by word (cpudriver/abi/invocations.def). */

#include "cpudriver/abi/calls.h"
#include "cpudriver/abi/counters.h"
#include "cpudriver/abi/dispatcher.h"

/* ---- Time ---- */
uint64_t platform_now(void); /* time-stamp counter */
uint64_t platform_ticks(uint64_t microseconds);
uint64_t platform_microseconds(uint64_t ticks);

/* ---- Calls of the domains on this core ---- */
struct platform_call {
	uint64_t badge, token;
	uint64_t word[4];
};
struct platform_reply {
	uint64_t token; /* REPLY_NONE: no reply is due */
	uint64_t word[4];
};

/* Gives `reply`, then takes the next call or waits for one, for a notification or for `deadline` (0: none). `how`: REPLY_BLOCK; REPLY_POLL,
 * it does not wait; REPLY_UNTIL_IDLE, it waits no longer than others on this core want to run. Returns OK with a call, else something that
 * says that there is none. *pending are the notifications since the last time. */
MUST_USE err_t platform_wait(const struct platform_reply *reply, unsigned how, uint64_t deadline, struct platform_call *call,
                             uint64_t *pending);
void platform_reply(const struct platform_reply *reply);
/* Whoever else on this core can run does. Returns whether platform_wait would have something to say. */
bool platform_yield(void);

/* ---- Capabilities in other places than one's own ---- */

/* A copy of something that another core, or this core's starter, has agreed to give. */
struct platform_remote {
	enum cap_type type;
	uint8_t rights;
	uint32_t owner;
	uint64_t base, bytes, extra;
};
MUST_USE err_t platform_install(cap_t slot, const struct platform_remote *what);
/* The same of what is in a slot, with CAP_FLAG_*. Errors: CAP_EMPTY. */
MUST_USE err_t platform_identify(cap_t cap, struct platform_remote *what, unsigned *flags);
/* Of this core's own slots, without asking anybody. */
MUST_USE err_t platform_move(cap_t cap, cap_t slot);
MUST_USE err_t platform_surrender(cap_t cap);
MUST_USE err_t platform_mark(cap_t cap, bool remote, uint32_t owner);

/* What stops a deletion: LAST_COPY or NEEDS_AGREEMENT. */
struct platform_obstacle {
	enum cap_type type;
	uint64_t base, size;
};
/* A slice of each; AGAIN: call again. After a delete the slot is empty, or *ram says that it holds the memory now. Its mapping ends in any
 * case, but if it is in a page table that other cores use: then the table is the obstacle. */
MUST_USE err_t platform_delete(cap_t cap, bool *ram, struct platform_obstacle *o);
/* Likewise, and mappings in page tables that other cores use may go (SWEEP_SHARED_TABLES): the caller has those cores flush. */
MUST_USE err_t platform_delete_mapped(cap_t cap, bool *ram, struct platform_obstacle *o);
MUST_USE err_t platform_sweep(cap_t cap, unsigned flags, struct platform_obstacle *o);
/* All that goes without asking anybody. */
static inline void platform_sweep_plain(cap_t cap)
{
	struct platform_obstacle o;

	while (err_is(platform_sweep(cap, SWEEP_PLAIN, &o), ERR_NUMBER_AGAIN))
		;
}
/* A copy of the obstacle, with all rights of its type and whoever owns it: so what stands in a container's way can go on elsewhere. */
MUST_USE err_t platform_rescue(const struct platform_obstacle *o, cap_t slot);

/* What else this core has that has to do with the object of a capability (Kernel.find, W2 the capability: all bits of V0). */
struct platform_relations {
	bool contents; /* something was made of it */
	bool copies;   /* another capability to it */
	bool covered;  /* it lies in another object */
};
void platform_relate(cap_t cap, struct platform_relations *r);

/* Whether anything on this core was made out of a part of the object that overlaps the range; `within` CAP_NULL: whether anything at all
 * overlaps it. */
bool platform_find(cap_t within, uint64_t base, uint64_t bytes);
/* The next object here that another core owns, after *at (type Null: the first one); false: there are no more. */
bool platform_next_foreign(struct platform_remote *at);
MUST_USE err_t platform_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first);
MUST_USE err_t platform_split(cap_t ram, uint64_t offset, cap_t rest);
void platform_flush(void);

/* Out of a domain's capability space into an own slot, and back. */
MUST_USE err_t platform_fetch(cap_t dispatcher, uint64_t address, bool move, cap_t slot);
MUST_USE err_t platform_deliver(cap_t cap, cap_t dispatcher, uint64_t address);
MUST_USE err_t platform_doorbell(cap_t dispatcher, cap_t slot, uint64_t *base, uint64_t *extra);
MUST_USE err_t platform_endpoint(cap_t dispatcher, cap_t slot, uint64_t badge);
MUST_USE err_t platform_map_frame(cap_t frame, cap_t table, unsigned entry, unsigned rights, uint64_t offset, unsigned count);
MUST_USE err_t platform_map_table(cap_t table, unsigned level, cap_t next, unsigned entry);
/* Where a capability is mapped: in which page table (its address), from which entry on, how. Errors: NOT_MAPPED. */
struct platform_mapping {
	uint64_t table, offset; /* of a frame: from there on */
	unsigned entry, count, rights;
};
MUST_USE err_t platform_mapped(cap_t cap, struct platform_mapping *out);

/* ---- Dispatchers ---- */
MUST_USE err_t platform_dispatcher_configure(cap_t d, cap_t root, cap_t table4, uint64_t shared, const char *name);
MUST_USE err_t platform_dispatcher_start(cap_t d, uint64_t rip, uint64_t rsp, uint64_t argument);
void platform_dispatcher_stop(cap_t d);
void platform_dispatcher_inspect(cap_t d, uint64_t *state, uint64_t *cycles);
void platform_ring(cap_t doorbell);
/* Whether another core has rung, since that was last taken note of (platform_wait takes note too). */
bool platform_rung(void);
bool platform_take_ring(void);

/* ---- This core and others ---- */
MUST_USE err_t platform_peer(uint32_t core, uint32_t apic, uint64_t mailbox);
MUST_USE err_t platform_init(uint32_t apic);
MUST_USE err_t platform_sipi(uint32_t apic, uint64_t page);
/* Signs of life (Kernel.watch). `there`, `here`: physical addresses of a line each; times in ticks. */
struct platform_watch {
	uint64_t there, here, period, limit, lease;
};
struct platform_silence {
	uint64_t silence, strain;
	bool met, over;
};
MUST_USE err_t platform_watch(const struct platform_watch *watch, struct platform_silence *silence);
MUST_USE err_t platform_io_apic(uint64_t address, uint32_t first);
bool platform_next_stopped(uint64_t *dispatcher, uint64_t *reason, uint64_t *rip);
uint64_t platform_capabilities(void); /* in this core's database */
void platform_counters(uint64_t counters[CORE_COUNTERS]);
uint64_t platform_mailbox(void);
void platform_print(const char *text, size_t bytes); /* at most 32 */
void platform_crash(uint64_t vector);                /* takes an exception inside the CPU driver: this core ends */
void platform_reset(void);                           /* restarts the machine; returns if it can't */
