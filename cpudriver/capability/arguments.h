/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Decoding of words that several operations share. */

#include "cpudriver/capability/capability.h"

/* `count` empty slots in a row: W0 of the call is a CNode that may be written, W1 the first slot. */
MUST_USE err_t destination(const struct invocation *i, uint64_t cnode, uint64_t slot, uint64_t count, struct slot **first);

/* The slot that a word names; it holds something. */
MUST_USE err_t named_slot(const struct invocation *i, uint64_t word, struct slot **out);
