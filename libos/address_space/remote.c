/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Touching what is at home at another member: its part of remote.h. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/count.h"
#include "libos/address_space/others.h"
#include "libos/address_space/pager.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/remote.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/thread/thread.h"

/* A page that some thread has touched. */
struct touch {
	struct touch *next;
	uint64_t page, code;
	struct queue threads;
	unsigned home;
	bool answered; /* but the slab is still to come */
	struct link_touched answer;
};

static struct touch *touches;
struct memory_counts memory_count;

bool is_elsewhere(uint64_t address, unsigned *home)
{
	*home = home_of(address);
	return start_page != NULL && *home != HOME_NONE && *home != span_member();
}

/* ---- The end of a touch ---- */

/* Its threads touch again; if that is of no use, they learn why not. */
static void end_touch(struct touch *t, err_t why)
{
	struct thread *thread;

	for (struct touch **link = &touches; *link != NULL; link = &(*link)->next) {
		if (*link == t) {
			*link = t->next;
			break;
		}
	}
	while ((thread = thread_of(queue_take(&t->threads))) != NULL) {
		thread->fault_page = t->page;
		thread->fault_error = why;
		thread_ready(thread);
	}
	store_free(t, sizeof *t);
}

void touches_refused(unsigned owner, uint16_t slab)
{
	for (struct touch *t = touches, *next; t != NULL; t = next) {
		next = t->next;
		if (t->answered && t->answer.owner == owner && t->answer.slab == slab)
			end_touch(t, ERR(NO_MEMORY));
	}
}

void remote_left(unsigned member)
{
	for (struct touch *t = touches, *next; t != NULL; t = next) {
		next = t->next;
		if (t->home == member)
			end_touch(t, ERR(PEER_GONE));
	}
}

/* ---- Mapping ---- */

/* What of the answer is not mapped yet, around the page that was touched; that one has been mapped otherwise, if at all. */
static void narrow(const struct touch *t, uint64_t *low, uint64_t *high)
{
	uint64_t base = t->answer.base, end = base + t->answer.pages * PAGE_BYTES;
	struct piece other;

	*low = t->page;
	*high = t->page + PAGE_BYTES;
	while (*low > base && !piece_find(*low - PAGE_BYTES, &other))
		*low -= PAGE_BYTES;
	while (*high < end && !piece_find(*high, &other))
		*high += PAGE_BYTES;
}

static err_t map_answer(const struct touch *t)
{
	const struct link_touched *a = &t->answer;
	struct page page = {.owner = a->owner, .borrowed = 1, .slab = a->slab};
	struct piece other;
	uint64_t low, high;

	if (piece_find(t->page, &other))
		piece_drop(&other);
	narrow(t, &low, &high);
	page.index = a->index + (uint32_t)((low - a->base) / PAGE_BYTES);
	if (a->how == TOUCHED_REPLICA)
		return piece_replicate(low, high, page, a->rights);
	return piece_place(low, high, page, a->rights);
}

static void go_on(struct touch *t)
{
	if (!others_have(t->answer.owner, t->answer.slab))
		others_want(t->answer.owner, t->answer.slab);
	else
		end_touch(t, map_answer(t));
}

void touches_go_on(void)
{
	for (struct touch *t = touches, *next; t != NULL; t = next) {
		next = t->next;
		if (t->answered)
			go_on(t);
	}
}

/* ---- Touching ---- */

static struct touch *find_touch(uint64_t page, uint64_t code)
{
	for (struct touch *t = touches; t != NULL; t = t->next)
		if (t->page == page && t->code == code)
			return t;
	return NULL;
}

static err_t begin_touch(unsigned home, uint64_t page, uint64_t code, struct touch **out)
{
	struct touch *t;
	err_t e;

	store_prepare();
	t = store_alloc(sizeof *t);
	if (t == NULL)
		return ERR(NO_MEMORY);
	*t = (struct touch){.next = touches, .page = page, .code = code, .home = home};
	e = LINK_SEND(home, touch, .address = page, .code = code);
	if (is_err(e)) {
		store_free(t, sizeof *t);
		return e;
	}
	memory_count.touches++;
	touches = t;
	*out = t;
	return OK;
}

err_t remote_touch(unsigned home, uint64_t address, uint64_t code, struct queue **queue)
{
	uint64_t page = address & ~(PAGE_BYTES - 1);
	struct touch *t = find_touch(page, code);
	struct thread *self = thread_current;
	struct piece there;
	err_t e = self->fault_error;

	if (is_err(e) && self->fault_page == page) {
		self->fault_error = OK;
		return e;
	}
	/* Another thread has got it meanwhile. */
	if (!(code & FAULT_PRESENT) && piece_find(page, &there))
		return OK;
	e = t == NULL ? begin_touch(home, page, code, &t) : OK;
	if (is_err(e))
		return e;
	*queue = &t->threads;
	return ERR(WOULD_BLOCK);
}

void link_handle_touched(unsigned from, const struct link_touched *m)
{
	uint64_t offset = m->address - m->base;

	store_prepare();
	for (struct touch *t = touches, *next; t != NULL; t = next) {
		next = t->next;
		if (t->home != from || t->page != m->address || t->answered)
			continue;
		if (m->error != ERR_NUMBER_OK) {
			end_touch(t, (err_t){m->error});
		} else if (m->address < m->base || offset / PAGE_BYTES >= m->pages) {
			end_touch(t, ERR(MESSAGE));
		} else if (change_outdates(from, m->sequence, m->base, m->base + m->pages * PAGE_BYTES)) {
			end_touch(t, OK);
		} else {
			t->answer = *m;
			t->answered = true;
			go_on(t);
		}
		return;
	}
}

void remote_drop(uint64_t base, uint64_t end)
{
	struct piece p;

	for (struct touch *t = touches, *next; t != NULL; t = next) {
		next = t->next;
		if (t->answered && t->answer.base < end && t->answer.base + t->answer.pages * PAGE_BYTES > base)
			end_touch(t, OK);
	}
	/* A piece may reach over the range's ends; what is beyond is touched again. */
	for (; piece_from(base, end, &p); base = p.end)
		piece_drop(&p);
}

err_t remote_range(unsigned home, unsigned operation, uint64_t base, uint64_t bytes, uint64_t argument, struct link_ranged *out)
{
	struct link_range question = {.operation = operation, .base = base, .bytes = bytes, .argument = argument};
	union link_message answer = {.words = {0}};
	err_t e = link_ask(home, LINK_range, &question, &answer);

	if (is_err(e))
		return e;
	if (out != NULL)
		*out = answer.ranged;
	return (err_t){(uint32_t)answer.ranged.error};
}

void memory_counts(struct memory_counts *out)
{
	*out = memory_count;
}
