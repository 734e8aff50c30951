/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a benchmark says about its samples, for people and for programs. */

#include <stdbool.h>
#include <stddef.h>

struct summary {
	size_t n;
	double min, p5, p25, p50, p75, p95, p99, max;
};

/* Sorts the samples. Percentiles are those samples that have at least so many percent of all at or below them. Without
 * samples everything is 0. */
struct summary summarise(double *samples, size_t n);

/* Of sorted samples; `percent` from 0 to 100. */
double percentile(const double *sorted, size_t n, double percent);

/* One measured fact, where and of what. */
struct fact {
	const char *id;
	const char *lens; /* elapsed, instructions or host */
	const char *unit;
	int from, to;     /* cores */
	unsigned holders; /* of the object of a capability operation, besides its owner; 0: something else was measured */
	double messages;  /* that one such operation takes between monitors */
	struct summary of;
};

/* Writes the line `@bench {...}` without its end into `line`; false if it does not fit. */
__attribute__((warn_unused_result)) bool fact_line(char *line, size_t size, const struct fact *fact);
