// sources: monitor/power.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The end of the system on one core: it says what it has when nothing is on its way back any more. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "monitor/balance.h"
#include "monitor/bind.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/power.h"
#include "monitor/report.h"

#define LONG_US 20000000

static struct monitor m;
static struct peer peers[2];
static uint64_t now;
static unsigned domains, balances, ends;

/* ---- What the end is led with ---- */

uint64_t platform_now(void)
{
	return now;
}

uint64_t platform_ticks(uint64_t microseconds)
{
	return microseconds;
}

void platform_reset(void)
{
	fail();
}

bool mesh_alive(const struct monitor *mm, uint32_t core)
{
	(void)mm, (void)core;
	return true;
}

bool mesh_send(struct monitor *mm, uint32_t core, unsigned type, const void *message)
{
	(void)mm, (void)message;
	assert_int_equal(core, 0);
	assert_int_equal(type, MESSAGE_balance);
	balances++;
	return true;
}

void domain_end_all(struct monitor *mm, bool others)
{
	(void)mm, (void)others;
	ends++;
}

unsigned domains_left(const struct monitor *mm, bool others)
{
	(void)mm, (void)others;
	return domains;
}

struct domain *domain_find(struct monitor *mm, uint32_t number)
{
	(void)mm, (void)number;
	return NULL;
}

void domain_event(struct monitor *mm, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count)
{
	(void)mm, (void)d, (void)event, (void)words, (void)count;
	fail();
}

bool connections_of(const struct monitor *mm, uint32_t domain, uint32_t except)
{
	(void)mm, (void)domain, (void)except;
	return false;
}

void balance_note(struct monitor *mm)
{
	(void)mm;
}

struct balance balance_now(struct monitor *mm)
{
	return (struct balance){.channels = mm->connections};
}

void report_line(struct monitor *mm, const char *format, ...)
{
	(void)mm, (void)format;
	fail();
}

/* ---- Tests ---- */

static int set_up(void **state)
{
	(void)state;
	m = (struct monitor){.core = 1, .peers = 2, .peer = peers};
	now = 1000;
	domains = 1;
	balances = ends = 0;
	handle_shutdown(&m, 0, &(const struct message_shutdown){0});
	return 0;
}

static void steps(void)
{
	while (power_step(&m, now))
		;
}

static void test_domains_end_first(void **state)
{
	(void)state;
	assert_int_equal(ends, 1);
	steps();
	assert_int_equal(balances, 0);
	domains = 0;
	steps();
	assert_int_equal(balances, 1);
	steps();
	assert_int_equal(balances, 1);
}

/* A peer's monitor takes a while to let go of a ring. */
static void test_connections_are_waited_for(void **state)
{
	(void)state;
	m.connections = 1;
	domains = 0;
	steps();
	now += 100000;
	steps();
	assert_int_equal(balances, 0);
	m.connections = 0;
	steps();
	assert_int_equal(balances, 1);
}

static void test_but_not_for_ever(void **state)
{
	(void)state;
	m.connections = 1;
	domains = 0;
	now += LONG_US;
	steps();
	assert_int_equal(balances, 1);
}

/* Only the first core says when the end has come. */
static void test_others_are_not_obeyed(void **state)
{
	(void)state;
	m.end = END_NOT_BEGUN;
	handle_shutdown(&m, 1, &(const struct message_shutdown){0});
	assert_int_equal(m.end, END_NOT_BEGUN);
	assert_int_equal(ends, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_domains_end_first),
	    TEST(test_connections_are_waited_for),
	    TEST(test_but_not_for_ever),
	    TEST(test_others_are_not_obeyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
