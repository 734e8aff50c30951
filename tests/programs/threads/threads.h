/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Checks of `threads` that have a file of their own. */

/* Who computes without end has turns, as others have. */
const char *check_turns_after(void);
