/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Shows what each core does: load, messages, calls, wake-ups, page faults, memory; and which domains run.
 *
 *   top        a new table each second on the console, until q or Control-C
 *   top once   one table, of one second */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

#include "apps/common/live.h"
#include "apps/top/table.h"

#define ROWS       8 /* domains */
#define TEXT_BYTES (64 * 1024)

static struct look looks[2];

/* A core that dies meanwhile is left out. */
static err_t look_at_core(struct look *l, const struct core_info *info)
{
	struct look_core *c = &l->core[info->core];
	unsigned count = 0;
	err_t e = core_activity(info->core, &c->load);

	if (is_ok(e))
		e = domain_list(info->core, l->domain + l->domains, LOOK_DOMAINS - l->domains, &count);
	if (err_is(e, ERR_NUMBER_CORE_DEAD) || err_is(e, ERR_NUMBER_CORE_UNKNOWN))
		return OK;
	l->domains += count;
	c->seen = is_ok(e);
	c->node = info->node;
	return e;
}

static bool look(struct look *l)
{
	static struct core_info cores[MACHINE_CORES];
	const struct performance counters = performance_available();
	unsigned count = 0;
	err_t e = core_list(cores, MACHINE_CORES, &count);

	memset(l, 0, sizeof(*l));
	for (unsigned i = 0; is_ok(e) && i < count; i++)
		if (cores[i].alive && cores[i].core < MACHINE_CORES)
			e = look_at_core(l, &cores[i]);
	l->time = time_tsc();
	l->counters = counters.count;
	if (l->counters > PERFORMANCE_CYCLES) {
		l->instructions = performance_read(counters, PERFORMANCE_INSTRUCTIONS);
		l->cycles = performance_read(counters, PERFORMANCE_CYCLES);
	}
	if (is_err(e))
		printf("top: the cores can't be looked at: %s\n", err_sentence(e));
	return is_ok(e);
}

static void show(const struct look *before, const struct look *now, const char *first)
{
	static char text[TEXT_BYTES];

	table_print(before, now, time_tsc_hz(), ROWS, text, sizeof(text));
	printf("%s%s", first, text);
	fflush(stdout);
}

static int once(void)
{
	if (!look(&looks[0]))
		return EXIT_FAILURE;
	thread_sleep_until(looks[0].time + time_tsc_hz());
	if (!look(&looks[1]))
		return EXIT_FAILURE;
	show(&looks[0], &looks[1], "");
	return EXIT_SUCCESS;
}

/* The first look has none before it to be compared with. */
static bool show_live(void)
{
	static unsigned round;
	const unsigned now = round++ % 2;

	if (!look(&looks[now]))
		return false;
	if (round > 1)
		show(&looks[!now], &looks[now], CLEAR_SCREEN "top (q ends)\n");
	return true;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return live_run("top", show_live);
	if (argc == 2 && strcmp(argv[1], "once") == 0)
		return once();
	printf("top: %s is not once\n", argv[1]);
	return EXIT_FAILURE;
}
