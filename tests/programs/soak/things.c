/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/programs/soak/things.h"

static struct thing things[HELD_MAX];
static struct mutex lock;

static bool is_there(cap_t cap, struct cap_identity *id)
{
	return is_ok(cap_identify(cap, id)) && id->type != CAP_Null;
}

static void unmap(struct thing *t)
{
	if (t->at != NULL)
		(void)!is_ok(frame_unmap(t->at));
	t->at = NULL;
}

/* Too much may be under way (LIMIT), or a core has just died. */
bool thing_empty(cap_t cap)
{
	struct cap_identity id;

	for (unsigned tries = 0; is_there(cap, &id) && tries < 200; tries++)
		if (is_err(cap_delete(cap)))
			sleep_us(1000);
	return !is_there(cap, &id);
}

void thing_discard(cap_t cap)
{
	if (thing_empty(cap))
		cap_slot_free(cap);
}

/* Nobody else may have it: it is busy. */
static void drop(struct thing *t)
{
	unmap(t);
	if (!t->inside)
		cap_slot_free(t->cap);
	*t = (struct thing){.used = false};
}

static struct thing *pick(struct random *r)
{
	const unsigned first = (unsigned)draw(r, HELD_MAX);
	struct thing *t = NULL;

	mutex_lock(&lock);
	for (unsigned i = 0; i < HELD_MAX && t == NULL; i++) {
		struct thing *candidate = &things[(first + i) % HELD_MAX];

		if (candidate->used && !candidate->busy)
			t = candidate;
	}
	if (t != NULL)
		t->busy = true;
	mutex_unlock(&lock);
	return t;
}

struct thing *thing_take(struct random *r, unsigned types, unsigned rights, struct cap_identity *id)
{
	for (unsigned tries = 0; tries < 8; tries++) {
		struct thing *t = pick(r);

		if (t == NULL)
			return NULL;
		if (is_there(t->cap, id) && (types == 0 || (types >> id->type & 1)) && (id->rights & rights) == rights)
			return t;
		thing_put(t);
	}
	return NULL;
}

void thing_put(struct thing *t)
{
	struct cap_identity id;

	if (!is_there(t->cap, &id))
		drop(t);
	else
		t->busy = false;
}

bool thing_add(cap_t cap, bool inside)
{
	bool added = false;

	mutex_lock(&lock);
	for (unsigned i = 0; i < HELD_MAX && !added; i++)
		if (!things[i].used) {
			things[i] = (struct thing){.used = true, .inside = inside, .cap = cap};
			added = true;
		}
	mutex_unlock(&lock);
	return added;
}

bool thing_at(cap_t cap)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (things[i].used && things[i].cap.value == cap.value)
			return true;
	return false;
}

unsigned thing_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HELD_MAX; i++)
		count += things[i].used;
	return count;
}

/* Whether its slots can be reached. */
static bool is_open(const struct cap_identity *cnode)
{
	struct cap_identity id;

	for (unsigned i = 0; i < HELD_MAX; i++)
		if (things[i].used && things[i].cap.value >> 8 == ROOT_SELF && is_there(things[i].cap, &id) && id.base == cnode->base)
			return true;
	return false;
}

bool thing_look(unsigned index, struct cap_identity *id)
{
	if (index >= HELD_MAX || !things[index].used || !is_there(things[index].cap, id))
		return false;
	if (id->type == CAP_CNode && !is_open(id))
		id->flags |= HELD_CLOSED;
	return true;
}

/* A mapping is by a copy of the library's, which nobody would count. */
void things_unmap(void)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (things[i].used)
			unmap(&things[i]);
}

bool things_keep_the_last(void)
{
	struct cap_identity id;

	for (unsigned i = 0; i < HELD_MAX; i++)
		if (things[i].used && is_there(things[i].cap, &id) && id.type == CAP_CNode &&
		    err_is(cap_delete(things[i].cap), ERR_NUMBER_LAST_COPY))
			return true;
	return false;
}

/* What can't be thrown away, because a core died and this is all that is left of that memory, goes when the domain ends. */
void things_give_back(void)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (things[i].used) {
			unmap(&things[i]);
			(void)thing_empty(things[i].cap);
			thing_put(&things[i]);
		}
}
