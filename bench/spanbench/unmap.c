/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <atoll/address_space.h>
#include <atoll/domain.h>
#include <atoll/span.h>

#include "bench/spanbench/spanbench.h"
#include "libos/span/tree.h"

enum { ROUNDS = 100, QUICK_ROUNDS = 5, WARM_UP = 2 };

static struct samples samples;

static uint64_t read_there(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static uint64_t drops_there(uint64_t unused)
{
	struct memory_counts counts;

	(void)unused;
	memory_counts(&counts);
	return counts.drops;
}

/* How many messages all members have sent that take something away from one. */
static err_t count_drops(const struct plan *p, uint64_t *sum)
{
	err_t e = OK;

	*sum = 0;
	for (unsigned m = 0; m < p->members && is_ok(e); m++) {
		uint64_t drops = 0;

		e = span_call(m, drops_there, 0, &drops);
		*sum += drops;
	}
	return e;
}

/* A page that this member and so many others use goes. */
static err_t unmap_once(unsigned others, uint64_t *took)
{
	void *page;
	uint64_t begin, value;
	err_t e = memory_map(PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_NOW, &page);

	if (is_err(e))
		return e;
	*(volatile uint64_t *)page = 7;
	for (unsigned m = 1; m <= others && is_ok(e); m++) {
		e = span_call(m, read_there, (uint64_t)page, &value);
		if (is_ok(e) && value != 7)
			e = ERR(FORMAT);
	}
	begin = sample_now();
	if (is_ok(e))
		e = memory_unmap(page, PAGE_BYTES);
	*took = sample_now() - begin;
	return e;
}

/* The longest chain of messages in the tree. */
static unsigned depth(uint64_t members)
{
	struct tree_part part[TREE_CHILDREN];
	unsigned children = tree_split(members, part), deepest = 0;

	for (unsigned i = 0; i < children; i++) {
		unsigned below = 1 + depth(part[i].below);

		deepest = below > deepest ? below : deepest;
	}
	return deepest;
}

static bool measure(const struct plan *p, unsigned others, unsigned rounds)
{
	uint64_t before = 0, after = 0, took;
	err_t e = OK;

	samples_begin(&samples);
	for (unsigned round = 0; round < rounds + WARM_UP && is_ok(e); round++) {
		if (round == WARM_UP)
			e = count_drops(p, &before);
		if (is_ok(e))
			e = unmap_once(others, &took);
		if (is_ok(e) && round >= WARM_UP)
			samples_add(&samples, took, 1);
	}
	if (is_ok(e))
		e = count_drops(p, &after);
	if (is_err(e))
		return failed("unmap", err_sentence(e));
	if (others == 0)
		samples_print(&samples, p->lens, "unmap", p->cores[0], p->cores[0]);
	else
		samples_print_shared(&samples, p->lens, "unmap", p->cores[0], p->cores[others], others, (double)(after - before) / rounds);
	return true;
}

static void print_depth(const struct plan *p, unsigned others)
{
	samples_begin(&samples);
	samples.value[samples.n++] = depth(((UINT64_C(1) << others) - 1) << 1);
	samples_print_count(&samples, p->lens, "unmap.rounds", p->cores[0], p->cores[others], others);
}

bool unmap_measure(const struct plan *p)
{
	bool ok = true;

	for (unsigned others = 0; others < p->members && ok; others++) {
		ok = measure(p, others, p->quick ? QUICK_ROUNDS : ROUNDS);
		if (others > 0)
			print_depth(p, others);
	}
	return ok;
}
