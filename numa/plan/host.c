/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/plan/host.h"

void host_group_cores(struct host *host)
{
	host->cores = 0;
	for (unsigned i = 0; i < host->processors; i++) {
		const struct host_processor *p = &host->processor[i];

		if (i > 0 && p->core == p[-1].core) {
			host->core[host->cores - 1].threads++;
			continue;
		}
		host->core[host->cores++] = (struct host_core){
		    .first = (uint16_t)i, .threads = 1, .cache = p->cache, .package = p->package, .node = p->node, .kind = p->kind};
	}
}
