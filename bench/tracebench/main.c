/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures what a trace point of a program costs (<atoll/trace.h>).
 *
 *   trace.off   while nothing is traced: the comparison and the jump
 *   trace.on    while it writes an event, with two words that are not known before
 *
 * It writes to a ring of its own, so there need be no trace of the machine. What points of the CPU driver cost is seen from outside: by how
 * much other rows grow with trace=on (tests/boot/test_trace.py). */

#include <stdio.h>
#include <stdlib.h>

#include <atoll/domain.h>
#include <atoll/trace.h>

#include "bench/common/sample.h"

enum { ROUNDS = 1000, SLOTS = 1024, POINTS = 64 };

static _Alignas(PAGE_BYTES) uint8_t own[PAGE_BYTES + SLOTS * sizeof(struct trace_event)];
static struct samples samples;

/* What stands between two points may have changed anything, so that each looks for itself. */
#define POINT                                                                                                                              \
	trace_mark("point", value);                                                                                                        \
	__asm__ volatile("" : : : "memory");
#define POINTS_8 POINT POINT POINT POINT POINT POINT POINT POINT

static uint64_t pass_points(uint32_t value)
{
	uint64_t begin = sample_now();

	POINTS_8 POINTS_8 POINTS_8 POINTS_8 POINTS_8 POINTS_8 POINTS_8 POINTS_8 return sample_now() - begin;
}

static void measure(const struct lens *lens, const char *id, struct trace_ring *ring)
{
	struct trace_ring *before = trace_ring;

	trace_ring = ring;
	samples_begin(&samples);
	pass_points(0);
	for (uint32_t round = 0; round < ROUNDS; round++)
		samples_add(&samples, pass_points(round), POINTS);
	trace_ring = before;
	samples_print(&samples, lens, id, domain_core(), domain_core());
}

int main(void)
{
	struct trace_ring *ring = (struct trace_ring *)own;
	struct lens lens;
	const char *why = lens_open(&lens);

	if (why != NULL) {
		printf("tracebench: %s\n", why);
		return EXIT_FAILURE;
	}
	trace_ring_begin(ring, sizeof(own));
	measure(&lens, "trace.off", NULL);
	measure(&lens, "trace.on", ring);
	if (ring->head != (uint64_t)(ROUNDS + 1) * POINTS) {
		printf("tracebench: %lu events were written\n", (unsigned long)ring->head);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
