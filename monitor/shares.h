/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which memory a core that is started gets; core_start.h has the rule. */

#include "monitor/monitor.h"

/* Whether the core is below the ancestor in the tree, or is the ancestor. */
bool tree_below(const struct machine_tree *tree, uint32_t core, uint32_t ancestor);

/* Before the first share is taken: how big the shares are. */
void shares_plan(struct monitor *m);
/* Takes the share of c->core, in pieces, the largest first; the first has at least `least` bytes and as much again. Errors: NO_MEMORY. */
MUST_USE err_t share_take(struct monitor *m, struct start *c, uint64_t least);
/* The same for a core that comes back: what this one has inherited from it, as far as it is still free; else as much as everybody on
 * this node would get of what this core has. */
MUST_USE err_t share_take_again(struct monitor *m, struct start *c, uint64_t least);
