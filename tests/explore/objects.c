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

/* ---- Doorbells ---------------------------------------------------------------------------------- */

struct slot plain(const struct slot *s)
{
	struct slot p = *s;

	if (s->type == CAP_Doorbell)
		p.base = slot_number(s);
	return p;
}

static bool is_foreign_bell(const struct slot *s)
{
	return (s->base & LINE_MASK) == LINE_BELLS;
}

static bool owner_has_bell(const struct slot *bell)
{
	const struct core *owner = &world.core[bell->owner < world.cores ? bell->owner : 0];
	const struct slot object = plain(bell), *s = owner->dead ? NULL : database_not_before(&owner->caps, &object);

	return s && same_object(s, &object);
}

static void add_foreign_bells(struct object_view *v, const struct slot *bell)
{
	for (unsigned c = 0; c < world.cores; c++)
		for (const struct slot *s = world.core[c].dead ? NULL : first_slot(&world.core[c]); s; s = database_next(s))
			if (is_foreign_bell(s) && slot_number(s) == bell->base && s->size == bell->size)
				add_slot(v, c, s);
}

/* ---- All ---------------------------------------------------------------------------------------- */

/* What is not memory is passed over, and doorbells that were counted with their owners'. */
static bool is_object_of_its_own(const struct slot *s)
{
	return !(s->base & LINE_MASK) || (is_foreign_bell(s) && !owner_has_bell(s));
}

static const struct slot *merge_first_object(struct merge *m)
{
	const struct slot *first = merge_first(m);

	while (first && !is_object_of_its_own(first)) {
		for (unsigned c = 0; c < world.cores; c++)
			while (m->next[c] && same_object(m->next[c], first))
				m->next[c] = database_next(m->next[c]);
		first = merge_first(m);
	}
	return first;
}

bool merge_next(struct merge *m, struct object_view *v)
{
	const struct slot *first;

	look_at(NULL);
	first = merge_first_object(m);
	if (!first)
		return false;
	*v = (struct object_view){.base = slot_number(first),
	                          .end = slot_number(first) + first->size,
	                          .type = plain_type(first->type),
	                          .named = CORES_MAX,
	                          .astray = first->base & LINE_MASK};
	look_at(&(struct object){.base = v->base, .size = first->size, .type = v->type});
	for (unsigned c = 0; c < world.cores; c++)
		for (; m->next[c] && same_object(m->next[c], first); m->next[c] = database_next(m->next[c]))
			add_slot(v, c, m->next[c]);
	if (v->type == CAP_Doorbell && !v->astray)
		add_foreign_bells(v, first);
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
	return agreement_shares(v->type, v->end - v->base);
}
