/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/trace.h"

#include "cpudriver/abi/calls.h"
#include "cpudriver/processor/registers.h"

/* The ring is the first thing in the area, and seen through the window. */
void trace_start(const struct core_boot *boot)
{
	if (boot->trace_bytes == 0)
		return;
	core.trace = window(PADDR(boot->trace_base));
	trace_ring_begin(core.trace, TRACE_DIRECTORY_AT);
	wrmsr(MSR_LSTAR, (uintptr_t)syscall_entry_traced);
}

/* Interrupts are off, so the count needs no care. */
void trace_write(uint64_t word, uint64_t c, uint64_t d)
{
	struct trace_ring *r = core.trace;

	trace_put(r, r->head++, rdtsc(), word, c, d);
}

void trace_dispatcher(uint64_t word, const struct dispatcher *d)
{
	uint64_t name;

	__builtin_memcpy(&name, d->name, sizeof(name));
	trace_write(word, dispatcher_base(d), name);
}

void trace_switched(void)
{
	trace_dispatcher(trace_word(TRACE_switch, core.current->resume, 0), core.current);
}

/* A server runs with a call, a caller with the reply: where it runs on says enough of a switch. */
void trace_entered(void)
{
	trace_write(trace_word(TRACE_enter, true, 0), dispatcher_base(core.current), core.current->served);
}
void trace_left(void)
{
	trace_write(trace_word(TRACE_leave, true, 0), dispatcher_base(core.current), core.current->token);
}

/* What is called, as calls.h says; a foreign call by its number. */
void trace_called(uint64_t rax, uint64_t rdi, uint64_t rsi)
{
	if ((rax & CALL_BIT) != 0)
		trace_write(trace_word(TRACE_call, (uint16_t)(rax & ~CALL_BIT), 0), rdi, rsi);
	else
		trace_write(trace_word(TRACE_call, TRACE_FOREIGN, 0), rax, 0);
}
