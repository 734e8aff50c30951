/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Decoding of words that several operations share. */

#include "cpudriver/capability/capability.h"

/* An empty slot: number `slot` of the CNode that the word names, which may be written. */
MUST_USE err_t destination(const struct invocation *i, uint64_t cnode, uint64_t slot, struct slot **out);

/* `count` of them in a row. */
MUST_USE err_t destinations(const struct invocation *i, uint64_t cnode, uint64_t slot, uint64_t count, struct slot **first);

/* The empty slot that a word names, in a CNode that may be written. */
MUST_USE err_t empty_address(const struct invocation *i, uint64_t word, struct slot **out);

/* The slot that a word names; it holds something. */
MUST_USE err_t named_slot(const struct invocation *i, uint64_t word, struct slot **out);
