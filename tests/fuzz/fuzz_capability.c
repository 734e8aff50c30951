/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -DWORK_PER_CALL=3 -Wno-unused-function -Wno-initializer-overrides

/* Calls on capabilities, with whatever arguments the input holds. Every 16 calls everything must agree, and in the end all RAM must come
 * back. */

#include "tests/hosted/capability_moves.h"

static const uint8_t *input;
static size_t left;

static uint32_t number_from_input(void)
{
	uint32_t n = 0;

	/* two bytes decide nearly everything; more are taken where a whole word is wanted */
	for (unsigned k = 0; k < 2 && left; k++, left--)
		n = n << 8 | *input++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
	next_number = number_from_input;
	world_begin();
	for (unsigned n = 0; left; n++) {
		struct move m = random_move();

		if (below(20) == 0)
			bind_or_unbind();
		if (!is_suicide(&m)) {
			err_t e = make_move(&m);

			(void)e;
		}
		if (n % 16 == 0)
			check_world();
	}
	check_world();
	take_everything_back();
	check_world();
	world_end();
	return 0;
}
