/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/common/live.h"

#include <stdio.h>
#include <stdlib.h>

#include <atoll/console.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#define LOOKS     20 /* for a key in a second */
#define CONTROL_C 3

/* Waits until then. True: a key that ends the program, or the console is gone. */
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

int live_run(const char *program, bool (*show)(void))
{
	struct ipc_connection *keys;
	uint64_t next = time_tsc();
	err_t e = ipc_bind(CONSOLE_SERVICE, true, &keys);
	bool ok;

	if (is_ok(e))
		e = ipc_send(keys, CONSOLE_READ_KEY, NULL, 0);
	if (is_err(e)) {
		printf("%s: there is no console to read keys from: %s\n", program, err_sentence(e));
		return EXIT_FAILURE;
	}
	do
		ok = show();
	while (ok && !ends(keys, next += time_tsc_hz()));
	ipc_close(keys);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
