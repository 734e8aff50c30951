/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What must hold in every state is checked in one pass over all objects: a stack of those around the present one is all that has to be
 * remembered. */

#include "tests/explore/invariants.h"

#include "tests/explore/objects.h"

#include "cpudriver/capability/database.h"
#include "cpudriver/capability/types.h"

enum invariant broken;
struct object broken_about;

static struct object about; /* what is being looked at */

void look_at(const struct object *o)
{
	about = o ? *o : (struct object){.type = CAP_Null};
}

void break_invariant(enum invariant i)
{
	if (broken)
		return;
	broken = i;
	broken_about = about;
}

static const struct {
	const char *name, *sentence;
} text[] = {[INVARIANT_NONE] = {"", ""},
#define INVARIANT(name, sentence) [INVARIANT_##name] = {#name, sentence},
            INVARIANTS
#undef INVARIANT
};

const char *invariant_name(enum invariant i)
{
	return text[i].name;
}

const char *invariant_sentence(enum invariant i)
{
	return text[i].sentence;
}

/* ---- In every state ----------------------------------------------------------------------------- */

#define FOR_EACH_OF(core, set)                                                                                                             \
	for (unsigned core = 0; core < world.cores; core++)                                                                                \
		if ((set) >> core & 1)

static void check_owners(const struct object_view *v)
{
	if ((v->owners & (v->owners - 1)) == 0)
		return;
	FOR_EACH_OF(giver, v->owners)
	{
		const struct shared *s = entry_of(&world.core[giver], v);

		if (s && s->moving_to && v->owners == ((cores_t)1 << giver | (cores_t)1 << (s->moving_to - 1)))
			return;
	}
	BREAK(single_owner);
}

/* A sweep has a capability to what it sweeps, even if it then finds that the core has no other. */
static bool is_swept_with(const struct core *c, const struct slot *s)
{
	for (unsigned k = 0; k < OPERATIONS_MAX && is_in_monitor(c, s); k++) {
		const struct operation *op = &c->agreement.operation[k];

		if (op->kind == OPERATION_HOLDER && op->cap.value != CAP_NULL.value && monitor_slot(c, op->cap) == s)
			return true;
	}
	return false;
}

static bool has_but_to_sweep(const struct core *c, const struct object_view *v)
{
	const struct slot object = {.base = v->base, .size = v->end - v->base, .type = (uint8_t)v->type};

	for (const struct slot *s = database_not_before(&c->caps, &object); s && same_object(s, &object); s = database_next(s))
		if (!is_swept_with(c, s))
			return true;
	return false;
}

/* For a moment nobody says that it is the owner: when a revoke has given the object to its caller, the only one who has it. */
static void check_holders(const struct object_view *v)
{
	cores_t known = v->owners;

	if ((v->holders & (v->holders - 1)) == 0)
		return;
	FOR_EACH_OF(owner, v->owners)
	{
		const struct shared *s = entry_of(&world.core[owner], v);

		if (s)
			known |= (cores_t)s->holders.word[0];
		if (!(v->remote >> owner & 1))
			BREAK(holders);
	}
	FOR_EACH_OF(core, v->holders & ~known)
	if (has_but_to_sweep(&world.core[core], v))
		BREAK(holders);
}

#define DEPTH 32

struct around {
	struct object_view object[DEPTH];
	unsigned depth;
};

static void check_place(struct around *a, const struct object_view *v, bool settled)
{
	while (a->depth && a->object[a->depth - 1].end <= v->base)
		a->depth--;
	if (a->depth) {
		const struct object_view *outer = &a->object[a->depth - 1];

		if (v->end > outer->end || !(type_ancestors(v->type) & TYPE_BIT(outer->type)))
			BREAK(nesting);
		if (settled && v->owners & ~outer->holders)
			BREAK(ancestors);
	}
	if (v->type != CAP_Endpoint && v->type != CAP_Doorbell && a->depth < DEPTH)
		a->object[a->depth++] = *v;
}

/* Memory that only a dead core had is not the agreement's to bring back. */
static void check_memory(const struct object_view *v, uint64_t *covered)
{
	unsigned core;

	while ((core = (unsigned)(*covered / CORE_BYTES)) < world.cores) {
		const uint64_t first = managed_page(core, 0).value;

		if (*covered < first)
			*covered = first;
		if (v->base > *covered && world.died == 0)
			BREAK(memory);
		if (v->end <= *covered)
			return;
		*covered = v->end;
		if (v->end < first + MANAGED_PAGES * PAGE_BYTES)
			return;
		*covered = (core + 1) * CORE_BYTES;
	}
}

/* Between a death and the end of the settlement owners may be missing. */
static bool is_settled(void)
{
	for (unsigned c = 0; c < world.cores; c++)
		if (!world.core[c].dead && (world.core[c].view != world.view || world.core[c].agreement.changing))
			return false;
	return true;
}

void check_state(void)
{
	const bool settled = is_settled();
	struct around around = {.depth = 0};
	struct object_view v;
	uint64_t covered = 0;
	struct merge m;

	merge_begin(&m);
	while (merge_next(&m, &v)) {
		if (is_shareable(&v)) {
			check_owners(&v);
			if (settled)
				check_holders(&v);
		}
		if (!v.astray)
			check_place(&around, &v, settled);
		if (v.base % CORE_BYTES >= MANAGED)
			check_memory(&v, &covered);
	}
	check_memory(&(struct object_view){.base = world.cores * CORE_BYTES, .end = world.cores * CORE_BYTES}, &covered);
	for (unsigned c = 0; c < world.cores; c++)
		if (world.died == 0 && world.core[c].agreement.statistics.refused)
			BREAK(refused);
}
