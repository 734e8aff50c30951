/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the tests of capability operations have in common: each begins with an empty world, and leaves one that is sound. */

#include "tests/hosted/capability_world.h"

#include <cmocka.h>

#define assert_err(expression, name) assert_int_equal((expression).number, ERR_NUMBER_##name)
#define assert_ok(expression)        assert_err(expression, OK)

#define KERNEL    ROOT_SLOT(ROOT_KERNEL)
#define ELSEWHERE 9 /* another core */

/* Makes `count` objects of a type, in root slots from `slot` on: of what is in a root slot, or of all RAM. */
#define MAKE_OF(source, slot, type, count, offset, bytes)                                                                                  \
	assert_ok(CALL(ROOT_SLOT(source), Any_retype, IN_ROOT, slot, TYPE_COUNT(type, count), offset, bytes))
#define MAKE(slot, type, count, offset, bytes) MAKE_OF(ROOT_RAM, slot, type, count, offset, bytes)

/* As the monitor notes what was agreed on. */
#define MARK(slot, remote, owner) assert_ok(CALL(KERNEL, Kernel_mark, ROOT_SLOT(slot).value, remote, owner))

static int set_up(void **state)
{
	(void)state;
	world_begin();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	check_world();
	world_end();
	return 0;
}

static struct slot *root(unsigned n)
{
	return &root_slots()[n];
}

/* As the monitor puts another core's object into a slot, with all rights that its type has. */
static err_t install(unsigned slot, unsigned type, uint64_t owner, uint64_t base, uint64_t size)
{
	uint64_t rights = type < CAP_TYPES ? type_facts[type].rights : RIGHTS_ALL;

	return CALL(KERNEL, Kernel_install, IN_ROOT, slot | type << 8 | rights << 16 | owner << 32, base, size);
}

/* All slices of a sweep. */
static err_t sweep_all(unsigned slot, unsigned flags)
{
	err_t e;

	do {
		e = CALL(KERNEL, Kernel_sweep, ROOT_SLOT(slot).value, flags);
		check_world();
	} while (err_is(e, ERR_NUMBER_AGAIN));
	return e;
}

/* As the last call answered. */
static void assert_obstacle(enum cap_type type, uint64_t base, uint64_t size)
{
	assert_int_equal(world.last.value[0], type);
	assert_int_equal(world.last.value[1], base);
	assert_int_equal(world.last.value[2], size);
}
