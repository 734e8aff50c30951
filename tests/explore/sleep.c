/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/sleep.h"

/* The places of the bits, by kind. */
enum {
	AT_START = 0,
	AT_DELIVER = AT_START + TASKS_MAX,
	AT_STEP = AT_DELIVER + WORLD_CORES * WORLD_CORES,
	AT_DIE = AT_STEP + WORLD_CORES,
	AT_VIEW = AT_DIE + WORLD_CORES,
	AT_JOIN = AT_VIEW + WORLD_CORES,
	AT_END = AT_JOIN + WORLD_CORES,
};
_Static_assert(AT_END <= 64, "a choice has a bit");

#define ALL_CORES_AT(place) (((UINT64_C(1) << WORLD_CORES) - 1) << (place))
#define MEMBERSHIP          (ALL_CORES_AT(AT_DIE) | ALL_CORES_AT(AT_VIEW) | ALL_CORES_AT(AT_JOIN))

static choice_set_t of_core[WORLD_CORES];

choice_set_t choice_bit(struct choice c)
{
	static const uint8_t place[] = {
	    [CHOICE_START] = AT_START, [CHOICE_STEP] = AT_STEP, [CHOICE_DIE] = AT_DIE, [CHOICE_VIEW] = AT_VIEW, [CHOICE_JOIN] = AT_JOIN};

	if (c.kind == CHOICE_DELIVER)
		return UINT64_C(1) << (AT_DELIVER + c.b * WORLD_CORES + c.a);
	return UINT64_C(1) << (place[c.kind] + c.a);
}

void sleep_begin(void)
{
	for (unsigned core = 0; core < WORLD_CORES; core++) {
		of_core[core] = ((UINT64_C(1) << WORLD_CORES) - 1) << (AT_DELIVER + core * WORLD_CORES);
		of_core[core] |= UINT64_C(1) << (AT_STEP + core) | UINT64_C(1) << (AT_DIE + core);
		of_core[core] |= UINT64_C(1) << (AT_VIEW + core) | UINT64_C(1) << (AT_JOIN + core);
	}
	for (unsigned k = 0; k < TASKS_MAX; k++)
		if (world.task[k].state != TASK_NONE)
			of_core[world.task[k].request.core] |= UINT64_C(1) << (AT_START + k);
}

choice_set_t still_asleep(choice_set_t asleep, struct choice taken)
{
	if (touched == EVERY_CORE)
		return 0;
	for (unsigned core = 0; core < world.cores; core++)
		if (touched >> core & 1)
			asleep &= ~of_core[core];
	if (taken.kind == CHOICE_DIE)
		asleep &= ~MEMBERSHIP;
	else if (taken.kind == CHOICE_VIEW)
		asleep &= ~(ALL_CORES_AT(AT_DIE) | ALL_CORES_AT(AT_JOIN));
	return asleep;
}

choice_set_t may_sleep(struct choice taken)
{
	return touched == (cores_t)1 << choice_core(taken) ? choice_bit(taken) : 0;
}
