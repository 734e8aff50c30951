/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <atoll/domain.h>
#include <atoll/span.h>

#include "bench/spanbench/spanbench.h"

enum { ROUNDS = 7, QUICK_ROUNDS = 1 };

static struct samples samples;
static uint64_t took[ROUNDS][SPAN_MAX]; /* until there are so many other members */

static uint64_t answer(uint64_t number)
{
	return number + span_member();
}

static err_t grow(const struct plan *p, uint64_t until[SPAN_MAX])
{
	const uint64_t begin = sample_now();
	err_t e = OK;

	for (unsigned i = 1; i < p->members && is_ok(e); i++) {
		uint64_t result = 0;
		unsigned member;

		e = span_grow(p->cores[i], 0, &member);
		if (is_ok(e))
			e = span_call(member, answer, 100, &result);
		if (is_ok(e) && result != 100 + i)
			e = ERR(FORMAT);
		until[i] = sample_now() - begin;
	}
	return e;
}

static err_t shrink(const struct plan *p)
{
	err_t e = OK;

	for (unsigned i = 1; i < p->members && is_ok(e); i++)
		e = span_shrink(p->cores[i]);
	return e;
}

bool grow_measure(const struct plan *p)
{
	const unsigned rounds = p->quick ? QUICK_ROUNDS : ROUNDS;
	err_t e = grow(p, took[0]); /* the first time there is memory to be fetched */

	for (unsigned round = 0; round < rounds && is_ok(e); round++) {
		e = shrink(p);
		if (is_ok(e))
			e = grow(p, took[round]);
	}
	if (is_err(e))
		return failed("span.grow", err_sentence(e));
	for (unsigned i = 1; i < p->members; i++) {
		samples_begin(&samples);
		for (unsigned round = 0; round < rounds; round++)
			samples_add(&samples, took[round][i], 1);
		samples_print_shared(&samples, p->lens, "span.grow", p->cores[0], p->cores[i], i, 0);
	}
	return true;
}
