/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Waiting for the service of a domain that has just been started. Whoever binds waits until there is such a service; if the domain ends
 * before, that would be for ever. So from time to time it is looked whether it is there still. */

#include <stdlib.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>

#define LOOKS_PER_SECOND 10

static bool is_there(uint32_t domain, uint64_t core)
{
	const unsigned most = PAGE_BYTES / sizeof(struct domain_info);
	struct domain_info *all = calloc(most, sizeof *all);
	unsigned count = 0;
	err_t e = all == NULL ? ERR(NO_MEMORY) : domain_list(core, all, most, &count);
	bool there = is_err(e) && !err_is(e, ERR_NUMBER_CORE_UNKNOWN); /* that: not any more; else nobody can say now */

	for (unsigned i = 0; i < count && !there; i++)
		there = all[i].domain == domain;
	free(all);
	return there;
}

err_t domain_await(uint32_t domain, uint64_t core, const char *service, uint64_t deadline_tsc)
{
	const uint64_t slice = time_tsc_hz() / LOOKS_PER_SECOND;
	uint32_t server;

	for (;;) {
		const uint64_t now = time_tsc(), left = deadline_tsc != 0 && deadline_tsc - now < slice ? deadline_tsc - now : slice;
		err_t e = ipc_find(service, &(struct ipc_binding){.deadline_tsc = now + left}, &server);

		if (!err_is(e, ERR_NUMBER_TIMEOUT))
			return e;
		if (!is_there(domain, core))
			return ERR(PEER_GONE);
		if (deadline_tsc != 0 && time_tsc() >= deadline_tsc)
			return e;
	}
}
