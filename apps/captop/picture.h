/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the cores' agreements have in hand, put together from their listings, as text. Pure, so that the hosted tests run it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <atoll/domain.h>

#define PICTURE_ROWS_MAX 4096 /* objects, and operations; what is beyond is only counted */

struct picture_core {
	bool seen;
	uint64_t view, sent, received, refused;
	unsigned owned, anchors, operations;
};

struct picture_row {
	uint32_t core; /* that told */
	struct agreement_info is;
};

struct picture {
	struct picture_core core[MACHINE_CORES];
	unsigned objects, operations;                /* in all */
	struct picture_row object[PICTURE_ROWS_MAX]; /* as their owners tell of them */
	struct picture_row operation[PICTURE_ROWS_MAX];
	struct {
		uint64_t operations, messages, cycles, longest;
	} cost[ASKED_KINDS];
};

void picture_begin(struct picture *p);
/* One record of a core's listing. What makes no sense is left out. */
void picture_add(struct picture *p, uint32_t core, const struct agreement_info *record);

struct picture_text {
	char *at;
	size_t bytes, used; /* room; what is in it, less the 0 at its end */
};

/* Writes at most `rows` objects and as many operations. What does not fit the text is left out. */
void picture_print(const struct picture *p, uint64_t tsc_hz, unsigned rows, struct picture_text *out);
