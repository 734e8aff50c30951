/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Shows capability agreement between the cores: which objects are shared, who owns and who holds them, what is under way, what it costs.
 *
 *   captop        a new picture each second on the console, until q or Control-C
 *   captop once   one picture of everything */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "apps/captop/picture.h"
#include "apps/common/live.h"

#define LIVE_ROWS  8 /* of objects and of operations, so that a terminal's 24 lines hold them on a few cores */
#define TEXT_BYTES (512 * KIB)

static struct picture picture;

/* Page by page; the tables may change meanwhile. */
static err_t add_core(unsigned core)
{
	static struct agreement_info records[AGREEMENT_PAGE];
	uint64_t total = 1;
	unsigned count;
	err_t e = OK;

	for (uint32_t first = 0; first < total && is_ok(e); first += count) {
		e = agreement_list(core, first, records, AGREEMENT_PAGE, &count, &total);
		if (is_err(e) || count == 0)
			break;
		for (unsigned i = 0; i < count; i++)
			picture_add(&picture, core, &records[i]);
	}
	return e;
}

/* A core that dies meanwhile is left out. */
static err_t take_picture(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	err_t e = core_list(cores, MACHINE_CORES, &count);

	picture_begin(&picture);
	for (unsigned i = 0; is_ok(e) && i < count; i++) {
		if (!cores[i].alive)
			continue;
		e = add_core(cores[i].core);
		if (err_is(e, ERR_NUMBER_CORE_DEAD) || err_is(e, ERR_NUMBER_CORE_UNKNOWN))
			e = OK;
	}
	return e;
}

static int show(unsigned rows, const char *before)
{
	static char text[TEXT_BYTES];
	struct picture_text out = {.at = text, .bytes = sizeof(text)};
	err_t e = take_picture();

	if (is_err(e)) {
		printf("captop: the agreement can't be listed: %s\n", err_sentence(e));
		return EXIT_FAILURE;
	}
	picture_print(&picture, time_tsc_hz(), rows, &out);
	printf("%s%s", before, text);
	fflush(stdout);
	return EXIT_SUCCESS;
}

static bool show_live(void)
{
	return show(LIVE_ROWS, CLEAR_SCREEN "(q ends)  ") == EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return live_run("captop", show_live);
	if (argc == 2 && strcmp(argv[1], "once") == 0)
		return show(PICTURE_ROWS_MAX, "");
	printf("captop: %s is not once\n", argv[1]);
	return EXIT_FAILURE;
}
