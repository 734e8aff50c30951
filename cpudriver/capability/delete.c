/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Deleting and revoking.
 *
 * To delete a capability that has other copies on this core is to empty its slot. The last copy decides about the object:
 *
 *   Endpoint, Doorbell          the slot is emptied
 *   RAM, DeviceFrame, IoPorts,  likewise if a larger object of the kind covers the range; if none does, LAST_COPY: memory and
 *   Interrupt, Kernel           hardware are never lost
 *   Frame, PageTable            its mappings end, then as below
 *   CNode, Dispatcher           first everything in it goes, see below
 *
 * An object whose range is covered by another one leaves its slot empty: its memory can be retyped again from there. One that is not
 * covered owned its memory, and the slot then holds that as RAM. Memory of the CPU driver's own objects is cleared when they end.
 *
 * Other cores: the last copy here of what they know (REMOTE) or own (FOREIGN) answers NEEDS_AGREEMENT, so that monitors can keep count of
 * who holds what. So does a copy that is mapped in a page table that is REMOTE, because of the other cores' TLBs. Doorbells of
 * all of a dispatcher are exempt: monitors install them where they are needed without counting, and one that leads to nobody is harmless.
 * Kernel.sweep, which is one core's part of a revoke that all have agreed on, exempts
 * the swept object itself and what is FOREIGN in it: its owner is told to sweep too. What this core owns in there, and others know, was not
 * spoken of: it stops the sweep, until the monitor has had it revoked everywhere.
 *
 * Nothing here recurses, and no call deletes more than WORK_PER_CALL slots. A CNode (or a dispatcher, for its bindings) whose last
 * copy goes becomes a *zombie*: no address leads into it any more, and it stands on top of a stack, linked through `extra`. Work is
 * always done on the top: its next slot is deleted, which may put another zombie above it. When all its slots are empty, its memory
 * is cleared and it leaves the stack. Whoever repeats a call after AGAIN, or deletes something else, goes on at the top.
 *
 *   slot ─▶ zombie A ─▶ slot k: zombie B ─▶ slot j: a Frame, deleted next
 *           stack: B on A
 *
 * CNodes may hold each other in a circle: the top then finds one of the zombies below it in its own slots. The two exchange places.
 * The former top now holds its own last copy, which does not count when it is cleared, and the other one is on top and
 * reachable. Each exchange makes one more zombie hold itself, so this ends.
 *
 * If something can't be deleted (LAST_COPY, NEEDS_AGREEMENT), the zombies above and including the one that a call began with (its
 * *chain*) become what they were, so that the caller can move the obstacle out of the way; its range is told in the results. A
 * caller that can't reach it (a monitor that revokes RAM) installs a copy elsewhere (Kernel.install) and repeats. */

#include "cpudriver/capability/delete.h"

#include "cpudriver/capability/arguments.h"
#include "cpudriver/capability/database.h"
#include "cpudriver/capability/paging.h"
#include "cpudriver/capability/types.h"

static bool is_one_of(const struct slot *s, unsigned types)
{
	return (TYPE_BIT(s->type) & types) != 0;
}

#define NAMES (TYPE_BIT(CAP_Endpoint) | TYPE_BIT(CAP_Doorbell))
#define STAYS (TYPE_BIT(CAP_RAM) | TYPE_BIT(CAP_DeviceFrame) | TYPE_BIT(CAP_IoPorts) | TYPE_BIT(CAP_Interrupt) | TYPE_BIT(CAP_Kernel))
#define HOLDS (TYPE_BIT(CAP_CNode) | TYPE_BIT(CAP_Dispatcher))

/* ---- One copy ----------------------------------------------------------------------------------- */

void slot_leave(struct capabilities *c, struct slot *s)
{
	if (s->flags & CAP_FLAG_MAPPED)
		unmap_later(c, s);
	if (s->type == CAP_Interrupt && s->extra)
		interrupt_binding_lost(s);
	database_remove(c, s);
	*s = (struct slot){0};
}

static void become_ram(struct capabilities *c, struct slot *s)
{
	if (s->flags & CAP_FLAG_MAPPED)
		unmap_later(c, s);
	/* of all objects with this range only this copy is left, so its place in the database stays right */
	s->type = CAP_RAM;
	s->rights = RIGHTS_ALL;
	s->flags = 0;
	s->cursor = 0;
	s->extra = 0;
}

static err_t stopped_by(struct capabilities *c, const struct slot *s, err_t why)
{
	c->obstacle.type = plain_type(s->type);
	c->obstacle.base = slot_number(s);
	c->obstacle.size = s->size;
	return why;
}

/* Whether this call is a revoke and the slot's object is the revoked one or lies in it. */
static bool is_victim(const struct capabilities *c, const struct slot *s)
{
	const struct slot *r = c->revoked;

	return r && s->base >= r->base && slot_end(s) <= slot_end(r);
}

/* ---- The last copy ------------------------------------------------------------------------------ */

static bool is_agreed(const struct capabilities *c, const struct slot *s)
{
	return c->agreed && is_victim(c, s) && (s->flags & CAP_FLAG_FOREIGN || same_object(s, c->revoked));
}

/* Why a last copy must stay. */
static err_t obstacle(const struct capabilities *c, const struct slot *s, bool covered)
{
	if (s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN) && !is_free_doorbell(s) && !is_agreed(c, s))
		return ERR(NEEDS_AGREEMENT);
	if (covered || s->flags & CAP_FLAG_FOREIGN || is_one_of(s, NAMES))
		return OK;
	if (is_one_of(s, STAYS) || s->flags & SLOT_EMBEDDED)
		return ERR(LAST_COPY);
	return OK;
}

/* The table that a slot is mapped in. */
static const struct slot *table_of(const struct capabilities *c, const struct slot *s)
{
	const struct slot lowest = {.base = mapped_in(s).value, .size = PAGE_TABLE_BYTES, .type = CAP_PageTable1};

	return database_not_before(c, &lowest);
}

static bool may_not_unmap(const struct capabilities *c, const struct slot *s)
{
	return is_mapped_remotely(s) && !c->shared_tables;
}

static void become_zombie(struct capabilities *c, struct slot *s)
{
	if (s->type == CAP_Dispatcher)
		dispatcher_end(PADDR(s->base));
	s->type += CAP_ZOMBIE_CNODE - CAP_CNode;
	s->cursor = 0;
	s->extra = (uintptr_t)c->zombies;
	c->zombies = s;
}

/* Descendants go before the object does; a covered one's live on under what covers it, except a dispatcher's. */
static struct slot *first_to_go(const struct capabilities *c, const struct slot *s, bool owns)
{
	if (s->type == CAP_Dispatcher || (s->type == CAP_Frame && owns))
		return last_descendant(c, s);
	return NULL;
}

/* The slot's mapping is in a table that other cores use. What lies in the revoked range may go with it, because whoever revokes keeps the
 * range itself until they have flushed. Anything else could be used for something new at once: its mapping ends, but it stays until the
 * caller has had the others flush, and repeats the call. */
static __attribute__((noinline)) err_t stopped_by_mapping(struct capabilities *c, struct slot *s)
{
	const struct slot *table = table_of(c, s);

	if (c->shared_tables)
		unmap_later(c, s);
	return stopped_by(c, table, ERR(NEEDS_AGREEMENT));
}

static bool is_held_by_mapping(const struct capabilities *c, const struct slot *s)
{
	return is_mapped_remotely(s) && !(c->shared_tables && is_victim(c, s));
}

static void unbind(const struct capabilities *c, struct slot *s)
{
	if (s->flags & SLOT_EMBEDDED && s != c->unbound)
		dispatcher_binding_lost(s);
}

static err_t delete_copy(struct capabilities *c, struct slot *s)
{
	if (is_held_by_mapping(c, s))
		return stopped_by_mapping(c, s);
	unbind(c, s);
	slot_leave(c, s);
	return OK;
}

static err_t delete_step(struct capabilities *c, struct slot *s);

static err_t delete_last(struct capabilities *c, struct slot *s)
{
	bool below = is_victim(c, s) && !same_object(c->revoked, s), covered = below || is_covered(c, s);
	bool owns = !covered && !(s->flags & CAP_FLAG_FOREIGN) && !is_one_of(s, NAMES);
	struct slot *before;
	err_t e = obstacle(c, s, covered);

	if (is_err(e))
		return stopped_by(c, s, e);
	if (is_held_by_mapping(c, s))
		return stopped_by_mapping(c, s);
	before = first_to_go(c, s, owns);
	if (before) {
		/* it has no descendants itself, so this goes one level deep */
		e = delete_step(c, before);
		return is_err(e) ? e : ERR(AGAIN);
	}

	unbind(c, s);
	if (is_one_of(s, HOLDS)) {
		become_zombie(c, s);
		return ERR(AGAIN);
	}
	if (is_page_table(s) && !(s->flags & CAP_FLAG_FOREIGN))
		page_table_clear(c, s);
	if (owns)
		become_ram(c, s);
	else
		slot_leave(c, s);
	return OK;
}

/* One step; AGAIN if more are needed. */
static err_t delete_step(struct capabilities *c, struct slot *s)
{
	return another_copy(s) ? delete_copy(c, s) : delete_last(c, s);
}

/* ---- Zombies ------------------------------------------------------------------------------------ */

static bool is_zombie(const struct slot *s)
{
	return s->type >= CAP_TYPES;
}

static struct slot *contents(const struct slot *z, unsigned *count)
{
	if (z->type == CAP_ZOMBIE_DISPATCHER)
		return dispatcher_slots(PADDR(z->base), count);
	*count = CNODE_SLOTS;
	return cnode_slots(z);
}

static void pop(struct capabilities *c)
{
	struct slot *z = c->zombies;

	c->zombies = (struct slot *)(uintptr_t)z->extra;
	z->extra = 0;
}

/* Gives up the chain on top, because of an obstacle. */
static err_t revive_chain(struct capabilities *c, err_t why)
{
	bool first;

	do {
		struct slot *z = c->zombies;

		first = z->flags & SLOT_CHAIN;
		if (is_victim(c, z))
			c->revoke_stopped = true;
		pop(c);
		z->type = (uint8_t)plain_type(z->type);
		z->flags &= (uint8_t)~SLOT_CHAIN;
		z->cursor = 0;
	} while (!first && c->zombies);
	return why;
}

/* The top is empty. */
static err_t end_zombie(struct capabilities *c, bool holds_itself)
{
	struct slot *z = c->zombies;
	uint64_t *memory = window(PADDR(z->base));
	uint64_t words = z->size / sizeof *memory;
	bool owns = !is_covered(c, z);

	if (owns && (holds_itself || z->flags & SLOT_EMBEDDED))
		return revive_chain(c, stopped_by(c, z, ERR(LAST_COPY)));

	pop(c);
	if (owns)
		become_ram(c, z);
	else
		slot_leave(c, z);
	for (uint64_t k = 0; k < words; k++)
		memory[k] = 0;
	return ERR(AGAIN);
}

/* Exchanges two zombies, one of them on top. What belongs to the place (its link, its flags) stays. Both begin anew with their slots:
 * one that holds itself may have passed the place that now holds the other. */
static void exchange(struct capabilities *c, struct slot *a, struct slot *b)
{
	const uint64_t a_next = a->extra, b_next = b->extra;
	const uint8_t a_flags = a->flags, b_flags = b->flags;
	struct slot between;

	database_move(c, a, &between);
	database_move(c, b, a);
	database_move(c, &between, b);
	a->extra = a_next;
	b->extra = b_next;
	a->flags = a_flags;
	b->flags = b_flags;
	a->cursor = b->cursor = 0;
}

/* The other cores flush once for many. */
static void unmap_more(struct capabilities *c, struct slot *from, struct slot *end)
{
	unsigned work = WORK_PER_CALL;

	for (struct slot *s = from; s < end && work; s++) {
		if (!is_mapped_remotely(s))
			continue;
		unmap_later(c, s);
		work--;
	}
}

/* One step of work at the top; AGAIN, or why its chain was given up. */
static err_t zombie_step(struct capabilities *c)
{
	struct slot *z = c->zombies, *s;
	unsigned count;
	struct slot *inside = contents(z, &count);
	err_t e;

	while (z->cursor < count && (inside[z->cursor].type == CAP_Null || &inside[z->cursor] == z))
		z->cursor++;
	if (z->cursor == count)
		return end_zombie(c, z >= inside && z < inside + count);

	s = &inside[z->cursor];
	if (is_zombie(s)) {
		exchange(c, z, s);
		return ERR(AGAIN);
	}
	e = delete_step(c, s);
	if (is_ok(e) || err_is(e, ERR_NUMBER_AGAIN))
		return ERR(AGAIN);
	if (c->shared_tables)
		unmap_more(c, s + 1, inside + count);
	return revive_chain(c, e);
}

/* Until there are none: OK; AGAIN when *work is used up; within slot_revoke also the obstacle below what it deletes. */
static inline __attribute__((always_inline)) err_t work_on_zombies(struct capabilities *c, unsigned *work)
{
	while (c->zombies && *work) {
		err_t e = zombie_step(c);

		--*work;
		if (c->revoke_stopped)
			return e;
		/* any other obstacle is for the caller who began that deletion, and repeats it */
	}
	return c->zombies ? ERR(AGAIN) : OK;
}

void finish_deletions(struct capabilities *c, unsigned *work)
{
	const bool shared_tables = c->shared_tables;
	err_t e;

	if (!c->zombies)
		return;
	c->shared_tables = false; /* that was said of this call's own deletion */
	e = work_on_zombies(c, work);
	c->shared_tables = shared_tables;
	(void)e;
}

err_t deletions_first(struct capabilities *c)
{
	unsigned work = WORK_PER_CALL;

	finish_deletions(c, &work);
	flush_if_stale(c);
	return ERR(AGAIN);
}

/* ---- Delete and revoke -------------------------------------------------------------------------- */

err_t slot_delete(struct capabilities *c, struct slot *s, unsigned *work)
{
	err_t e = ERR(AGAIN);

	while (err_is(e, ERR_NUMBER_AGAIN) && *work) {
		--*work;
		if (!is_zombie(s)) {
			e = delete_step(c, s);
			if (!err_is(e, ERR_NUMBER_AGAIN))
				return e;
			if (is_zombie(s))
				s->flags |= SLOT_CHAIN;
			continue;
		}
		e = zombie_step(c);
		if (is_zombie(s))
			e = ERR(AGAIN); /* if there was an obstacle, it was in another chain's way */
		else if (s->type == CAP_Null || s->type == CAP_RAM)
			e = OK;
	}
	return e;
}

/* Whether the slot is followed by what lies in it; or by a copy, then that will have to tell. */
static bool has_contents(const struct slot *s)
{
	const struct slot *n = database_next(s);

	return n && n->base < slot_end(s) && !same_object(n, s);
}

/* From the inside out: so of what this core owns nothing loses what is around it, not even between two calls (a monitor relies on that).
 * The copies before the slot come last. */
static struct slot *next_victim(const struct capabilities *c, const struct slot *s)
{
	struct slot *n = database_next(s);

	if (n && same_object(n, s))
		return n;
	if (n && n->base < slot_end(s))
		return has_contents(n) ? last_descendant(c, s) : n;
	n = database_previous(s);
	return n && same_object(n, s) ? n : NULL;
}

static err_t revoke_step(struct capabilities *c, struct slot *s, unsigned *work)
{
	struct slot *victim;
	err_t e = work_on_zombies(c, work);

	if (is_err(e))
		return e;
	victim = next_victim(c, s);
	if (!victim)
		return OK;
	if (!*work)
		return ERR(AGAIN);
	e = slot_delete(c, victim, work);
	return is_err(e) ? e : ERR(AGAIN);
}

err_t slot_revoke(struct capabilities *c, struct slot *s, unsigned *work)
{
	const struct slot object = *s;
	err_t e;

	c->revoked = &object;
	c->revoke_stopped = false;
	do
		e = revoke_step(c, s, work);
	while (err_is(e, ERR_NUMBER_AGAIN) && *work && same_object(s, &object));
	c->revoked = NULL;
	c->revoke_stopped = false;
	/* the slot itself may have gone with a CNode that was among the descendants */
	return err_is(e, ERR_NUMBER_AGAIN) && !same_object(s, &object) ? OK : e;
}

err_t slot_delete_internal(struct capabilities *c, struct slot *slot)
{
	unsigned work = WORK_PER_CALL;
	err_t e;

	if (slot->type == CAP_Null)
		return OK;
	c->unbound = slot;
	e = slot_delete(c, slot, &work);
	c->unbound = NULL;
	flush_if_stale(c);
	return e;
}

/* ---- Calls -------------------------------------------------------------------------------------- */

err_t deletion_result(struct invocation *i, err_t e)
{
	struct capabilities *c = i->caps;

	flush_if_stale(c);
	if (err_is(e, ERR_NUMBER_LAST_COPY) || err_is(e, ERR_NUMBER_NEEDS_AGREEMENT)) {
		i->value[0] = c->obstacle.type;
		i->value[1] = c->obstacle.base;
		i->value[2] = c->obstacle.size;
	}
	return e;
}

/* delete -> V0 1 if the slot now holds the object's memory as RAM
 *           with LAST_COPY, NEEDS_AGREEMENT: V0 type, V1 base, V2 size of what can't go */
err_t op_Any_delete(struct invocation *i)
{
	unsigned work = WORK_PER_CALL;
	err_t e = slot_delete(i->caps, i->self, &work);

	if (is_ok(e)) {
		i->value[0] = i->self->type == CAP_RAM;
		/* by an exchange what was in the slot may have gone on elsewhere; retype waits if this is not enough */
		finish_deletions(i->caps, &work);
	}
	return deletion_result(i, e);
}

/* Kernel.delete   W0 capability, W1 SWEEP_*; results as delete
 *                 What a domain wants deleted, and other cores know, may have to stay for a while in its monitor's hands. So its mapping
 *                 ends first, whatever becomes of it. */
err_t op_Kernel_delete(struct invocation *i)
{
	struct capabilities *c = i->caps;
	err_t e = named_slot(i, i->word[0], &i->self);

	if (is_err(e))
		return e;
	if (i->word[1] > SWEEP_SHARED_TABLES)
		return ERR(ARGUMENT);
	c->shared_tables = i->word[1] == SWEEP_SHARED_TABLES;
	if (may_not_unmap(c, i->self)) {
		e = deletion_result(i, stopped_by(c, table_of(c, i->self), ERR(NEEDS_AGREEMENT)));
	} else {
		if (i->self->flags & CAP_FLAG_MAPPED)
			unmap_later(c, i->self);
		e = op_Any_delete(i);
	}
	c->shared_tables = false;
	return e;
}

/* revoke; with LAST_COPY, NEEDS_AGREEMENT as delete */
err_t op_Any_revoke(struct invocation *i)
{
	unsigned work = WORK_PER_CALL;

	if (i->self->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN))
		return deletion_result(i, stopped_by(i->caps, i->self, ERR(NEEDS_AGREEMENT)));
	return deletion_result(i, slot_revoke(i->caps, i->self, &work));
}
