/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What can be asked back, and from whom: `revoke` has the checks, and starts itself as `revoke child CHARACTER` for those that are asked. A
 * child says that it is ready by offering the service CHILD_SERVICE, and hears that it has been asked when there is DONE_SERVICE; its
 * status says how it went. */

#include "tests/programs/check.h"

#define PROGRAM        "revoke"
#define CHILD_SERVICE  "revoke.child"
#define DONE_SERVICE   "revoke.done"
#define PARENT_SERVICE "revoke.parent" /* adds one to a number, but for: */
#define DONE_YET       100             /* whether the child has been asked */
#define MEBIBYTE       (UINT64_C(1) << 20)
#define CHUNK          (64 * KIB)
#define CHUNKS         256 /* of a child's memory */
#define CHANNELS       3

enum { FINE = 0, WRONG = 1, GONE = 42 };

int child(const char *character, const char *argument);
