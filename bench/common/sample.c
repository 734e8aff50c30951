/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/stats.h"

static uint64_t overhead; /* what sample_overhead found */

/* A loop of exactly two instructions a round. */
static uint64_t count_loop(uint64_t rounds)
{
	uint64_t begin = sample_now();

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
	return sample_now() - begin;
}

/* The least of some tries, for another core that is at work meanwhile, or an interrupt, only adds to it. */
static uint64_t least_count(uint64_t rounds)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 5; i++) {
		uint64_t count = count_loop(rounds);

		least = count < least ? count : least;
	}
	return least;
}

/* Whether the counter counts instructions, to 1 %: two loops, so that what is around them cancels out. */
static bool counts_instructions(void)
{
	uint64_t small = least_count(1000), large = least_count(101000);
	uint64_t counted = large - small, expected = UINT64_C(2) * 100000;

	return counted * 100 >= expected * 99 && counted * 100 <= expected * 101;
}

const char *lens_open(struct lens *out)
{
	static const struct lens lenses[] = {{"elapsed", "cycles"}, {"instructions", "instructions"}};
	const char *name = getenv("LENS");

	*out = lenses[0];
	if (name != NULL && strcmp(name, "elapsed") != 0) {
		if (strcmp(name, "instructions") != 0 && strcmp(name, "icount") != 0)
			return "the lens must be elapsed or instructions";
		*out = lenses[1];
	}
	overhead = sample_overhead();
	if (lens_is_instructions(out) && !counts_instructions())
		return "the lens is instructions, but the time-stamp counter does not count them: start QEMU with -icount shift=0";
	return NULL;
}

bool lens_is_instructions(const struct lens *lens)
{
	return strcmp(lens->name, "instructions") == 0;
}

uint64_t sample_overhead(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t begin = sample_now(), cost = sample_now() - begin;

		least = cost < least ? cost : least;
	}
	return least;
}

void samples_begin(struct samples *s)
{
	s->n = 0;
}

void samples_add(struct samples *s, uint64_t counts, unsigned rounds)
{
	if (s->n < SAMPLES_MAX)
		s->value[s->n++] = (double)(counts > overhead ? counts - overhead : 0) / rounds;
}

static void print(const struct fact *fact)
{
	char line[512];

	if (fact_line(line, sizeof(line), fact))
		puts(line);
	else
		printf("The fact %s does not fit its line\n", fact->id);
}

static struct fact fact_of(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to)
{
	return (struct fact){
	    .id = id, .lens = lens->name, .unit = lens->unit, .from = (int)from, .to = (int)to, .of = summarise(s->value, s->n)};
}

void samples_print(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to)
{
	const struct fact f = fact_of(s, lens, id, from, to);

	print(&f);
}

void samples_print_ratio(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to)
{
	struct fact f = fact_of(s, lens, id, from, to);

	f.unit = "ratio";
	print(&f);
}

void samples_print_shared(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to, unsigned holders,
                          double messages)
{
	struct fact f = fact_of(s, lens, id, from, to);

	f.holders = holders;
	f.messages = messages;
	print(&f);
}

void samples_print_count(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to, unsigned holders)
{
	struct fact f = fact_of(s, lens, id, from, to);

	f.unit = "messages";
	f.holders = holders;
	print(&f);
}

void samples_scale(struct samples *s, double factor)
{
	for (size_t i = 0; i < s->n; i++)
		s->value[i] *= factor;
}
