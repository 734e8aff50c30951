/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A program's own events in the trace of a run (`make trace APP=...`). Each point costs a comparison and a jump when there is no trace, so
 * it may stay in the program. The trace shows what lies between a begin and an end of the same name as a bar, a mark as a point in time, a
 * count as a curve.
 *
 *   trace_begin("sort", rows);  ...  trace_end("sort", rows);
 *   trace_count("waiting", length);
 *
 * A name is a string literal of which 16 characters count, of a count 8. */

#include <stdbool.h>
#include <stdint.h>

#include "cpudriver/abi/trace.h"

/* Where this dispatcher writes; NULL: there is no trace. */
extern struct trace_ring *trace_ring;

/* Whether there is a trace. */
static inline bool trace_is_on(void)
{
	return __builtin_expect(trace_ring != NULL, 0);
}

/* Writes one event (cpudriver/abi/trace_events.def) if there is a trace. */
void trace_write(uint64_t word, uint64_t c, uint64_t d);

/* An event with a name: what trace_begin and so on are made of. `name` has at least 16 characters. */
static inline void trace_named(enum trace_event_number number, const char *name, uint32_t value)
{
	uint64_t first, second;

	if (!trace_is_on())
		return;
	__builtin_memcpy(&first, name, sizeof(first));
	__builtin_memcpy(&second, name + sizeof(first), sizeof(second));
	trace_write(trace_word(number, 0, value), first, second);
}

/* As trace_named, of a number. */
static inline void trace_counted(const char *name, uint64_t value)
{
	uint64_t text;

	if (!trace_is_on())
		return;
	__builtin_memcpy(&text, name, sizeof(text));
	trace_write(trace_word(TRACE_count, 0, 0), value, text);
}

/* What the next two are made of. */
struct channel;
void trace_channel_sending(const struct channel *ch, uint16_t type, size_t bytes);
void trace_channel_received(const struct channel *ch, uint16_t type);

/* For who uses a connection's channel by himself (ipc_channel): a message of `bytes` is about to be sent. */
static inline void trace_channel_send(const struct channel *ch, uint16_t type, size_t bytes)
{
	if (trace_is_on())
		trace_channel_sending(ch, type, bytes);
}

/* The same: a message has been received. */
static inline void trace_channel_receive(const struct channel *ch, uint16_t type)
{
	if (trace_is_on())
		trace_channel_received(ch, type);
}

/* A literal and enough zeroes behind it, so that its characters become constants of the program's text. */
#define TRACE_NAME(literal) (literal "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")

/* A bar begins; `value` is shown with it. */
#define trace_begin(name, value) trace_named(TRACE_begin, TRACE_NAME(name), (uint32_t)(value))
/* The bar ends, and those that began within it. */
#define trace_end(name, value) trace_named(TRACE_end, TRACE_NAME(name), (uint32_t)(value))
/* A point in time. */
#define trace_mark(name, value) trace_named(TRACE_mark, TRACE_NAME(name), (uint32_t)(value))
/* The curve's value from now on. */
#define trace_count(name, value) trace_counted(TRACE_NAME(name), (uint64_t)(value))
