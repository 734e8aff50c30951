/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Taking samples: each is the time-stamp counter's difference around what is measured, less what two readings cost by themselves. Under
 * `-icount shift=0` the counter counts instructions (lens "instructions"), else cycles (lens "elapsed"). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLES_MAX 10000

struct lens {
	const char *name, *unit;
};

/* As the environment's LENS says (set by the command line). A lens of instructions is checked with loops of known length. Returns NULL, or
 * a sentence that says why nothing may be measured. */
const char *lens_open(struct lens *out);
bool lens_is_instructions(const struct lens *lens);

struct samples {
	size_t n;
	double value[SAMPLES_MAX];
};

void samples_begin(struct samples *s);

/* Adds `counts`, which `rounds` rounds took together. */
void samples_add(struct samples *s, uint64_t counts, unsigned rounds);

/* Prints the `@bench` fact. */
void samples_print(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to);

/* As samples_print, of ratios instead of the lens's unit. */
void samples_print_ratio(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to);

/* As samples_print, of an operation on an object that `holders` other cores have, and that took so many messages between monitors. */
void samples_print_shared(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to, unsigned holders,
                          double messages);

/* As samples_print, of numbers of messages instead of the lens's unit, of an operation that `holders` other cores have to do with. */
void samples_print_count(struct samples *s, const struct lens *lens, const char *id, unsigned from, unsigned to, unsigned holders);

/* To another unit. */
void samples_scale(struct samples *s, double factor);

/* What two readings of the counter with nothing between them cost: the least of many. */
uint64_t sample_overhead(void);

static inline uint64_t sample_now(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}
