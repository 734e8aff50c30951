/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/balance.h"
#include "monitor/domain.h"

/* One's root CNode, then one of the CNodes in it. */
#define INSPECTED_ROOT  252
#define INSPECTED_CNODE 251

static bool always(const struct cap_identity *id)
{
	return id->type != CAP_Null;
}

static bool library_makes(const struct cap_identity *id)
{
	return (id->type == CAP_Frame && !(id->flags & CAP_FLAG_FOREIGN)) || id->type == CAP_CNode ||
	       (id->type >= CAP_PageTable1 && id->type <= CAP_PageTable4);
}

static uint32_t count_in(unsigned cnode, bool (*counts)(const struct cap_identity *id))
{
	struct cap_identity id;
	uint32_t count = 0;

	for (unsigned slot = 0; slot < CNODE_SLOTS; slot++)
		if (is_ok(cap_identify(CAP(cnode, slot), &id)) && counts(&id))
			count++;
	return count;
}

static uint32_t count_own(void)
{
	struct cap_identity id;
	uint32_t count = 0;

	for (unsigned root = ROOT_TASK; root < CNODE_SLOTS; root++)
		if (is_ok(cap_identify(CAP(ROOT_SELF, root), &id)) && id.type == CAP_CNode)
			count += count_in(root, library_makes);
	return count + count_in(ROOT_SELF, library_makes);
}

/* All capabilities in a domain's CNodes. */
static uint32_t count_of(const struct domain *d)
{
	const cap_t root = CAP(ROOT_SELF, INSPECTED_ROOT), cnode = CAP(ROOT_SELF, INSPECTED_CNODE);
	struct cap_identity id;
	uint32_t count = 0;

	if (d == NULL || is_err(task_open(d)))
		return 0;
	if (is_ok(cap_copy(CAP(TASK_WINDOW, TASK_ROOT_CNODE), root))) {
		count = count_in(INSPECTED_ROOT, always);
		for (unsigned slot = ROOT_TASK; slot < CNODE_SLOTS; slot++)
			if (is_ok(cap_identify(CAP(INSPECTED_ROOT, slot), &id)) && id.type == CAP_CNode &&
			    is_ok(cap_copy(CAP(INSPECTED_ROOT, slot), cnode))) {
				count += count_in(INSPECTED_CNODE, always);
				(void)!is_ok(cap_delete(cnode));
			}
		(void)!is_ok(cap_delete(root));
	}
	task_close();
	return count;
}

/* The acpi domain may get its turn while it is being counted. */
static uint32_t count_left_out(struct monitor *m)
{
	uint64_t before;
	uint32_t left_out;

	do {
		before = platform_capabilities();
		left_out = count_own() + count_of(domain_find(m, m->acpi));
	} while (platform_capabilities() != before);
	return left_out;
}

/* Memory that is being cleared on its way here, with a capability that will be a root's. */
static uint32_t count_arriving(const struct monitor *m)
{
	uint32_t count = 0;

	for (const struct legacy *l = m->membership.legacies; l != NULL; l = l->next)
		count += !l->done;
	for (const struct leftover *l = m->leftovers; l != NULL; l = l->next)
		count += l->returned;
	return count;
}

/* Memory that has been set aside for a core that is being started: until that one is up it is this core's, though not free. */
static uint64_t set_aside(const struct monitor *m, uint32_t *capabilities)
{
	uint64_t bytes = 0;

	*capabilities = 0;
	for (unsigned i = 0; i < m->starts; i++) {
		const struct start *c = &m->start[i];

		if (c->state < START_PREPARED || c->state > START_SIPI_AGAIN)
			continue;
		for (unsigned k = 0; k < c->memories; k++)
			bytes += c->memory[k].bytes;
		*capabilities += c->memories;
	}
	return bytes;
}

struct balance balance_now(struct monitor *m)
{
	uint32_t waiting, left_out = count_left_out(m) + count_arriving(m);
	uint64_t bytes = set_aside(m, &waiting);

	for (uint32_t core = 0; core < m->peers; core++)
		if (m->peer[core].page.value != CAP_NULL.value)
			left_out += 3; /* its doorbell; its page, which is foreign, and the library's copy of that, which is mapped */
	/* Memory that has come from dead cores or gone to new ones since is nobody's gain or loss. */
	return (struct balance){m->ram.free + bytes + m->noted_total - m->ram.total,
	                        (uint32_t)platform_capabilities() - left_out - waiting - m->roots, m->connections};
}

void balance_note(struct monitor *m)
{
	if (m->balance_noted)
		return;
	m->balance_noted = true;
	m->noted_total = m->ram.total;
	m->before = balance_now(m);
}
