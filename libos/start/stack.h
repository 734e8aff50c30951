/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The stack with which a Linux program starts: count of arguments, pointers to them, 0, pointers to the environment, 0, auxiliary vector
 * (System V ABI, AMD64 supplement, 3.4.1; the entries are those of Linux's <elf.h>). Pure: `stack` may lie elsewhere than where the program
 * sees it. */

#include "cpudriver/abi/errors.h"

struct stack_plan {
	const char *arguments; /* strings, one behind the other, each ended by 0; the program sees them where they lie */
	unsigned argument_count;
	const char *environment;
	unsigned environment_count;
	const char *strings_end; /* no string goes on behind it */
	uint64_t phdr, phdr_count, entry;
	uint64_t random[2];
};

/* Fills the upper end of `words`, `count` words whose end the program sees at `top` (16-aligned). *rsp is where its stack pointer begins.
 * RANGE: they are too few. FORMAT: a string does not end. */
MUST_USE err_t stack_build(const struct stack_plan *plan, uint64_t *words, size_t count, uint64_t top, uint64_t *rsp);
