// sources: apps/balancer/policy.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which domain the balancer moves. The last test plays a machine: domains that want some time, cores that give equal shares, moves as the
 * policy says; it must come to rest, and then no single move may be worth it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/balancer/policy.h"
#include "tests/hosted/random.h"

#define CORES   8
#define DOMAINS 24

static struct load_core core[CORES];
static struct load_domain domain[DOMAINS];
static struct load load;

static void machine(unsigned cores)
{
	memset(core, 0, sizeof(core));
	memset(domain, 0, sizeof(domain));
	for (unsigned i = 0; i < cores; i++)
		core[i].alive = true;
	load = (struct load){.cores = cores, .core = core, .domain = domain};
}

static void add(uint32_t on, uint32_t ran)
{
	domain[load.domains] = (struct load_domain){.domain = load.domains + 1, .core = on, .ran = ran, .memory = 4096};
	load.domains++;
}

static void test_an_idle_machine(void **state)
{
	struct load_move m;

	(void)state;
	machine(4);
	assert_false(balance_choose(&load, &m));
	add(0, 20);
	add(1, 0);
	assert_false(balance_choose(&load, &m));
}

static void test_one_alone_stays(void **state)
{
	struct load_move m;

	(void)state;
	machine(2);
	add(0, 1000);
	assert_false(balance_choose(&load, &m));
}

/* Four on one of two cores: two go, and then it is quiet, though all cores are full. */
static void test_four_on_one(void **state)
{
	struct load_move m;

	(void)state;
	machine(2);
	for (unsigned i = 0; i < 4; i++)
		add(0, 250);
	assert_true(balance_choose(&load, &m));
	assert_int_equal(m.from, 0);
	assert_int_equal(m.to, 1);
	assert_int_equal(m.before, 4000);
	assert_int_equal(m.after, 3000);
	domain[m.domain].core = 1;
	for (unsigned i = 0; i < 4; i++)
		domain[i].ran = domain[i].core == 1 ? 1000 : 333;
	assert_true(balance_choose(&load, &m));
	domain[m.domain].core = 1;
	for (unsigned i = 0; i < 4; i++)
		domain[i].ran = 500;
	assert_false(balance_choose(&load, &m));
}

static void test_those_that_stay(void **state)
{
	struct load_move m;

	(void)state;
	machine(2);
	add(0, 500);
	add(0, 500);
	domain[0].stays = true;
	assert_true(balance_choose(&load, &m));
	assert_int_equal(m.domain, 1);
	domain[1].stays = true;
	assert_false(balance_choose(&load, &m));
}

static void test_the_least_memory_of_equals(void **state)
{
	struct load_move m;

	(void)state;
	machine(2);
	for (unsigned i = 0; i < 3; i++)
		add(0, 333);
	domain[0].memory = domain[2].memory = 1 << 20;
	assert_true(balance_choose(&load, &m));
	assert_int_equal(m.domain, 1);
}

static void test_the_nearest_of_equals(void **state)
{
	static const uint32_t distance[] = {10, 20, 20, 10};
	struct load_move m;

	(void)state;
	machine(4);
	core[1].node = core[2].node = 1;
	load.nodes = 2;
	load.distance = distance;
	add(0, 500);
	add(0, 500);
	assert_true(balance_choose(&load, &m));
	assert_int_equal(m.to, 3);
	core[3].alive = false;
	assert_true(balance_choose(&load, &m));
	assert_int_equal(m.to, 1);
}

/* What the domains that want `wish` get, when the core gives equal shares. */
static void share_out(const uint32_t wish[DOMAINS])
{
	for (uint32_t c = 0; c < load.cores; c++) {
		uint32_t left = 1000, hungry = 0;

		for (unsigned i = 0; i < load.domains; i++) {
			domain[i].ran = domain[i].core == c ? 0 : domain[i].ran;
			hungry += domain[i].core == c && wish[i] > 0;
		}
		while (left > 0 && hungry > 0) {
			uint32_t each = left / hungry == 0 ? 1 : left / hungry;

			hungry = 0;
			for (unsigned i = 0; i < load.domains && left > 0; i++) {
				uint32_t more = wish[i] - domain[i].ran;

				if (domain[i].core != c || more == 0)
					continue;
				more = more > each ? each : more;
				more = more > left ? left : more;
				domain[i].ran += more;
				left -= more;
				hungry += domain[i].ran < wish[i];
			}
		}
	}
}

static void test_it_comes_to_rest(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		uint32_t wish[DOMAINS];
		struct load_move m;
		unsigned moves = 0;

		machine(2 + random_number() % (CORES - 1));
		for (unsigned i = random_number() % DOMAINS; i > 0; i--) {
			wish[load.domains] = random_number() % 2 ? 1000 : random_number() % 30; /* an equal share is more */
			add(random_number() % load.cores, 0);
		}
		for (share_out(wish); balance_choose(&load, &m); share_out(wish)) {
			assert_int_equal(domain[m.domain].core, m.from);
			assert_true(m.after + LOAD_HYSTERESIS <= m.before);
			domain[m.domain].core = m.to;
			assert_true(++moves < 100);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_idle_machine),
	    cmocka_unit_test(test_one_alone_stays),
	    cmocka_unit_test(test_four_on_one),
	    cmocka_unit_test(test_those_that_stay),
	    cmocka_unit_test(test_the_least_memory_of_equals),
	    cmocka_unit_test(test_the_nearest_of_equals),
	    cmocka_unit_test(test_it_comes_to_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
