/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Trace rings: what a core was doing, written down while it does it.
 *
 * Each writer has a ring of its own in memory of its own core: the CPU driver, and each dispatcher. So nobody needs a lock, no line is
 * written by two cores, and a program that spoils its ring spoils nobody else's. A full ring goes on from its beginning: it keeps the
 * newest events. Nothing slow happens meanwhile; whoever wants to read the rings does so when the machine has stopped (bench/trace).
 *
 * Only if the command line says `trace=on` is there anything of this: then the starter of a core lays out a *trace area* behind the rest of
 * the core's image (core_image.h), which never counts as memory of anybody:
 *
 *   ring of the CPU driver | directory, one page | ring of the monitor | rings of domains' dispatchers, TRACE_DOMAINS of them
 *
 * The CPU driver writes to the first. The rest is the monitor's: it says in the directory who has which ring, and maps a domain's, and
 * nothing else of the area, at USER_TRACE when it starts the domain. A ring is given out again when its domain has ended, the one that
 * ended first before the others. The area of a core that dies is given to nobody until that core dies once more (monitor/estate.h): the run
 * in which a core died is the one that somebody wants to look at. If the core is started again, it has another one.
 *
 * A writer takes the next slot by counting `head` up, with one instruction: between that and the last word of the event an upcall or
 * another thread of the dispatcher may write events of its own, but not into that slot, as long as they are fewer than a ring has. Order is
 * by time stamp.
 *
 * When it is off, a point costs a comparison and a jump. */

#include "cpudriver/abi/types.h"

#define TRACE_MAGIC      UINT64_C(0x636172746c6f7461) /* "atoltrac" */
#define TRACE_RING_MAGIC UINT64_C(0x676e697263617274) /* "tracring" */
#define TRACE_VERSION    1

#define TRACE_DRIVER_EVENTS  65536
#define TRACE_MONITOR_EVENTS 32768
#define TRACE_DOMAIN_EVENTS  8192
#define TRACE_DOMAINS        24

enum trace_event_number {
#define TRACE_EVENT(name, number, writers, a, b, c, d) TRACE_##name = number,
#include "cpudriver/abi/trace_events.def"
#undef TRACE_EVENT
};

/* The event `call`: instead of the number of a call to the CPU driver. `target` is the foreign call's own number then. */
#define TRACE_FOREIGN 0xffff

struct trace_event {
	uint64_t time; /* time-stamp counter of its core */
	uint16_t number, a;
	uint32_t b;
	uint64_t c, d;
};
_Static_assert(sizeof(struct trace_event) == 32, "in a file");
_Static_assert(offsetof(struct trace_event, a) == 10 && offsetof(struct trace_event, b) == 12, "trace_word");

/* Its owner may write all of it at any time. */
struct trace_ring {
	uint64_t head; /* events so far; the next one goes to slot head & mask */
	uint64_t mask;
	uint64_t magic;
	_Alignas(PAGE_BYTES) struct trace_event event[];
};
_Static_assert(offsetof(struct trace_ring, event) == PAGE_BYTES, "in a file");

enum trace_writer_state {
	TRACE_FREE,
	TRACE_IN_USE,
	TRACE_ENDED,   /* what its writer has left can be read */
	TRACE_RETIRED, /* somebody else may write to it still: not given out again */
};

struct trace_writer {
	uint64_t offset, bytes; /* of its ring in the area */
	uint64_t dispatcher;    /* physical address; 0: the CPU driver */
	uint64_t begun;         /* time-stamp counter */
	uint32_t domain;        /* 0: the CPU driver, or the monitor */
	uint32_t state;
	char name[24];
};
_Static_assert(sizeof(struct trace_writer) == 64, "in a file");

#define TRACE_WRITERS (2 + TRACE_DOMAINS)

struct trace_directory {
	uint64_t magic;
	uint32_t version, core;
	uint64_t tsc_hz, start_tsc; /* of this core's clock; its value at the loader's first instruction */
	uint32_t writers;
	uint32_t refused; /* dispatchers that got no ring because all were in use */
	uint32_t reused;  /* rings of domains that had ended, given to others: what they had held is gone */
	uint32_t reserved0;
	uint64_t reserved[2];
	struct trace_writer writer[TRACE_WRITERS]; /* the CPU driver, the monitor, domains */
};
_Static_assert(offsetof(struct trace_directory, writer) == 64 && sizeof(struct trace_directory) <= PAGE_BYTES, "in a file");

static inline uint64_t trace_ring_bytes(uint64_t events)
{
	return PAGE_BYTES + events * sizeof(struct trace_event);
}

#define TRACE_DIRECTORY_AT (PAGE_BYTES + TRACE_DRIVER_EVENTS * sizeof(struct trace_event))

static inline uint64_t trace_area_bytes(void)
{
	return TRACE_DIRECTORY_AT + PAGE_BYTES + trace_ring_bytes(TRACE_MONITOR_EVENTS) +
	       TRACE_DOMAINS * trace_ring_bytes(TRACE_DOMAIN_EVENTS);
}

/* An empty ring. `bytes` as trace_ring_bytes says, for a power of two. */
static inline void trace_ring_begin(struct trace_ring *r, uint64_t bytes)
{
	r->head = 0;
	r->mask = (bytes - PAGE_BYTES) / sizeof(struct trace_event) - 1;
	r->magic = TRACE_RING_MAGIC;
}

/* The words of an event that come before c and d. */
static inline uint64_t trace_word(enum trace_event_number number, uint16_t a, uint32_t b)
{
	return (uint64_t)number | (uint64_t)a << 16 | (uint64_t)b << 32;
}

/* The whole of writing: everything else is who does it. */
static inline void trace_put(struct trace_ring *r, uint64_t slot, uint64_t time, uint64_t word, uint64_t c, uint64_t d)
{
	struct trace_event *e = &r->event[slot & r->mask];

	e->time = time;
	__builtin_memcpy(&e->number, &word, sizeof word);
	e->c = c;
	e->d = d;
}
