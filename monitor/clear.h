/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Memory that somebody had goes to nobody else before it is cleared; in slices, because nobody waits for the clearing of a whole block. What
 * can't be cleared stays out of use. */

#include "monitor/block.h"

/* Clears the next slice of a block of which nothing is made; its first *cleared bytes are clear. */
MUST_USE err_t clear_slice(const struct block *b, uint64_t *cleared);
