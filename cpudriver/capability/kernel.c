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

static bool is_here(const struct capabilities *c, const struct slot *object)
{
	const struct slot *s = database_not_before(c, object);

	return s && same_object(s, object);
}

/* Whether there is the dispatcher that a doorbell of this core's own would lead to. */
static bool has_dispatcher(const struct capabilities *c, const struct slot *doorbell)
{
	return is_here(c, &(const struct slot){.base = doorbell->base, .size = doorbell->size, .type = CAP_Dispatcher});
}

/* A copy of what is here already must say the same of it, or leave that open. New on this core are only objects that may cross. A
 * table that other cores wrote holds their addresses in its shadow, so it can't become this core's own by being installed; a doorbell that
 * comes home may find its dispatcher gone, and one that other cores know is here as long as they know it. */
static err_t installable(const struct capabilities *c, const struct slot *object, const struct slot *same)
{
	if (object->owner == OWNER_OF_COPIES)
		return same ? OK : ERR(STATE);
	if (!type_facts[object->type].crosses)
		return ERR(CAP_TYPE);
	if (same)
		return same->owner == object->owner ? OK : ERR(STATE);
	if (object->owner != c->core)
		return OK;
	if (is_table_type(object->type) || (object->type == CAP_Doorbell && !(is_free_doorbell(object) && has_dispatcher(c, object))))
		return ERR(STATE);
	return OK;
}

/* Doorbells of other cores name no memory here: what is there may change without anybody asking who has such a doorbell still. */
static uint64_t line_of(const struct capabilities *c, const struct slot *object)
{
	if (object->type != CAP_Doorbell || object->owner == c->core)
		return type_line((enum cap_type)object->type);
	if (object->owner == OWNER_OF_COPIES && is_here(c, object))
		return LINE_MEMORY;
	return is_free_doorbell(object) ? LINE_DOORBELLS : LINE_BELLS;
}

static err_t decode_object(const struct invocation *i, struct slot *object)
{
	uint64_t type = i->word[1] >> 8 & 0xff, rights = i->word[1] >> 16 & 0xffff, owner = i->word[1] >> 32;
	err_t e;

	if (type == CAP_Null || type >= CAP_TYPES || owner > UINT16_MAX || rights & ~(uint64_t)type_facts[type].rights)
		return ERR(ARGUMENT);
	if (i->word[4] && (type != CAP_Doorbell || i->word[4] > UINT16_MAX))
		return ERR(ARGUMENT);
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
	e = type_takes(is_free_doorbell(object) ? CAP_Dispatcher : (enum cap_type)type, i->word[2], i->word[3]);
	object->base |= line_of(i->caps, object);
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
	if (same) {
		dst->flags = same->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN);
		dst->owner = same->owner;
	}
	database_insert(i->caps, dst, next);
	return OK;
}

/* ---- surrender ---------------------------------------------------------------------------------- */

/* Of what lies in the object, more than this is not looked at: the answer is as if this core owned it. */
#define CONTENTS_MAX 256

/* Whether this core owns something that was made out of the object. */
static bool owns_contents(const struct capabilities *c, const struct slot *object)
{
	const struct slot *s = database_after(c, object);

	for (unsigned n = 0; s && s->base < slot_end(object); n++) {
		if (!(s->flags & CAP_FLAG_FOREIGN) || n == CONTENTS_MAX)
			return true;
		s = database_after(c, s);
	}
	return false;
}

/* W0 capability: the last copy here of an object that other cores know; another core owns it from now on. STATE if it has other
 * copies here, or nobody else could own it; OVERLAP if this core owns something that was derived from it; NEEDS_AGREEMENT if it is mapped
 * in a table that other cores use. */
err_t op_Kernel_surrender(struct invocation *i)
{
	struct slot *s;
	err_t e = named_slot(i, i->word[0], &s);

	if (is_err(e))
		return e;
	if (!(s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN)) || another_copy(s))
		return ERR(STATE);
	if (owns_contents(i->caps, s))
		return ERR(OVERLAP);
	if (is_mapped_remotely(s))
		return ERR(NEEDS_AGREEMENT);

	if (is_page_table(s) && !(s->flags & CAP_FLAG_FOREIGN))
		page_table_clear(i->caps, s);
	slot_leave(i->caps, s);
	flush_if_stale(i->caps);
	return OK;
}

/* ---- mark --------------------------------------------------------------------------------------- */

static bool is_marked(const struct slot *s, const struct slot *as)
{
	return (s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN)) == as->flags && s->owner == as->owner;
}

/* The first copy that says something else of the object. Copies agree, and those that have been marked already come first; new ones are
 * put beside a copy that says the same. */
static struct slot *first_unmarked(const struct capabilities *c, const struct slot *as)
{
	struct slot *n = c->root, *found = NULL;

	while (n) {
		if (object_before(n, as) || (same_object(n, as) && is_marked(n, as))) {
			n = n->right;
		} else {
			if (same_object(n, as))
				found = n;
			n = n->left;
		}
	}
	return found;
}

/* Whose a table's shadow is, and whom a doorbell wakes, doesn't change by a word. */
static bool may_be_owned_by(const struct capabilities *c, const struct slot *s, uint64_t owner)
{
	if (is_page_table(s))
		return (s->owner == c->core) == (owner == c->core);
	return s->type != CAP_Doorbell || s->owner == owner;
}

/* W0 capability, W1 CAP_FLAG_REMOTE or 0, W2 owner core: for every copy of the object here. AGAIN: repeat, before anything else is marked.
 */
err_t op_Kernel_mark(struct invocation *i)
{
	const uint64_t remote = i->word[1], owner = i->word[2];
	struct capabilities *c = i->caps;
	unsigned work = WORK_PER_CALL;
	struct slot *s, as;
	err_t e = named_slot(i, i->word[0], &s);

	if (is_err(e))
		return e;
	if (remote & ~(uint64_t)CAP_FLAG_REMOTE || owner >= OWNER_OF_COPIES || (remote && owner != c->core))
		return ERR(ARGUMENT);
	if (!type_facts[s->type].crosses)
		return ERR(CAP_TYPE);
	if (!may_be_owned_by(c, s, owner))
		return ERR(STATE);

	as = (struct slot){.base = s->base,
	                   .size = s->size,
	                   .type = s->type,
	                   .flags = (uint8_t)(remote | (owner == c->core ? 0 : CAP_FLAG_FOREIGN)),
	                   .owner = (uint16_t)owner};
	if (is_page_table(s) && owner == c->core)
		page_table_mark(s, remote);
	for (s = first_unmarked(c, &as); s && same_object(s, &as); s = database_next(s)) {
		if (!work--)
			return ERR(AGAIN);
		s->flags = (s->flags & (uint8_t) ~(CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN)) | as.flags;
		s->owner = as.owner;
	}
	return OK;
}

/* ---- sweep -------------------------------------------------------------------------------------- */

/* W0 capability, W1 SWEEP_*: as its revoke, but the other cores that know the object take part: it may go, and so may what they own in it.
 * What this core owns in it and others know stops it. Results as revoke. */
err_t op_Kernel_sweep(struct invocation *i)
{
	struct capabilities *c = i->caps;
	unsigned work = WORK_PER_CALL;
	struct slot *s;
	err_t e = named_slot(i, i->word[0], &s);

	if (is_err(e))
		return e;
	if (i->word[1] > SWEEP_SHARED_TABLES)
		return ERR(ARGUMENT);

	c->agreed = true;
	c->shared_tables = i->word[1] == SWEEP_SHARED_TABLES;
	e = slot_revoke(c, s, &work);
	c->agreed = c->shared_tables = false;
	return deletion_result(i, e);
}

/* ---- find --------------------------------------------------------------------------------------- */

/* Where to look, and what is known without looking. */
struct search {
	struct slot *first; /* the objects are those from here on */
	uint64_t base, end; /* that reach into this range */
	uint64_t answer;
};

static err_t decode_search(const struct invocation *i, struct search *f)
{
	const struct capabilities *c = i->caps;
	struct slot *s;
	err_t e;

	f->base = i->word[0];
	f->end = i->word[0] + i->word[1];
	if (i->word[2] == FIND_ANY) {
		f->first = database_first_reaching(c, 0);
		return OK;
	}
	e = named_slot(i, i->word[2], &s);
	if (is_err(e))
		return e;
	f->first = database_after(c, s);
	f->base += s->base & LINE_MASK;
	f->end += s->base & LINE_MASK;
	if (f->end > slot_end(s))
		f->end = slot_end(s);
	f->answer = another_copy(s) ? FIND_COPIES : 0;
	if (s->size && !same_object(database_first_reaching(c, slot_end(s) - 1), s))
		f->answer |= FIND_COVERED;
	return OK;
}

/* W0 base, W1 size of a range of memory (or of ports, interrupts), W2 capability or FIND_ANY -> V0 FIND_FOUND if any object that was made
 * out of that one's (FIND_ANY: any at all) overlaps the range, V1 base and V2 type of the first one; V0 also FIND_COPIES, FIND_COVERED.
 * AGAIN: repeat. */
err_t op_Kernel_find(struct invocation *i)
{
	uint64_t base = i->word[0], size = i->word[1];
	struct search f = {0};
	const struct slot *s;
	err_t e;

	if (!size || size > WINDOW_BYTES || base > WINDOW_BYTES - size)
		return ERR(ARGUMENT);
	e = decode_search(i, &f);
	if (is_err(e))
		return e;
	s = database_reaching(f.first, f.base);
	if (s && s->base < f.end) {
		if (i->caps->zombies)
			return deletions_first(i->caps); /* perhaps just the rest of a deletion */
		f.answer |= FIND_FOUND;
		i->value[1] = s->base;
		i->value[2] = s->type;
	}
	i->value[0] = f.answer;
	return OK;
}

/* ---- next --------------------------------------------------------------------------------------- */

/* W0 type | owner<<32, W1 base, W2 size of an object (type Null: of none) -> V0..V2 of the first one after it that another core owns, as
 * identify; or, so that no call takes long, of one before that. V0 0: there are no more. Doorbells that monitors hand around among
 * themselves are left out: nobody counts them. */
err_t op_Kernel_next(struct invocation *i)
{
	const struct capabilities *c = i->caps;
	const uint64_t type = i->word[0] & 0xff;
	struct slot object = {.type = (uint8_t)type, .size = i->word[2], .owner = (uint16_t)(i->word[0] >> 32)};
	const struct slot *s;

	if (type >= CAP_TYPES)
		return ERR(ARGUMENT);
	object.base = line_of(c, &object) | i->word[1];
	s = object.type == CAP_Null ? database_first_reaching(c, 0) : database_after(c, &object);
	for (unsigned n = 1; s && !(s->flags & CAP_FLAG_FOREIGN) && n < WORK_PER_CALL; n++)
		s = database_after(c, s);
	if (!s || s->base >= LINE_DOORBELLS)
		return OK;
	i->value[0] = plain_type(s->type) | (uint64_t)s->rights << 8 |
	              (uint64_t)(s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN | CAP_FLAG_MAPPED)) << 16 | (uint64_t)s->owner << 32;
	i->value[1] = slot_number(s);
	i->value[2] = s->size;
	return OK;
}

/* ---- flush -------------------------------------------------------------------------------------- */

err_t op_Kernel_flush(struct invocation *i)
{
	(void)i;
	tlb_flush_all();
	return OK;
}
