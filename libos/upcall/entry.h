/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What entry.S defines and calls. */

#include "cpudriver/abi/dispatcher.h"

void upcall_run_entry(void), upcall_message_entry(void), upcall_page_fault_entry(void), upcall_trap_entry(void);
void upcall_foreign_entry(void), upcall_revoke_entry(void);
extern const char critical_begin[], critical_end[];
extern char upcall_stack_top[];

_Noreturn void resume_registers(const struct registers *frame, const void *xstate);
_Noreturn void thread_load_stack(uint64_t load);
void thread_switch_stack(uint64_t *save, uint64_t load);
void thread_save_and_resume(uint64_t *save, const struct registers *frame, const void *xstate);

void upcall_run(struct dispatcher_shared *shared, uint64_t pending);
void upcall_message(struct dispatcher_shared *shared, uint64_t pending);
void upcall_page_fault(struct dispatcher_shared *shared, uint64_t address, uint64_t code);
void upcall_trap(struct dispatcher_shared *shared, uint64_t vector, uint64_t code);
void upcall_revoke(struct dispatcher_shared *shared, uint64_t base, uint64_t bytes);

/* Fills in the domain's part of the shared frame. */
void upcalls_start(void);
