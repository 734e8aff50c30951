/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The same work on every core: what most parallel examples begin with. */

#include <stdint.h>

#include <atoll/span.h>

/* What the program can't do without: if there was an error it ends, with a sentence. */
_Noreturn void give_up(const char *what, err_t e);
static inline void must(const char *what, err_t e)
{
	if (is_err(e))
		give_up(what, e);
}

/* Grows the domain until it has members on `cores` cores (0: all that there are), on the program's own node first: the fewer nodes a team
 * is spread over, the more of the memory that it shares is near. Answers how many members there are. */
unsigned team_grow(unsigned cores);

/* Calls work(argument, member) on the members 0 to `size` - 1, by one thread each that stays there, and returns when all have returned. */
void team_run(unsigned size, void (*work)(void *argument, unsigned member), void *argument);

/* Since that value of the time-stamp counter. */
uint64_t microseconds_since(uint64_t tsc);
