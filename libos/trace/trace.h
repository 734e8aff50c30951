/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The trace points of the library OS and of the monitor (cpudriver/abi/trace.h). */

#include <atoll/trace.h>

#include "channels/channel.h"
#include "libos/upcall/dispatcher.h"

/* From now on this dispatcher writes to that ring; NULL: it writes no more. The ring stays mapped. */
void trace_use(struct trace_ring *ring);
/* The ring that the start page speaks of, if it does. */
void trace_start(uint64_t ring_bytes);

/* A policy that decides as the given one and writes down what it has decided; without a trace it is the given one. */
struct policy;
const struct policy *trace_policy(const struct policy *policy);
/* The policy that the given one was made of, if it was made so. */
const struct policy *trace_within(const struct policy *policy);

/* ---- Messages. A ring is known by its physical address, which both its ends know, and a message by the sequence of its last line: that is
 * enough to find out which `receive` belongs to which `send`, though nothing is added to the message. */

enum trace_protocol {
	TRACE_MONITORS, /* the type: monitor/messages.def, monitor/agreement/messages.def */
	TRACE_SPAN,     /* libos/span/messages.def */
	TRACE_CALLS,    /* the program's own label */
	TRACE_STREAMS,  /* likewise */
	TRACE_STUBS,
	TRACE_GREETINGS, /* libos/ipc/connection.h */
	TRACE_TIDINGS,   /* monitor/abi/events.def */
	TRACE_BARE,      /* whatever a program does with a channel by itself */
};

/* What the ring is called in which a monitor tells a domain of that number something: a channel of theirs has no frame that both know. Never
 * the address of a ring, which is a page's. */
static inline uint64_t trace_tidings_ring(uint32_t domain)
{
	return domain * PAGE_BYTES + 1;
}

/* A message of `bytes` is about to be sent. If there is no room for it there is no event. */
void trace_sending(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type, size_t bytes);
/* A message has been received. */
void trace_received(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type);

/* Both are counted as well, for Kernel.counters. */
static inline void trace_send(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type, size_t bytes)
{
	DISPATCHER->sent++;
	if (trace_is_on())
		trace_sending(ch, ring, protocol, type, bytes);
}

static inline void trace_receive(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type)
{
	DISPATCHER->received++;
	if (trace_is_on())
		trace_received(ch, ring, protocol, type);
}
