/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Every operation must end: the states must have no circle, in which messages could go on for ever. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From one state to another, by their numbers. */
struct step {
	uint32_t from, to;
};

/* Whether there is a circle; then *on is a state of one. */
bool find_circle(const struct step *steps, size_t count, size_t states, uint32_t *on);
