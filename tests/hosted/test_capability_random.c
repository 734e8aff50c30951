/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -DWORK_PER_CALL=3 -Wno-unused-function

/* Tens of thousands of random calls; after each the database, the tables and the slots must agree with each other, and in the end all
 * memory must come back. Deletions are left half done and interleaved. */

#include "tests/hosted/capability_moves.h"
#include "tests/hosted/random.h"

#include <cmocka.h>

#define SEEDS 40
#define MOVES 1500

static void random_calls(void **state)
{
	unsigned results[64] = {0}, most = 0;

	(void)state;
	next_number = random_number;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		random_state = seed;
		world_begin();
		for (unsigned n = 0; n < MOVES; n++) {
			struct move m = random_move();

			if (below(20) == 0)
				bind_or_unbind();
			if (is_suicide(&m))
				continue;
			results[make_move(&m).number]++;
			check_world();
			if (world.caps.count > most)
				most = (unsigned)world.caps.count;
		}
		take_everything_back();
		check_world();
		world_end();
	}
	if (getenv("VERBOSE"))
		for (unsigned k = 0; k < 64; k++)
			if (results[k])
				printf("error %u: %u\n", k, results[k]);
	/* the numbers led to something */
	assert_in_range(most, 60, 10000);
	assert_in_range(results[ERR_NUMBER_OK], SEEDS * MOVES / 8, SEEDS * MOVES);
	static const unsigned expected[] = {
	    ERR_NUMBER_CAP_ADDRESS, ERR_NUMBER_CAP_EMPTY, ERR_NUMBER_CAP_TYPE,        ERR_NUMBER_CAP_RIGHTS, ERR_NUMBER_OPERATION,
	    ERR_NUMBER_ARGUMENT,    ERR_NUMBER_ALIGNMENT, ERR_NUMBER_SLOT_IN_USE,     ERR_NUMBER_RETYPE,     ERR_NUMBER_RANGE,
	    ERR_NUMBER_OVERLAP,     ERR_NUMBER_AGAIN,     ERR_NUMBER_NEEDS_AGREEMENT, ERR_NUMBER_NOT_OWNER,  ERR_NUMBER_MAPPED,
	    ERR_NUMBER_NOT_MAPPED,  ERR_NUMBER_LEVEL,     ERR_NUMBER_STATE,           ERR_NUMBER_LAST_COPY,  ERR_NUMBER_NOT_CONFIGURED};
	for (unsigned k = 0; k < sizeof expected / sizeof expected[0]; k++)
		if (!results[expected[k]])
			fail_msg("no call was answered with error %u", expected[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_calls)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
