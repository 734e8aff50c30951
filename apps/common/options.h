/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the examples are told: options `--name NUMBER`, each within bounds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_WHY_BYTES 160

struct option {
	const char *name; /* without its dashes */
	uint64_t *value;  /* holds the default, until the option is given */
	uint64_t least, most;
	const char *what; /* a line of the list that --help shows */
};

/* Sets what `words` (NULL at the end) say. False: a word is wrong, and `why` says which one and how. */
bool options_read(const struct option *options, unsigned count, char *const *words, char why[OPTIONS_WHY_BYTES]);

/* The same for main: `argv[0]` is the program. If something is wrong, or --help is asked for, it prints the options and ends the program.
 */
void options_of_main(const struct option *options, unsigned count, char *const *argv);
