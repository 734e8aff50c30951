/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* How a slab comes from its owner to who needs it, once for each of the two:
 *
 *   here                              the owner
 *   want{slab}                  -->   notes that this member has the slab from now on; a service thread gives the capability
 *   (the monitors agree, and tell)    over the link's connection, tagged with the slab's number
 *                               <--   refused{slab}, if there is no such slab any more or it can't be given */

#include <string.h>

#include <atoll/domain.h>

#include "libos/address_space/others.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/supply.h"
#include "libos/ipc/gift.h"
#include "libos/memory/agreement.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"

struct other_slab {
	uint64_t base; /* physical */
	cap_t cap;     /* CAP_NULL: not yet */
	bool asked, refused;
};

#define GIVES_PER_SECOND 1000

/* Of each member a list of lists, by number. */
#define LIST 64
static struct other_slab *known[SPAN_MAX][SLABS_MAX / LIST];
static struct queue waiting; /* threads that wait for some slab */

static struct other_slab *find(unsigned owner, uint16_t slab)
{
	struct other_slab *list = slab < SLABS_MAX ? known[owner][slab / LIST] : NULL;

	return list == NULL ? NULL : &list[slab % LIST];
}

static struct other_slab *find_or_make(unsigned owner, uint16_t slab)
{
	struct other_slab **list;

	if (slab >= SLABS_MAX)
		return NULL;
	list = &known[owner][slab / LIST];
	if (*list == NULL)
		*list = store_alloc(LIST * sizeof **list);
	return *list == NULL ? NULL : &(*list)[slab % LIST];
}

bool others_have(unsigned owner, uint16_t slab)
{
	const struct other_slab *s = find(owner, slab);

	return owner == span_member() || (s != NULL && s->cap.value != CAP_NULL.value);
}

err_t page_copy_cap(struct page page, cap_t *out)
{
	const struct other_slab *s;
	err_t e;

	if (!page.borrowed || page.owner == span_member())
		return supply_copy(page.slab, out);
	s = find(page.owner, page.slab);
	if (s == NULL || s->cap.value == CAP_NULL.value)
		return ERR(STATE);
	e = cap_slot_alloc(out);
	if (is_err(e))
		return e;
	e = cap_copy(s->cap, *out);
	if (is_err(e))
		cap_slot_free(*out);
	return e;
}

uint64_t page_paddr(struct page page)
{
	const struct other_slab *s;

	if (!page.borrowed || page.owner == span_member())
		return supply_paddr(page.slab, page.index);
	s = find(page.owner, page.slab);
	return s == NULL ? 0 : s->base + page.index * PAGE_BYTES;
}

/* ---- Getting ---- */

static void wake_all(void)
{
	struct thread *t;

	while ((t = thread_of(queue_take(&waiting))) != NULL)
		thread_ready(t);
	touches_go_on();
}

void others_want(unsigned owner, uint16_t slab)
{
	struct other_slab *s = find_or_make(owner, slab);

	if (s == NULL || s->asked)
		return;
	s->refused = is_err(LINK_SEND(owner, want, .slab = slab));
	s->asked = !s->refused;
}

err_t others_wait(unsigned owner, uint16_t slab)
{
	others_want(owner, slab); /* whatever was said the last time */
	while (!others_have(owner, slab)) {
		const struct other_slab *s = find(owner, slab);

		if (s == NULL)
			return ERR(NO_MEMORY);
		if (s->refused)
			return ERR(PEER_GONE);
		if (!s->asked) { /* what was on its way is gone */
			others_want(owner, slab);
			continue;
		}
		queue_put(&waiting, &thread_current->run.entry);
		thread_wait(THREAD_FOREVER);
	}
	return OK;
}

static void arrived(unsigned owner, uint16_t slab, cap_t cap)
{
	struct other_slab *s = find_or_make(owner, slab);
	struct cap_identity id;

	if (s == NULL || s->cap.value != CAP_NULL.value || is_err(cap_identify(cap, &id))) {
		if (cap_forget(cap))
			cap_slot_free(cap);
		if (s != NULL)
			s->asked = false; /* it has been taken back already: who still wants it asks again, and is told */
		return;
	}
	s->cap = cap;
	s->base = id.base;
	s->asked = false;
}

static void take_gifts(struct ipc_connection *c)
{
	unsigned owner = (unsigned)((const struct link *)c->data - links);
	struct gift g;

	while (gifts_next(c, &g))
		if (g.connection == NULL)
			arrived(owner, (uint16_t)g.tag, g.cap);
	wake_all();
}

void link_handle_refused(unsigned from, const struct link_refused *m)
{
	struct other_slab *s = find(from, m->slab);

	if (s == NULL)
		return;
	s->asked = false;
	s->refused = true;
	touches_refused(from, m->slab);
	wake_all();
}

/* ---- Giving ---- */

struct order {
	unsigned member;
	uint16_t slab;
};

static void refuse(const struct order *o)
{
	supply_set_given(o->slab, o->member, false);
	(void)!is_ok(LINK_SEND(o->member, refused, .slab = o->slab));
}

/* Nobody is told twice, nor before he has it. */
static void say_gone(struct slab *s, uint16_t slab)
{
	if (s->giving > 0)
		return;
	for (uint64_t members = s->given & link_mask; members != 0; members &= members - 1)
		(void)!is_ok(LINK_SEND((unsigned)__builtin_ctzll(members), gone, .slab = slab));
	cap_slot_drop(s->cap);
	supply_unregister(slab);
}

/* When many members want something at once, the monitors take only some of it. */
static err_t give_in_turn(const struct order *o, const struct slab *s)
{
	const uint64_t pause = time_tsc_hz() / GIVES_PER_SECOND;
	struct ipc_connection *c;
	err_t e = ERR(PEER_GONE);

	while ((c = links[o->member].connection) != NULL) {
		e = ipc_give(c, s->cap, RIGHTS(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE), o->slab);
		if (!err_is(e, ERR_NUMBER_LIMIT))
			break;
		e = ERR(PEER_GONE);
		thread_sleep_until(time_tsc() + pause);
	}
	return e;
}

static void give(void *argument)
{
	const struct order *o = argument;
	struct slab *s = supply_slab(o->slab);
	err_t e = give_in_turn(o, s);
	bool inside = dispatcher_enter();

	s->giving--;
	if (is_err(e))
		refuse(o);
	if (s->ended)
		say_gone(s, o->slab);
	dispatcher_leave(inside);
}

void link_handle_want(unsigned from, const struct link_want *m)
{
	const struct order o = {from, m->slab};
	struct slab *s = supply_slab(m->slab);

	if (s == NULL || s->ended || is_err(service_begin(give, &o, sizeof o))) {
		refuse(&o);
		return;
	}
	supply_set_given(m->slab, from, true);
	s->giving++;
}

void others_end(uint16_t slab)
{
	struct slab *s = supply_slab(slab);

	s->ended = true;
	say_gone(s, slab);
}

void link_handle_gone(unsigned from, const struct link_gone *m)
{
	struct other_slab *s = find(from, m->slab);

	if (s != NULL && s->cap.value != CAP_NULL.value && cap_forget(s->cap))
		cap_slot_free(s->cap);
	if (s != NULL)
		*s = (struct other_slab){0};
	wake_all();
}

/* The owner has given the memory back, or it was taken: if something was still made of it, that is lost. */
void link_handle_parted(unsigned from, const struct link_parted *m)
{
	struct piece p;

	for (uint64_t base = 0; piece_from(base, USER_TOP, &p); base = p.end)
		if (!p.page->lost && p.page->borrowed && p.page->owner == from && p.page->slab == m->slab)
			piece_lose(&p);
	link_handle_gone(from, &(struct link_gone){.slab = m->slab});
}

/* ---- Coming and going ---- */

static void joined(unsigned member)
{
	links[member].connection->on_gift = take_gifts;
	take_gifts(links[member].connection);
}

static void left(unsigned member)
{
	for (unsigned l = 0; l < SLABS_MAX / LIST; l++) {
		struct other_slab *list = known[member][l];

		for (unsigned i = 0; list != NULL && i < LIST; i++) {
			if (list[i].cap.value != CAP_NULL.value && cap_forget(list[i].cap))
				cap_slot_free(list[i].cap);
			list[i] = (struct other_slab){.refused = list[i].asked};
		}
	}
	supply_taken_back(member);
	remote_left(member);
	wake_all();
}

void others_start(void)
{
	link_on_change(joined, left);
}
