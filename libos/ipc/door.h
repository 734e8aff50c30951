/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the rest of the library OS knows of a door; door.c has the rest. */

#include <stdbool.h>

struct door {
	/* Nothing can run: the dispatcher waits for a call or a notification. A call makes a thread ready. */
	void (*wait)(void);
	/* Callers stand in the queue. False: some are left there. */
	bool (*take_calls)(void);
};
extern const struct door *door; /* NULL: there is none. It is in notice.c. */
