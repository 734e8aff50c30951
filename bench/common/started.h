/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a benchmark has started on some core serves now, or never will: then the benchmark ends with a sentence, and does not wait for ever.
 */

#include <atoll/domain.h>
#include <atoll/ipc.h>

#define STARTED_SECONDS 60

static inline uint64_t started_deadline(void)
{
	return time_tsc() + STARTED_SECONDS * time_tsc_hz();
}

/* One that does not serve is ended, if it has not ended by itself. */
MUST_USE static inline err_t started(uint32_t domain, unsigned core, const char *service)
{
	err_t e = domain_await(domain, core, service, started_deadline());

	if (is_err(e))
		(void)!is_ok(domain_kill(domain));
	return e;
}
