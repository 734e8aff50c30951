/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The command line as init understands it. Pure: the hosted tests and the fuzzer run it. */

#define INIT_LINE_BYTES     1024
#define INIT_PROGRAMS_MAX   32
#define INIT_ARGUMENTS_MAX  32
#define INIT_SETTINGS_MAX   32

struct init_program {
	const char *argument[INIT_ARGUMENTS_MAX + 1]; /* the name first, NULL last */
};

struct init_plan {
	unsigned programs;
	struct init_program program[INIT_PROGRAMS_MAX];
	const char *environment[INIT_SETTINGS_MAX + 1]; /* KEY=value, NULL last */
	char text[2 * INIT_LINE_BYTES];                 /* what the pointers point into */
};

/* Reads `line`. Returns NULL, or what is wrong with the line as the beginning of a sentence ("more than 32 programs"). `default_app` is what
 * runs if the line names no program. */
const char *init_plan_parse(const char *line, const char *default_app, struct init_plan *out);
