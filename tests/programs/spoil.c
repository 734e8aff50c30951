/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Spoils its own trace ring, in the way that its argument says; nobody else must notice (tests/boot/test_trace.py). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/trace.h>

static void spoil_header(struct trace_ring *r)
{
	memset(r, 0xa5, sizeof(r->head) + sizeof(r->mask) + sizeof(r->magic));
}

static void spoil_count(struct trace_ring *r)
{
	r->head = UINT64_MAX;
}

static void spoil_events(struct trace_ring *r)
{
	for (unsigned i = 0; i < 64; i++) {
		r->event[i].number = (uint16_t)(40000 + i);
		r->event[i].time = 1;
	}
	r->head = 64;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*spoil)(struct trace_ring *r);
	} ways[] = {{"header", spoil_header}, {"count", spoil_count}, {"events", spoil_events}};

	if (!trace_is_on() || argc != 2) {
		printf("spoil: there is no trace to spoil\n");
		return EXIT_FAILURE;
	}
	trace_mark("before", 1);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) == 0) {
			struct trace_ring *r = trace_ring;

			trace_ring = NULL; /* so that nothing is put right by what comes after */
			ways[i].spoil(r);
			return EXIT_SUCCESS;
		}
	}
	printf("spoil: %s is no way to spoil it\n", argv[1]);
	return EXIT_FAILURE;
}
