/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "tests/explore/invariants.h"
#include "tests/explore/script.h"

/* Makes a script that breaks an invariant shorter, so that it still breaks the same one; it ends with the step that does. What must hold at
 * rest is checked when all that is left to happen has happened. Always comes to the same, after a limited number of steps. */
void shrink(struct script *script, unsigned cores, enum invariant breaks);

/* A machine as walks begin with it. */
void walk_begin(unsigned cores);
/* Does it all again, and then what is left to happen. What really happened is added to `happened`. */
void script_run(const struct script *script, unsigned cores, struct script *happened);
