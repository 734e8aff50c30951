/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Operations on capabilities that the CPU driver leaves to the agreement of several cores: the monitor does them (monitor/abi/messages.h).
 *
 * The calling thread waits, and others run meanwhile. Inside a section (libos/upcall/dispatcher.h) nobody else of this domain may run, so
 * there the whole dispatcher waits; the monitor, which the answer depends on, waits for no domain. */

#include <atoll/capability.h>

#include "monitor/abi/messages.h"

/* Answers as the CPU driver would have. A monitor has nobody to ask: NEEDS_AGREEMENT. */
MUST_USE err_t agreement_ask(const struct capability_request *request);

/* Deletes without waiting for the end of it; the slot is empty afterwards. Answers false if it is not, because it can't be deleted. */
bool cap_forget(cap_t cap);
