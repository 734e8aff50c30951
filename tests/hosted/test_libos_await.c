// sources: libos/domain/await.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Waiting for the service of a domain that was started: it comes, or the domain ends, or time is up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>

#define DOMAIN 77
#define CORE   3
#define SECOND 1000

static struct {
	uint64_t now, serves_at, ends_at; /* UINT64_MAX: never */
	err_t list_error, find_error;
} world;

uint64_t time_tsc(void)
{
	return world.now;
}

uint64_t time_tsc_hz(void)
{
	return SECOND;
}

err_t ipc_find(const char *name, const struct ipc_binding *how, uint32_t *domain)
{
	assert_string_equal(name, "the service");
	assert_true(how->deadline_tsc != 0 && !how->now);
	if (is_err(world.find_error))
		return world.find_error;
	if (world.serves_at > how->deadline_tsc) {
		world.now = world.now > how->deadline_tsc ? world.now : how->deadline_tsc;
		return ERR(TIMEOUT);
	}
	world.now = world.now > world.serves_at ? world.now : world.serves_at;
	*domain = DOMAIN;
	return OK;
}

err_t domain_list(uint64_t core, struct domain_info *out, unsigned capacity, unsigned *count)
{
	assert_int_equal(core, CORE);
	assert_true(capacity > 2);
	*count = 0;
	if (is_err(world.list_error))
		return world.list_error;
	out[(*count)++] = (struct domain_info){.domain = DOMAIN + 1};
	if (world.now < world.ends_at)
		out[(*count)++] = (struct domain_info){.domain = DOMAIN};
	return OK;
}

static err_t after(uint64_t serves_at, uint64_t ends_at, uint64_t deadline)
{
	world.now = 1;
	world.serves_at = serves_at;
	world.ends_at = ends_at;
	return domain_await(DOMAIN, CORE, "the service", deadline);
}

static void it_comes_sooner_or_later(void **state)
{
	(void)state;
	assert_true(is_ok(after(0, UINT64_MAX, 0)));
	assert_int_equal(world.now, 1);
	assert_true(is_ok(after(5 * SECOND + 7, UINT64_MAX, 0)));
	assert_int_equal(world.now, 5 * SECOND + 7);
	assert_true(is_ok(after(5 * SECOND, UINT64_MAX, 6 * SECOND)));
}

static void a_domain_that_ends_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(after(UINT64_MAX, 0, 0).number, ERR_NUMBER_PEER_GONE);
	assert_in_range(world.now, 2, SECOND);
	assert_int_equal(after(UINT64_MAX, 3 * SECOND, 0).number, ERR_NUMBER_PEER_GONE);
	assert_in_range(world.now, 3 * SECOND, 4 * SECOND);
}

static void time_is_up(void **state)
{
	(void)state;
	assert_int_equal(after(UINT64_MAX, UINT64_MAX, 2 * SECOND).number, ERR_NUMBER_TIMEOUT);
	assert_int_equal(world.now, 2 * SECOND);
	assert_int_equal(after(UINT64_MAX, UINT64_MAX, 1).number, ERR_NUMBER_TIMEOUT); /* it was when it began */
}

static void a_core_that_is_gone_has_no_domain(void **state)
{
	(void)state;
	world.list_error = ERR(CORE_UNKNOWN);
	assert_int_equal(after(UINT64_MAX, UINT64_MAX, 0).number, ERR_NUMBER_PEER_GONE);
	world.list_error = ERR(LIMIT); /* nobody can say now */
	assert_int_equal(after(UINT64_MAX, 0, 2 * SECOND).number, ERR_NUMBER_TIMEOUT);
	world.list_error = OK;
}

static void other_errors_are_passed_on(void **state)
{
	(void)state;
	world.find_error = ERR(INTERFACE);
	assert_int_equal(after(0, UINT64_MAX, 0).number, ERR_NUMBER_INTERFACE);
	world.find_error = OK;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_comes_sooner_or_later),
	    cmocka_unit_test(a_domain_that_ends_is_not_waited_for),
	    cmocka_unit_test(time_is_up),
	    cmocka_unit_test(a_core_that_is_gone_has_no_domain),
	    cmocka_unit_test(other_errors_are_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
