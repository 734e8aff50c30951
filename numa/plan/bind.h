/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Binds threads of other processes of this user: each of `words` is THREAD=PROCESSOR[,PROCESSOR...], both the operating system's numbers.
 * Reads back what each is bound to. False: `refusal` is a sentence; the threads before are bound. */
__attribute__((warn_unused_result)) bool bind_threads(char *const *words, int count, char *refusal, size_t bytes);
