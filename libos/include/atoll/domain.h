/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* This domain, and others: who am I, start, wait, end; what the machine looks like. */

#include "cpudriver/abi/dispatcher.h"
#include "monitor/abi/messages.h"
#include "monitor/abi/start.h"
#include "numa/model.h"

const struct domain_start *domain_self(void);
unsigned domain_core(void);
struct dispatcher_shared *domain_dispatcher(void);
const struct machine *domain_machine(void); /* NULL before discovery */

uint64_t time_tsc(void);
uint64_t time_tsc_hz(void);

/* Starts `argv[0]` from the boot archive on `core` (CORE_HERE: this one) with `memory` bytes (0: the default). */
MUST_USE err_t domain_spawn(const char *const argv[], const char *const envp[], uint64_t core, uint64_t memory, uint32_t *domain);
MUST_USE err_t domain_wait(uint32_t domain, int64_t *status, enum end_cause *cause);
MUST_USE err_t domain_kill(uint32_t domain);
_Noreturn void domain_exit(int64_t status);

/* One request to this core's monitor, for what has no function of its own; words as in monitor/abi/requests.def. */
struct monitor_reply {
	err_t error;
	uint64_t word[3];
};
struct monitor_reply monitor_request(enum monitor_request request, uint64_t tag_or_flags, uint64_t word1, uint64_t word2, uint64_t word3);
MUST_USE err_t domain_list(uint64_t core, struct domain_info *out, unsigned capacity, unsigned *count);
/* All services that have a name. */
MUST_USE err_t service_list(struct service_info *out, unsigned capacity, unsigned *count);
MUST_USE err_t core_list(struct core_info *out, unsigned capacity, unsigned *count);
/* What the core's agreement has in hand, from record `first` on; `total`: how many records there are. Needs the right. */
MUST_USE err_t agreement_list(uint64_t core, uint32_t first, struct agreement_info *out, unsigned capacity, unsigned *count, uint64_t *total);
/* Starts a core that has died or never came up; returns when it is there. Errors: PERMISSION, STATE (it is up), CORE_DEAD (it can't be). */
MUST_USE err_t core_start(uint64_t core);
MUST_USE err_t system_power_off(int64_t status);

/* How many foreign calls had no answer but ENOSYS, by number; for tests and for the curious. */
uint64_t foreign_unknown_count(void);
