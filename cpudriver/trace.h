/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The CPU driver's trace points (cpudriver/abi/trace.h). While core.trace is NULL each costs two instructions. The system call's entry
 * costs none: if there is a trace, the processor is told of another entry (entry/syscall.S). */

#include "cpudriver/abi/trace.h"
#include "cpudriver/core.h"

/* Before anything is traced. */
void trace_start(const struct core_boot *boot);

void trace_write(uint64_t word, uint64_t c, uint64_t d);

#define TRACE(name, a, b, c, d)                                                                                                            \
	do {                                                                                                                               \
		if (__builtin_expect(core.trace != NULL, 0))                                                                               \
			trace_write(trace_word(TRACE_##name, (uint16_t)(a), (uint32_t)(b)), c, d);                                         \
	} while (0)

/* An event that is about a dispatcher. */
#define TRACE_DISPATCHER(name, a, b, dispatcher)                                                                                           \
	do {                                                                                                                               \
		if (__builtin_expect(core.trace != NULL, 0))                                                                               \
			trace_dispatcher(trace_word(TRACE_##name, (uint16_t)(a), (uint32_t)(b)), dispatcher);                              \
	} while (0)
void trace_dispatcher(uint64_t word, const struct dispatcher *d);

/* The processor goes to core.current. Each direction of a call comes by here, so these points must not cost the function around them any
 * register: the call takes nothing and destroys nothing (entry/syscall.S). */
#define TRACE_SWITCH(entry)                                                                                                                \
	do {                                                                                                                               \
		if (__builtin_expect(core.trace != NULL, 0))                                                                               \
			__asm__ volatile("call " #entry : : : "cc", "memory");                                                             \
	} while (0)

/* Called by the assembly. */
void trace_switched(void);
void trace_entered(void);
void trace_left(void);
void trace_called(uint64_t rax, uint64_t rdi, uint64_t rsi);
void syscall_entry_traced(void);
