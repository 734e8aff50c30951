/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What entry/syscall.S calls: one function for each number, with the caller's registers as arguments. */

#include "cpudriver/abi/errors.h"
#include "cpudriver/entry/trap.h"

/* The words and values are in core.invocation. */
err_t invoke_entry(uint64_t cap_and_operation);
NORETURN void call_entry(uint64_t cap, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t flags);
NORETURN void reply_wait_entry(uint64_t token, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t flags);
NORETURN void yield_entry(uint64_t cap, uint64_t how);

/* Whether the running dispatcher takes the foreign call as an upcall; core.upcall_* say where. */
bool foreign_call(void);

/* The image's entry, from start.S. */
struct core_boot;
NORETURN void core_main(struct core_boot *boot);
