/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What can happen next, and making it happen. A schedule is a list of such choices; from the same beginning it always leads to the same
 * end. */

#include <stdbool.h>
#include <stdint.h>

enum choice_kind {
	CHOICE_START,   /* task a begins */
	CHOICE_DELIVER, /* the oldest message from core a to core b arrives */
	CHOICE_STEP,    /* core a does a slice of its monitor's work */
	CHOICE_DIE,     /* core a stops */
	CHOICE_VIEW,    /* core a hears of the newest view */
	CHOICE_JOIN,    /* core a, which had stopped, has started again */
};

struct choice {
	uint8_t kind, a, b, unused;
};

#define CHOICES_MAX 512

/* All that can happen; `deaths`, `joins`: how many cores may die in all, and how often one may come back. */
unsigned choices(struct choice *out, unsigned deaths, unsigned joins);
/* Whether this can, apart from such limits; one core stays alive. */
bool choice_is_possible(struct choice c);
/* The core on which it happens. */
unsigned choice_core(struct choice c);

/* Makes it happen, without checking the state that it leads to. */
void choice_apply(struct choice c);

/* Goes on, always with the first choice, until nothing more can happen. */
void run_to_rest(void);
