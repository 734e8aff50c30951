/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a hostile program tries. Each attack runs in a domain of its own and either ends that domain or comes back refused; nobody else may
 * notice. */

#include <stdbool.h>

enum attack_end {
	ATTACK_DIES,    /* the domain is stopped, or ends with a status that is not 0 */
	ATTACK_REFUSED, /* the attack returns true: everything was refused as it should be */
	ATTACK_KILLED,  /* it never ends by itself */
};

struct attack {
	const char *name;
	bool (*run)(void);
	enum attack_end end;
};

extern const struct attack attacks[];
extern const unsigned attack_count;

const struct attack *attack_find(const char *name);

/* Makes `calls` random calls, replayable by `seed`. Returns true if it lived through them. */
bool fuzz_calls(unsigned long long seed, unsigned long long calls);
