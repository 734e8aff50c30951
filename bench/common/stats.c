/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/common/stats.h"

#include <stdio.h>
#include <stdlib.h>

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

double percentile(const double *sorted, size_t n, double percent)
{
	size_t rank;

	if (n == 0)
		return 0;
	rank = (size_t)((double)n * percent / 100);
	if ((double)rank < (double)n * percent / 100)
		rank++;
	if (rank == 0)
		rank = 1;
	return sorted[rank > n ? n - 1 : rank - 1];
}

struct summary summarise(double *samples, size_t n)
{
	if (n == 0)
		return (struct summary){0};
	qsort(samples, n, sizeof samples[0], by_value);
	return (struct summary){
	    .n = n,
	    .min = samples[0],
	    .p5 = percentile(samples, n, 5),
	    .p25 = percentile(samples, n, 25),
	    .p50 = percentile(samples, n, 50),
	    .p75 = percentile(samples, n, 75),
	    .p95 = percentile(samples, n, 95),
	    .p99 = percentile(samples, n, 99),
	    .max = samples[n - 1],
	};
}

bool fact_line(char *line, size_t size, const struct fact *fact)
{
	char shared[64] = "";

	if (fact->holders > 0)
		snprintf(shared, sizeof(shared), "\"holders\":%u,\"messages\":%.4g,", fact->holders, fact->messages);
	int length = snprintf(line, size,
	                      "@bench {\"id\":\"%s\",\"lens\":\"%s\",\"unit\":\"%s\",\"from\":%d,\"to\":%d,%s\"n\":%zu,"
	                      "\"min\":%.10g,\"p5\":%.10g,\"p25\":%.10g,\"p50\":%.10g,\"p75\":%.10g,\"p95\":%.10g,\"p99\":%.10g,"
	                      "\"max\":%.10g}",
	                      fact->id, fact->lens, fact->unit, fact->from, fact->to, shared, fact->of.n, fact->of.min, fact->of.p5,
	                      fact->of.p25, fact->of.p50, fact->of.p75, fact->of.p95, fact->of.p99, fact->of.max);

	return length >= 0 && (size_t)length < size;
}
