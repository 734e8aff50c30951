/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* retype: makes new objects out of a part of one.
 *
 * The part must hold nothing that is alive: neither something derived through this capability nor through any other copy. Frames keep
 * what was in the memory (whoever gives memory to somebody else clears it first); objects of the CPU driver start as zero.
 *
 * A dispatcher is a source too: of the frame that it shares with its domain, of endpoints and of its doorbells. These are the
 * dispatcher itself seen from somewhere, so there may be any number of them, with its range or with a part of it. Each numbered doorbell is
 * an object of its own, so that what one was given for can be revoked without the others. */

#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/capability/arguments.h"
#include "cpudriver/capability/database.h"
#include "cpudriver/capability/delete.h"
#include "cpudriver/capability/nesting.h"
#include "cpudriver/capability/paging.h"
#include "cpudriver/capability/types.h"

/* What is going to be made: `count` objects, each `step` after the one before. */
struct plan {
	struct slot object; /* the first */
	uint64_t count, step;
	struct slot *next; /* what follows them in the database */
};

static void clear(paddr_t memory, uint64_t bytes)
{
	uint64_t *word = window(memory);

	for (uint64_t k = 0; k < bytes / sizeof *word; k++)
		word[k] = 0;
}

/* The memory of a new object becomes what its type needs. */
static void begin_object(const struct slot *s)
{
	if (is_page_table(s)) {
		page_table_begin(PADDR(s->base), table_level(s));
	} else if (s->type == CAP_CNode) {
		clear(PADDR(s->base), s->size);
	} else if (s->type == CAP_Dispatcher) {
		clear(PADDR(s->base), s->size);
		dispatcher_begin(PADDR(s->base));
	}
}

/* ---- Decode ------------------------------------------------------------------------------------- */

static err_t plan_part(const struct capabilities *c, const struct retype *r, struct plan *p)
{
	const struct type_facts *facts = &type_facts[r->type];
	const struct slot *source = r->source;
	uint64_t bytes = facts->bytes ? facts->bytes : r->bytes, total;
	struct slot *after;

	if (facts->bytes && r->bytes && r->bytes != facts->bytes)
		return ERR(ARGUMENT);
	if (r->offset % facts->alignment || bytes % facts->alignment)
		return ERR(ALIGNMENT);
	if (!bytes)
		return ERR(ARGUMENT);
	if (r->offset > source->size || bytes > source->size)
		return ERR(RANGE);
	total = r->count * bytes; /* no overflow: at most CNODE_SLOTS times the largest size, WINDOW_BYTES */
	if (total > source->size - r->offset)
		return ERR(RANGE);

	p->object.base = source->base + r->offset;
	p->object.size = p->step = bytes;
	after = database_next(source);
	if (after && same_object(after, source))
		after = database_after(c, source);
	p->next = database_reaching(after, p->object.base);
	return p->next && p->next->base < p->object.base + total ? ERR(OVERLAP) : OK;
}

/* What W3 may be. */
static uint64_t highest_number(enum cap_type type)
{
	if (type == CAP_Endpoint)
		return UINT64_MAX;
	return type == CAP_Doorbell ? DOORBELLS : 0;
}

static err_t plan_doorbell(const struct retype *r, struct slot *object)
{
	err_t e = dispatcher_doorbell_index(PADDR(r->source->base), &object->extra);

	object->cursor = (uint16_t)object->extra;
	if (r->offset) {
		object->base += (r->offset - 1) * PAGE_BYTES;
		object->size = PAGE_BYTES;
	} else {
		object->rights &= (uint8_t)~RIGHT_CONTROL;
	}
	return e;
}
_Static_assert(DOORBELLS *PAGE_BYTES <= DISPATCHER_SHARED_OFFSET, "none lies in the frame");

static err_t plan_of_dispatcher(const struct capabilities *c, const struct retype *r, struct plan *p)
{
	const struct slot *source = r->source;
	err_t e = OK;

	if (r->bytes || r->offset > highest_number(r->type))
		return ERR(ARGUMENT);
	p->object.base = source->base;
	p->object.size = source->size;
	p->step = 0;
	if (r->type == CAP_Frame) {
		p->object.base += DISPATCHER_SHARED_OFFSET;
		p->object.size = DISPATCHER_SHARED_BYTES;
	} else if (r->type == CAP_Endpoint) {
		p->object.extra = r->offset; /* the badge */
		p->object.cursor = (uint16_t)r->offset;
	} else {
		e = plan_doorbell(r, &p->object);
	}
	p->next = database_after(c, &p->object);
	return e;
}

static err_t plan(const struct capabilities *c, const struct retype *r, struct plan *p)
{
	const struct slot *source = r->source;

	if (r->type == CAP_Null || r->type >= CAP_TYPES)
		return ERR(ARGUMENT);
	if (!(type_facts[r->type].sources & TYPE_BIT(source->type)))
		return ERR(RETYPE);
	if (source->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN) && !r->agreed)
		return ERR(NEEDS_AGREEMENT);
	p->object = (struct slot){
	    .type = (uint8_t)r->type,
	    .rights = source->rights & type_facts[r->type].rights,
	    .owner = c->core,
	};
	p->count = r->count;
	return source->type == CAP_Dispatcher ? plan_of_dispatcher(c, r, p) : plan_part(c, r, p);
}

/* ---- Act ---------------------------------------------------------------------------------------- */

static void place(struct capabilities *c, struct slot *s, const struct slot *object, uint64_t base, struct slot *next)
{
	*s = *object;
	s->base = base;
	begin_object(s);
	database_insert(c, s, next);
}

err_t slot_retype(struct capabilities *c, const struct retype *r)
{
	struct plan p;
	err_t e = plan(c, r, &p);

	if (err_is(e, ERR_NUMBER_OVERLAP) && c->zombies)
		return deletions_first(c); /* perhaps just the rest of a deletion */
	if (is_err(e))
		return e;

	if (same_object(&p.object, r->source)) {
		/* all of it, as what it is: a further copy, and whose it is does not change */
		slot_copy(c, r->source, r->first, RIGHTS(RIGHTS_ALL));
		return OK;
	}
	for (uint64_t k = 0; k < p.count; k++)
		place(c, &r->first[k], &p.object, p.object.base + k * p.step, p.next);
	return OK;
}

/* retype   W0 CNode, W1 first slot, W2 type | count<<8, W3 offset in the source, W4 bytes of one object (types of one size: that or 0)
 *          of a dispatcher: W3 the badge for an Endpoint, the number of a Doorbell (0: of all of it), else 0, W4 0 */
err_t op_Any_retype(struct invocation *i)
{
	struct retype r = {
	    .source = i->self,
	    .type = i->word[2] & 0xff,
	    .count = i->word[2] >> 8,
	    .offset = i->word[3],
	    .bytes = i->word[4],
	};
	err_t e = destinations(i, i->word[0], i->word[1], r.count, &r.first);

	return is_err(e) ? e : slot_retype(i->caps, &r);
}

/* Kernel.retype   W0 capability, W1 CNode, W2 first slot | type<<8 | count<<16, W3 offset in the source, W4 bytes of one object */
err_t op_Kernel_retype(struct invocation *i)
{
	struct retype r = {
	    .type = i->word[2] >> 8 & 0xff,
	    .count = i->word[2] >> 16,
	    .offset = i->word[3],
	    .bytes = i->word[4],
	    .agreed = true,
	};
	err_t e = named_slot(i, i->word[0], &r.source);

	if (is_ok(e) && !(r.source->rights & RIGHT_CONTROL))
		e = ERR(CAP_RIGHTS);
	if (is_ok(e))
		e = destinations(i, i->word[1], i->word[2] & 0xff, r.count, &r.first);
	return is_err(e) ? e : slot_retype(i->caps, &r);
}

err_t slot_make(struct capabilities *c, struct slot *slot, enum cap_type type, uint64_t number, uint64_t size, rights_t rights)
{
	const struct slot object = {
	    .base = type_line(type) | number,
	    .size = size,
	    .type = (uint8_t)type,
	    .rights = rights.bits & type_facts[type].rights,
	    .owner = c->core,
	};
	struct slot *next, *same;
	err_t e = type_takes(type, number, size);

	if (is_ok(e))
		e = nesting_place(c, &object, &next, &same);
	if (is_ok(e) && same)
		e = ERR(OVERLAP);
	if (is_err(e))
		return e;

	place(c, slot, &object, object.base, next);
	return OK;
}
