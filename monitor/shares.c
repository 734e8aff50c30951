/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>

#include "monitor/block.h"
#include "monitor/shares.h"

/* The node whose cores get this node's memory: itself, or the nearest with a core. */
static unsigned home_of(const struct machine *machine, unsigned node)
{
	uint16_t order[MACHINE_NODES];
	unsigned count = machine_nodes_by_distance(machine, node, order);

	for (unsigned i = 0; i < count; i++)
		if (machine_cores_of_node(machine, order[i], NULL, 0) > 0)
			return order[i];
	return node;
}

bool tree_below(const struct machine_tree *tree, uint32_t core, uint32_t ancestor)
{
	while (core != ancestor && core != MACHINE_NO_CORE)
		core = tree->parent[core];
	return core == ancestor;
}

/* Whether the node is one of those that `core` and the cores below it in the tree are on. */
static bool led_by(const struct monitor *m, unsigned node, uint32_t core)
{
	for (uint32_t other = 0; other < m->peers; other++)
		if (m->machine->cores[other].node == node && !tree_below(m->tree, other, core))
			return false;
	return machine_cores_of_node(m->machine, node, NULL, 0) > 0;
}

static uint32_t cores_below(const struct monitor *m, uint32_t core)
{
	uint32_t count = 0;

	for (uint32_t other = 0; other < m->peers; other++)
		count += tree_below(m->tree, other, core);
	return count;
}

/* Whether the node's memory goes to a core that this monitor starts on another node. */
static bool leaves(const struct monitor *m, unsigned node)
{
	for (uint32_t core = m->tree->first_child[m->core]; core != MACHINE_NO_CORE; core = m->tree->next_sibling[core])
		if (m->machine->cores[core].node != m->node && led_by(m, node, core))
			return true;
	return false;
}

/* What stays is divided among the cores that live on it: those of this node, and those of nodes below that have no memory. */
void shares_plan(struct monitor *m)
{
	uint64_t bytes = 0;
	uint32_t cores = 1; /* this one */

	for (unsigned i = 0; i < m->ram.ranges; i++) {
		unsigned node = machine_node_of_address(m->machine, m->ram.range[i].base);

		if (node == MACHINE_NO_NODE || !leaves(m, home_of(m->machine, node)))
			bytes += m->ram.range[i].bytes;
	}
	for (uint32_t core = 0; core < m->peers; core++) {
		unsigned node = m->machine->cores[core].node;

		cores +=
		    core != m->core && tree_below(m->tree, core, m->core) && (node == m->node || m->machine->nodes[node].memory_bytes == 0);
	}
	m->share = (bytes / cores) & ~(PAGE_BYTES - 1);
}

static err_t take_piece(struct monitor *m, struct start *c, uint64_t bytes, uint64_t low, uint64_t high)
{
	err_t e;

	if (c->memories == START_MEMORIES)
		return ERR(LIMIT);
	e = block_take_within(m, CAP_RAM, bytes, low, high, &c->memory[c->memories]);
	if (is_ok(e))
		c->memories++;
	return e;
}

/* All of the nodes that the core leads. */
static uint64_t take_nodes(struct monitor *m, struct start *c)
{
	uint64_t sum = 0, largest;

	for (unsigned i = 0; i < m->machine->range_count; i++) {
		const struct machine_range *r = &m->machine->ranges[i];

		if (!led_by(m, home_of(m->machine, r->node), c->core))
			continue;
		while ((largest = ram_largest(&m->ram, r->base, r->base + r->size)) > 0) {
			if (is_err(take_piece(m, c, largest, r->base, r->base + r->size)))
				break;
			sum += largest;
		}
	}
	return sum;
}

static uint64_t take_own(struct monitor *m, struct start *c, uint64_t bytes)
{
	uint64_t sum = 0;

	while (sum < bytes) {
		uint64_t largest = ram_largest(&m->ram, 0, UINT64_MAX), piece = bytes - sum < largest ? bytes - sum : largest;

		if (piece == 0 || is_err(take_piece(m, c, piece, 0, UINT64_MAX)))
			break;
		sum += piece;
	}
	return sum;
}

static void largest_first(struct start *c)
{
	for (unsigned i = 1; i < c->memories; i++)
		if (c->memory[i].bytes > c->memory[0].bytes) {
			struct block first = c->memory[0];

			c->memory[0] = c->memory[i];
			c->memory[i] = first;
		}
}

static err_t check_share(struct monitor *m, struct start *c, uint64_t least)
{
	largest_first(c);
	if (c->memories > 0 && c->memory[0].bytes >= 2 * least)
		return OK;
	for (unsigned i = 0; i < c->memories; i++)
		block_give(m, &c->memory[i]);
	c->memories = 0;
	return ERR(NO_MEMORY);
}

err_t share_take(struct monitor *m, struct start *c, uint64_t least)
{
	c->memories = 0;
	if (m->machine->cores[c->core].node != m->node)
		take_nodes(m, c);
	if (c->memories == 0)
		take_own(m, c, m->share * cores_below(m, c->core));
	return check_share(m, c, least);
}

/* The largest piece that this core has inherited from that one. */
static struct legacy **largest_legacy(struct monitor *m, uint32_t dead)
{
	struct legacy **largest = NULL;

	for (struct legacy **link = &m->membership.legacies; *link != NULL; link = &(*link)->next)
		if ((*link)->dead == dead && (*link)->done && (largest == NULL || (*link)->bytes > (*largest)->bytes))
			largest = link;
	return largest;
}

/* There may be more pieces than a core can get: the smallest ones stay. */
static void take_legacies(struct monitor *m, struct start *c)
{
	struct legacy **link;

	while ((link = largest_legacy(m, c->core)) != NULL) {
		struct legacy *l = *link;
		uint64_t bytes = ram_largest(&m->ram, l->base, l->base + l->bytes);

		if (bytes > 0)
			(void)!is_ok(take_piece(m, c, bytes, l->base, l->base + l->bytes));
		*link = l->next;
		free(l);
	}
}

err_t share_take_again(struct monitor *m, struct start *c, uint64_t least)
{
	unsigned cores = machine_cores_of_node(m->machine, m->node, NULL, 0);

	c->memories = 0;
	take_legacies(m, c);
	largest_first(c);
	if (c->memories == 0 || c->memory[0].bytes < 2 * least)
		take_own(m, c, m->ram.free / (cores + 1) & ~(PAGE_BYTES - 1));
	return check_share(m, c, least);
}
