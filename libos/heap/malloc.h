/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* malloc inside the library OS. */

#include <stdint.h>

void malloc_start(void);

/* How many regions of the address space the heap keeps although nothing is allocated. */
uint64_t malloc_idle_arenas(void);
/* What has been freed here of that member's objects and is still held back. */
void malloc_send_home(unsigned member);
/* What may be used of an object of this member's; 0: it is none. */
uint64_t malloc_usable_here(uint64_t address);
