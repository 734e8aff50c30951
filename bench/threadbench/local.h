/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is measured on one core:
 *
 *   thread.switch        from one thread to another, by yielding
 *   thread.create+join   a thread that does nothing, until it is joined
 *   pthread.create+join  the same through the C library
 *   mutex.uncontended    lock and unlock of a mutex that nobody else wants
 *   pthread.mutex.uncontended   of the C library's
 *   futex.wake           a thread that waits on a word, until it is back after the wake-up */

#include "bench/common/sample.h"

/* Prints a fact for each; false, after a sentence, if one could not be measured. */
bool local_measure(const struct lens *lens, bool quick);
