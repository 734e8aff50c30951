/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Faults to be found. `if (!MUTANT(holder_not_added)) set_add(...)` is the right code, unless the file is compiled with
 * -DMUTANT_SELECTED=holder_not_added: then that one line is wrong, and the explorer must notice (make explore-mutants). A name that
 * is not in mutants.def does not compile. */

enum mutant {
	MUTANT_NONE,
#define MUTANT(name, sentence) MUTANT_##name,
#include "monitor/agreement/mutants.def"
#undef MUTANT
	MUTANTS
};

#ifndef MUTANT_SELECTED
#define MUTANT_SELECTED NONE
#endif

#define MUTANT_JOINED(name) MUTANT_##name
#define MUTANT_NUMBER(name) MUTANT_JOINED(name)
#define MUTANT(name)        (MUTANT_##name == MUTANT_NUMBER(MUTANT_SELECTED))
