/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The product of two matrices, C = A B, on every core: `matmul [--cores N] [--size N]`. Each core computes a band of C's rows.
 *
 * Where the memory lies. A core needs its own band of A and of C, and nobody else does: so the pages of both come from whoever touches them
 * first, and each core fills its own band. B is read by all and written once: each node gets a copy of it.
 *
 * The check is Freivalds' ("Probabilistic machines can use less running time", 1977): for a vector x, C x must be A (B x), which takes n^2
 * steps instead of n^3. A wrong product gets past one random x of zeroes and ones with a probability of at most 1/2. All numbers are whole
 * and small, so no sum is rounded. */

#include <stdio.h>
#include <stdlib.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>

#include "apps/common/options.h"
#include "apps/common/team.h"

#define CHECKS 20

struct product {
	size_t n;
	unsigned bands;
	double *a, *b, *c;
};

static double *matrix(size_t n, enum memory_kind kind)
{
	void *at;

	must("memory for a matrix", memory_map_with(n * n * sizeof(double), RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH,
	                                            (struct memory_policy){.kind = kind}, &at));
	return at;
}

static size_t band_begin(const struct product *p, unsigned band)
{
	return p->n * band / p->bands;
}

static void fill_band(void *argument, unsigned band)
{
	const struct product *p = argument;

	for (size_t i = band_begin(p, band) * p->n; i < band_begin(p, band + 1) * p->n; i++) {
		p->a[i] = (double)(i * 7 % 10);
		p->c[i] = 0;
	}
}

/* B's rows are read from left to right, one after the other: as they lie in memory. */
static void multiply_band(void *argument, unsigned band)
{
	const struct product *p = argument;
	const size_t n = p->n;

	for (size_t row = band_begin(p, band); row < band_begin(p, band + 1); row++) {
		double *c = p->c + row * n;

		for (size_t i = 0; i < n; i++)
			c[i] = 0;
		for (size_t k = 0; k < n; k++) {
			const double a = p->a[row * n + k], *b = p->b + k * n;

			for (size_t i = 0; i < n; i++)
				c[i] += a * b[i];
		}
	}
}

static uint64_t multiply(struct product *p, unsigned cores)
{
	const uint64_t begin = time_tsc();

	p->bands = cores;
	team_run(cores, multiply_band, p);
	return microseconds_since(begin);
}

static void times_vector(const double *matrix, const double *x, double *out, size_t n)
{
	for (size_t row = 0; row < n; row++) {
		out[row] = 0;
		for (size_t i = 0; i < n; i++)
			out[row] += matrix[row * n + i] * x[i];
	}
}

static bool is_product(const struct product *p)
{
	const size_t n = p->n;
	double *x = malloc(4 * n * sizeof *x), *bx = x + n, *abx = bx + n, *cx = abx + n;
	bool same = x != NULL;

	for (unsigned check = 0; check < CHECKS && same; check++) {
		for (size_t i = 0; i < n; i++)
			x[i] = rand() >> 16 & 1;
		times_vector(p->b, x, bx, n);
		times_vector(p->a, bx, abx, n);
		times_vector(p->c, x, cx, n);
		for (size_t i = 0; i < n; i++)
			same &= abx[i] == cx[i];
	}
	free(x);
	return same;
}

int main(int argc, char **argv)
{
	uint64_t cores = 0, n = 128, alone, together;
	const struct option options[] = {
	    {"cores", &cores, 0, SPAN_MAX, "how many of them; 0: all"},
	    {"size", &n, 1, 4096, "rows and columns of the matrices"},
	};
	struct product p;
	bool ok;

	(void)argc;
	options_of_main(options, 2, argv);
	cores = team_grow((unsigned)cores);

	p = (struct product){n, (unsigned)cores, matrix(n, MEMORY_FIRST_TOUCH), matrix(n, MEMORY_REPLICATE), matrix(n, MEMORY_FIRST_TOUCH)};
	team_run(p.bands, fill_band, &p);
	for (size_t i = 0; i < n * n; i++)
		p.b[i] = (double)(i * 3 % 10);

	alone = multiply(&p, 1);
	ok = is_product(&p);
	together = multiply(&p, (unsigned)cores);
	ok &= is_product(&p);

	printf("%llu x %llu: %llu us on one core, %llu us on %llu\n", (unsigned long long)n, (unsigned long long)n,
	       (unsigned long long)alone, (unsigned long long)together, (unsigned long long)cores);
	printf("@test {\"name\":\"matmul\",\"ok\":%s,\"cores\":%llu,\"size\":%llu,\"us_alone\":%llu,\"us\":%llu}\n", ok ? "true" : "false",
	       (unsigned long long)cores, (unsigned long long)n, (unsigned long long)alone, (unsigned long long)together);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
