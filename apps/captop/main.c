/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Shows capability agreement between the cores: which objects are shared, who owns and who holds them, what is under way, what it costs.
 *
 *   captop        a new picture each second on the console, until q or Control-C
 *   captop once   one picture of everything */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/console.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "apps/captop/picture.h"

#define LIVE_ROWS    8  /* of objects and of operations, so that a terminal's 24 lines hold them on a few cores */
#define LOOKS        20 /* for a key in a second */
#define CLEAR_SCREEN "\033[H\033[J"
#define CONTROL_C    3
#define TEXT_BYTES   (512 * KIB)

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

/* Waits for a second. True: a key that ends the program, or the console is gone. */
static bool ends(struct ipc_connection *keys, uint64_t next)
{
	for (unsigned i = 1; i <= LOOKS; i++) {
		char key = 0;
		uint16_t label;
		size_t bytes;
		err_t e = ipc_try_receive(keys, &label, &key, sizeof(key), &bytes);

		if (is_ok(e) && bytes == 1 && (key == 'q' || key == 'Q' || key == CONTROL_C))
			return true;
		if (is_ok(e))
			e = ipc_send(keys, CONSOLE_READ_KEY, NULL, 0);
		if (is_err(e) && !err_is(e, ERR_NUMBER_WOULD_BLOCK))
			return true;
		thread_sleep_until(next - (LOOKS - i) * (time_tsc_hz() / LOOKS));
	}
	return false;
}

static int live(void)
{
	struct ipc_connection *keys;
	uint64_t next = time_tsc();
	err_t e = ipc_bind(CONSOLE_SERVICE, true, &keys);
	int status;

	if (is_ok(e))
		e = ipc_send(keys, CONSOLE_READ_KEY, NULL, 0);
	if (is_err(e)) {
		printf("captop: there is no console to read keys from: %s\n", err_sentence(e));
		return EXIT_FAILURE;
	}
	do {
		status = show(LIVE_ROWS, CLEAR_SCREEN "(q ends)  ");
		next += time_tsc_hz();
	} while (status == EXIT_SUCCESS && !ends(keys, next));
	ipc_close(keys);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return live();
	if (argc == 2 && strcmp(argv[1], "once") == 0)
		return show(PICTURE_ROWS_MAX, "");
	printf("captop: %s is not once\n", argv[1]);
	return EXIT_FAILURE;
}
