/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What holds for every plan (numa/plan/plan.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "numa/plan/plan.h"

static inline void check_processors(const struct host *host, const struct plan *plan)
{
	static bool used[HOST_PROCESSORS];

	memset(used, 0, sizeof(used));
	for (unsigned i = 0; i < plan->cpus; i++) {
		const struct host_processor *p = &host->processor[plan->cpu[i].processor];

		assert_in_range(plan->cpu[i].processor, 0, host->processors - 1);
		assert_false(used[plan->cpu[i].processor]);
		used[plan->cpu[i].processor] = true;
		/* A virtual core is on one core of the host, and nobody else's. */
		if (i % plan->threads != 0)
			assert_int_equal(p->core, host->processor[plan->cpu[i - 1].processor].core);
		else
			for (unsigned j = 0; j < i; j++)
				assert_int_not_equal(p->core, host->processor[plan->cpu[j].processor].core);
	}
	for (unsigned i = 0; i < plan->spares; i++)
		assert_false(used[plan->spare[i]]);
}

static inline void check_nodes(const struct host *host, const struct wish *wish, const struct plan *plan)
{
	uint64_t memory_mib = 0, of_host[HOST_NODES] = {0};
	unsigned next = 0;

	for (unsigned v = 0; v < plan->nodes; v++) {
		const struct plan_node *node = &plan->node[v];

		assert_int_equal(node->first, next);
		assert_in_range(node->cpus, 1, plan->cpus);
		for (unsigned i = next; i < next + node->cpus; i++) {
			assert_int_equal(plan->cpu[i].node, v);
			assert_int_equal(host->processor[plan->cpu[i].processor].node, node->host_node);
		}
		next += node->cpus;
		memory_mib += node->memory_mib;
		of_host[node->host_node] += node->memory_mib;
		assert_true(node->cores + 1u >= plan->node[0].cores && node->cores <= plan->node[0].cores + 1u);
		for (unsigned w = 0; w < plan->nodes; w++) {
			if (v == w)
				assert_int_equal(plan->distance[v][w], 10);
			else
				assert_in_range(plan->distance[v][w], 11, 254);
		}
	}
	assert_int_equal(next, plan->cpus);
	assert_int_equal(memory_mib, wish->memory_mib);
	for (unsigned n = 0; n < host->nodes; n++)
		assert_true(of_host[n] <= host->node[n].memory_mib);
}

/* A plan that keeps its promises, and what was asked for. */
static inline void check_plan(const struct host *host, const struct wish *wish, const struct plan *plan)
{
	assert_true(wish->cpus == 0 || plan->cpus == wish->cpus);
	assert_true(wish->nodes == 0 || plan->nodes == wish->nodes);
	assert_true(wish->sockets == 0 || plan->sockets == wish->sockets);
	assert_true(wish->dies == 0 || plan->dies == wish->dies);
	assert_true(wish->threads == 0 || plan->threads == wish->threads);
	assert_int_equal(plan->sockets * plan->dies * plan->cores * plan->threads, plan->cpus);
	assert_true(plan->sentences > 0);
	check_processors(host, plan);
	check_nodes(host, wish, plan);
}
