/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* All that is known of the arenas at a quiet point: what the workers hold, and what the monitors say is shared. */

#include "tests/programs/soak/soak.h"

#define SEEN_MAX (WORKERS_MAX * HELD_MAX)

struct seen {
	enum cap_type type;
	uint64_t base, size;
	unsigned core, owner;
	unsigned rights, flags; /* of a capability */
	bool anchored;          /* of an object that a monitor keeps account of */
	uint64_t holders;       /* likewise, if it is the owner's; a bit for each core */
};

/* An operation, or a core's part of one. */
struct under_way {
	unsigned core;
	struct agreement_info info;
};
#define OPERATIONS_SEEN 64

struct picture {
	uint64_t arena[WORKERS_MAX]; /* base, 0: none */
	unsigned operations, held, accounts;
	struct under_way operation[OPERATIONS_SEEN];
	struct seen cap[SEEN_MAX];     /* held by workers */
	struct seen account[SEEN_MAX]; /* kept by monitors */
};

/* Whether it is about an arena. */
bool picture_concerns(const struct picture *p, uint64_t base);
/* NULL: all is as it should be; else what is not, with the object in question. */
const char *picture_wrong(const struct picture *p, struct seen *about);
/* What is under way, and who has what there is of an object, of type Null: of any. */
void picture_print(const struct picture *p, const struct seen *about);
