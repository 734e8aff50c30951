/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/core_boot.h"

/* Copies the trampoline to its page, physical address `page`, and fills the words that are the loader's. */
void trampoline_install(uint64_t page, uint64_t page_table4);

/* Leaves for the CPU driver through the trampoline's tail, with the trampoline's page tables loaded. */
_Noreturn void trampoline_enter(uint64_t page, uint64_t core_boot);
