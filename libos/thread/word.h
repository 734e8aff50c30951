/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Threads that wait on a word of the program's memory (futexes, without a kernel). The look at the word and the beginning of the wait are
 * one step, and so are a change of the word before word_wake and the look for who waits. Outside of sections; the words are the program's
 * own memory, so a look at one may be a page fault like any other. */

#include "libos/thread/thread.h"

#define WORD_ANYBODY UINT32_MAX

/* Waits if the word is `expected`, until word_wake with one of the same `bits`. WOULD_BLOCK: it is something else. TIMEOUT. */
MUST_USE err_t word_wait(uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits);
/* Answers how many it woke, `count` at most. */
uint64_t word_wake(uint64_t address, uint64_t count, uint32_t bits);
/* Wakes `wakes` and lets up to `moves` more wait on another word instead; with `expected` only if the word is that, else WOULD_BLOCK. */
MUST_USE err_t word_requeue(uint64_t address, const uint32_t *expected, uint64_t wakes, uint64_t moves, uint64_t target, uint64_t *done);

/* ---- Inside a section ---- */

extern struct futex_table word_waiters; /* at home here, or everybody's own */
uint64_t word_wake_here(uint64_t address, uint64_t count, uint32_t bits);
