/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/objects.h"

#include "cpudriver/capability/database.h"
#include "cpudriver/capability/types.h"
#include "tests/explore/invariants.h"

void merge_begin(struct merge *m)
{
	for (unsigned c = 0; c < world.cores; c++)
		m->next[c] = world.core[c].dead ? NULL : first_slot(&world.core[c]);
}

static const struct slot *merge_first(const struct merge *m)
{
	const struct slot *first = NULL;

	for (unsigned c = 0; c < world.cores; c++)
		if (m->next[c] && (!first || object_before(m->next[c], first)))
			first = m->next[c];
	return first;
}

static void add_slot(struct object_view *v, unsigned core, const struct slot *s)
{
	const cores_t bit = (cores_t)1 << core;

	if (!(v->holders & bit))
		v->remote |= bit;
	v->holders |= bit;
	if (!(s->flags & CAP_FLAG_REMOTE))
		v->remote &= ~bit;
	if (s->owner == core) {
		v->owners |= bit;
		return;
	}
	if (v->named != CORES_MAX && v->named != s->owner)
		v->named_differently = true;
	v->named = s->owner;
}

bool merge_next(struct merge *m, struct object_view *v)
{
	const struct slot *first = merge_first(m);

	look_at(NULL);
	if (!first || first->base & LINE_MASK)
		return false;
	*v = (struct object_view){.base = first->base, .end = slot_end(first), .type = plain_type(first->type), .named = CORES_MAX};
	look_at(&(struct object){.base = first->base, .size = first->size, .type = v->type});
	for (unsigned c = 0; c < world.cores; c++)
		for (; m->next[c] && same_object(m->next[c], first); m->next[c] = database_next(m->next[c]))
			add_slot(v, c, m->next[c]);
	return true;
}

const struct shared *entry_of(const struct core *c, const struct object_view *v)
{
	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *s = &c->agreement.shared[k];

		if (s->object.type == v->type && s->object.base == v->base && s->object.base + s->object.size == v->end)
			return s;
	}
	return NULL;
}

bool is_shareable(const struct object_view *v)
{
	return type_facts[v->type].crosses && v->type != CAP_Doorbell;
}
