/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Waiting on words across members. Whoever is at home of a word keeps the list of those who wait on it, of whichever member: so the look at
 * the word and the beginning of the wait are one step at one place. A waiter that lives elsewhere is a *guest* in that list.
 *
 *   waiter's member                           home of the word
 *   word_wait         ────────────────────▶   not the value that was expected: woken, WOULD_BLOCK; else a guest
 *   word_cancel       ────────────────────▶   (the deadline passed) still a guest: woken, TIMEOUT; else `woken` is on its way
 *                     ◀────────────────────   word_woken
 *   word_wake         ────────────────────▶   wakes as many
 *                     ◀────────────────────   word_waked
 */

#include "libos/thread/word.h"
#include "monitor/abi/start.h"

/* Another member that the word is at home at, or SPAN_MAX. */
unsigned words_elsewhere(uint64_t address);

/* As word_wait and word_wake (libos/thread/word.h), for a word that is at home at another member. */
MUST_USE err_t words_wait(unsigned home, uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits);
uint64_t words_wake(unsigned home, uint64_t address, uint64_t count, uint32_t bits);

/* A guest is woken, and forgotten. Inside a section. */
void words_wake_guest(struct futex_waiter *guest);
/* Threads that wait at members that are gone go on; so do guests from there. */
void words_start(void);
