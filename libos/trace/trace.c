/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Who writes to the dispatcher's ring is the thread that runs, or an upcall in the middle of that thread's own event. A thread that is
 * interrupted here stays with its member, because it is in the library OS's text (libos/span/move.c): it has its slot in its hands. */

#include "libos/trace/trace.h"

#include "cpudriver/abi/memory_map.h"

struct trace_ring *trace_ring;

void trace_use(struct trace_ring *ring)
{
	trace_ring = ring;
}

void trace_start(uint64_t ring_bytes)
{
	trace_use(ring_bytes != 0 ? (struct trace_ring *)USER_TRACE : NULL);
}

/* Not atomic for other cores, which have no business here, but for this one: an interrupt comes before it or behind it. */
static inline uint64_t take_slot(uint64_t *head)
{
	uint64_t slot = 1;

	__asm__ volatile("xaddq %0, %1" : "+r"(slot), "+m"(*head) : : "cc");
	return slot;
}

void trace_write(uint64_t word, uint64_t c, uint64_t d)
{
	struct trace_ring *r = trace_ring;

	trace_put(r, take_slot(&r->head), __builtin_ia32_rdtsc(), word, c, d);
}

/* Before the message is written, or it might arrive before it was sent. */
void trace_sending(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type, size_t bytes)
{
	unsigned lines = bytes == 0 ? 1 : (unsigned)((bytes + CHANNEL_LINE_PAYLOAD - 1) / CHANNEL_LINE_PAYLOAD);

	if (channel_outstanding(ch) + lines <= ch->room)
		trace_write(trace_word(TRACE_send, type, (uint16_t)(ch->next_out + lines - 1)), ring, protocol);
}

void trace_received(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type)
{
	trace_write(trace_word(TRACE_receive, type, (uint16_t)(ch->next_in - 1)), ring, protocol);
}
