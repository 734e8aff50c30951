/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The operations of Kernel on the database: with these a monitor carries out what the monitors of several cores agreed on. They check
 * what this core needs to stay consistent; whether the other cores agree is the monitor's word. */

#include "cpudriver/capability/arguments.h"
#include "cpudriver/capability/database.h"
#include "cpudriver/capability/delete.h"
#include "cpudriver/capability/nesting.h"
#include "cpudriver/capability/paging.h"
#include "cpudriver/capability/types.h"

static bool is_table_type(enum cap_type type)
{
	return type >= CAP_PageTable1 && type <= CAP_PageTable4;
}

/* ---- install ------------------------------------------------------------------------------------ */

/* A copy of what is here already must say the same of it; new on this core are only objects that may cross. A table that other cores
 * wrote holds their addresses in its shadow, so it can't become this core's own by being installed. */
static err_t installable(const struct capabilities *c, const struct slot *object, const struct slot *same)
{
	if (!type_facts[object->type].crosses)
		return ERR(CAP_TYPE);
	if (same)
		return same->owner == object->owner ? OK : ERR(STATE);
	if (is_table_type(object->type) && object->owner == c->core)
		return ERR(STATE);
	return OK;
}

static err_t decode_object(const struct invocation *i, struct slot *object)
{
	uint64_t type = i->word[1] >> 8 & 0xff, rights = i->word[1] >> 16 & 0xffff, owner = i->word[1] >> 32;
	err_t e;

	if (type == CAP_Null || type >= CAP_TYPES || owner > UINT16_MAX || rights & ~(uint64_t)type_facts[type].rights)
		return ERR(ARGUMENT);
	if (i->word[4] && (type != CAP_Doorbell || i->word[4] > UINT16_MAX))
		return ERR(ARGUMENT);
	/* a doorbell has its dispatcher's range */
	e = type_takes(type == CAP_Doorbell ? CAP_Dispatcher : (enum cap_type)type, i->word[2], i->word[3]);
	*object = (struct slot){
	    .base = i->word[2],
	    .size = i->word[3],
	    .type = (uint8_t)type,
	    .rights = (uint8_t)rights,
	    .flags = owner == i->caps->core ? 0 : CAP_FLAG_FOREIGN,
	    .owner = (uint16_t)owner,
	    .cursor = (uint16_t)i->word[4],
	    .extra = i->word[4],
	};
	return e;
}

/* W0 CNode, W1 slot | type<<8 | rights<<16 | owner<<32, W2 base, W3 size, W4 extra: the index of a Doorbell, else 0 */
err_t op_Kernel_install(struct invocation *i)
{
	struct slot object, *dst, *next, *same;
	err_t e = destination(i, i->word[0], i->word[1] & 0xff, &dst);

	if (is_ok(e))
		e = decode_object(i, &object);
	if (is_ok(e))
		e = nesting_place(i->caps, &object, &next, &same);
	if (is_ok(e))
		e = installable(i->caps, &object, same);
	if (is_err(e))
		return e;

	*dst = object;
	if (same)
		dst->flags = same->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN);
	database_insert(i->caps, dst, next);
	return OK;
}

/* ---- surrender ---------------------------------------------------------------------------------- */

/* W0 capability: the last copy here of an object that other cores know; another core owns it from now on. STATE if it has other
 * copies here, or nobody else could own it; OVERLAP if this core owns something that was derived from it. */
err_t op_Kernel_surrender(struct invocation *i)
{
	struct slot *s, *d;
	err_t e = named_slot(i, i->word[0], &s);

	if (is_err(e))
		return e;
	if (!(s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN)) || another_copy(s))
		return ERR(STATE);
	d = last_descendant(i->caps, s);
	if (d && !(s->flags & CAP_FLAG_FOREIGN))
		return ERR(OVERLAP);

	if (is_page_table(s) && !(s->flags & CAP_FLAG_FOREIGN))
		page_table_clear(i->caps, s);
	slot_leave(i->caps, s);
	flush_if_stale(i->caps);
	return OK;
}

/* ---- mark --------------------------------------------------------------------------------------- */

/* W0 capability, W1 CAP_FLAG_REMOTE or 0, W2 owner core: for every copy of the object here. AGAIN: repeat. */
err_t op_Kernel_mark(struct invocation *i)
{
	const uint64_t remote = i->word[1], owner = i->word[2];
	struct capabilities *c = i->caps;
	unsigned work = WORK_PER_CALL;
	struct slot *s;
	uint8_t flags;
	err_t e = named_slot(i, i->word[0], &s);

	if (is_err(e))
		return e;
	if (remote & ~(uint64_t)CAP_FLAG_REMOTE || owner > UINT16_MAX || (remote && owner != c->core))
		return ERR(ARGUMENT);
	if (!type_facts[s->type].crosses)
		return ERR(CAP_TYPE);
	if (is_page_table(s) && (s->owner == c->core) != (owner == c->core))
		return ERR(STATE); /* whose the shadow is doesn't change by a word */

	flags = (uint8_t)(remote | (owner == c->core ? 0 : CAP_FLAG_FOREIGN));
	if (is_page_table(s) && owner == c->core)
		page_table_mark(s, remote);
	const struct slot object = *s;

	for (s = database_not_before(c, &object); s && same_object(s, &object); s = database_next(s)) {
		uint8_t marked = (s->flags & (uint8_t) ~(CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN)) | flags;

		if (s->flags == marked && s->owner == owner)
			continue;
		if (!work--)
			return ERR(AGAIN);
		s->flags = marked;
		s->owner = (uint16_t)owner;
	}
	return OK;
}

/* ---- sweep -------------------------------------------------------------------------------------- */

/* W0 capability: as its revoke, but whoever owns the object and its descendants has agreed. Results as revoke. */
err_t op_Kernel_sweep(struct invocation *i)
{
	struct capabilities *c = i->caps;
	unsigned work = WORK_PER_CALL;
	struct slot *s;
	err_t e = named_slot(i, i->word[0], &s);

	if (is_err(e))
		return e;

	c->agreed_base = s->base;
	c->agreed_end = slot_end(s);
	e = slot_revoke(c, s, &work);
	c->agreed_base = c->agreed_end = 0;
	return deletion_result(i, e);
}

/* ---- find --------------------------------------------------------------------------------------- */

/* W0 base, W1 size of a range of memory -> V0 1 if any object overlaps it, V1 base and V2 type of the first one */
err_t op_Kernel_find(struct invocation *i)
{
	uint64_t base = i->word[0], size = i->word[1];
	const struct slot *s;

	if (!size || size > WINDOW_BYTES || base > WINDOW_BYTES - size)
		return ERR(ARGUMENT);

	s = database_first_reaching(i->caps, base);
	if (!s || s->base >= base + size)
		return OK;
	i->value[0] = 1;
	i->value[1] = s->base;
	i->value[2] = plain_type(s->type);
	return OK;
}
