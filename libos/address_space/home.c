/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Touches by other members of what is at home here: its part of remote.h. */

#include "libos/address_space/address_space.h"
#include "libos/address_space/count.h"
#include "libos/address_space/pager.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/place.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/users.h"
#include "libos/heap/malloc.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/thread/thread.h"

/* What is mapped for another member at once, if it is there: all of a level-1 table's, or what is around in a region that is made by touch.
 */
#define AROUND_ALL   PAGE_BYTES_LARGE
#define AROUND_TOUCH (16 * PAGE_BYTES)

struct deferred {
	struct deferred *next;
	unsigned from;
	uint64_t address, code;
};

static struct deferred *deferred;
struct queue touches_blocked;

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}
static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whether the page at `to` is the one behind (before, if `to` is lower) that at `from` in the same slab, and is not being changed. */
static bool goes_on(uint64_t from, uint64_t to)
{
	struct page a, b;

	return !change_covers(to) && page_at(from, &a) && page_at(to, &b) && a.slab == b.slab && a.owner == b.owner &&
	       a.borrowed == b.borrowed && a.dirty == b.dirty && a.copy == b.copy &&
	       (to > from ? a.index + 1u == b.index : b.index + 1u == a.index);
}

/* The pages around one that are side by side in the slab, too. */
static void widen(const struct vm_region *r, uint64_t page, uint64_t *low, uint64_t *high)
{
	uint64_t around = r->touch ? AROUND_TOUCH : AROUND_ALL;
	uint64_t from = max(page & ~(around - 1), r->base), to = min((page & ~(around - 1)) + around, r->end);

	*low = page;
	*high = page + PAGE_BYTES;
	while (*low > from && goes_on(*low, *low - PAGE_BYTES))
		*low -= PAGE_BYTES;
	while (*high < to && goes_on(*high - PAGE_BYTES, *high))
		*high += PAGE_BYTES;
}

static err_t touch_anonymous(struct vm_region *r, uint64_t page, uint64_t code, unsigned from, struct link_touched *out)
{
	uint64_t low, high;
	struct page p;
	err_t e = region_fill(r, page, code, from);

	if (is_err(e))
		return e;
	if (!page_at(page, &p))
		return ERR(NOT_FOUND);
	widen(r, page, &low, &high);
	(void)page_at(low, &p);
	out->base = low;
	out->pages = (uint32_t)((high - low) / PAGE_BYTES);
	out->index = p.index;
	out->slab = p.slab;
	out->owner = (uint16_t)(p.borrowed ? p.owner : span_member());
	out->rights = r->rights;
	if (r->policy == POLICY_PAGED && p.copy)
		out->rights &= (uint8_t)~RIGHT_WRITE;
	if (r->policy == POLICY_REPLICATE && !p.dirty) {
		out->how = TOUCHED_REPLICA;
		out->rights = r->rights & (uint8_t)~RIGHT_WRITE;
	}
	return users_add(low, high, from);
}

/* A frame of the program's, or what there was from the start: one slab. */
static err_t touch_frame(struct vm_region *r, uint64_t page, unsigned from, struct link_touched *out)
{
	uint64_t low = max(page & ~(AROUND_ALL - 1), r->base), high = min((page & ~(AROUND_ALL - 1)) + AROUND_ALL, r->end);
	err_t e = r->lost ? ERR(REVOKED) : region_as_slab(r); /* changes are of all of it, so none is under way */

	if (is_err(e))
		return e;
	out->base = low;
	out->pages = (uint32_t)((high - low) / PAGE_BYTES);
	out->index = (uint32_t)((r->offset + low - r->base) / PAGE_BYTES);
	out->slab = r->slab;
	out->owner = (uint16_t)span_member();
	out->rights = r->rights;
	return users_add(low, high, from);
}

static err_t touch(uint64_t page, uint64_t code, unsigned from, struct link_touched *out)
{
	struct vm_region *r = regions_find(&regions, page);

	if (change_covers(page))
		return ERR(WOULD_BLOCK);
	if (r == NULL)
		return ERR(NOT_FOUND);
	if ((needed_rights(code) & ~(uint64_t)r->rights) != 0)
		return ERR(CAP_RIGHTS);
	return r->use == REGION_ANONYMOUS ? touch_anonymous(r, page, code, from, out) : touch_frame(r, page, from, out);
}

static err_t defer(unsigned from, uint64_t page, uint64_t code)
{
	struct deferred *d = store_alloc(sizeof *d);

	if (d == NULL)
		return ERR(NO_MEMORY);
	*d = (struct deferred){deferred, from, page, code};
	deferred = d;
	return OK;
}

static void serve(unsigned from, uint64_t page, uint64_t code)
{
	struct link_touched out = {.address = page, .base = page, .sequence = change_sequence()};
	err_t e = touch(page, code, from, &out);

	if (err_is(e, ERR_NUMBER_WOULD_BLOCK)) {
		e = defer(from, page, code);
		if (is_ok(e))
			return;
	}
	out.error = e.number;
	memory_count.served++;
	/* If there is no memory to keep the answer in, the thread waits for ever; so would the whole member for much else. */
	(void)!is_ok(link_send(from, LINK_touched, &out));
}

void link_handle_touch(unsigned from, const struct link_touch *m)
{
	store_prepare();
	serve(from, m->address & ~(PAGE_BYTES - 1), m->code);
}

void home_go_on(void)
{
	struct deferred *again = deferred;
	struct thread *t;

	deferred = NULL;
	while (again != NULL) {
		struct deferred d = *again;

		store_free(again, sizeof *again);
		again = d.next;
		serve(d.from, d.address, d.code);
	}
	while ((t = thread_of(queue_take(&touches_blocked))) != NULL)
		thread_ready(t);
}

/* ---- Ranges ---- */

struct order {
	unsigned from;
	struct link_range range;
};
_Static_assert(sizeof(struct order) <= SERVICE_BYTES, "");

static err_t map_anywhere(const struct link_range *q, struct link_ranged *answer)
{
	void *out;
	err_t e = memory_map(q->bytes, RIGHTS(q->argument), (enum placement)(q->argument >> 8), &out);

	if (is_ok(e))
		answer->paddr = (uint64_t)out;
	return e;
}

static err_t carry_out(const struct link_range *q, struct link_ranged *answer)
{
	rights_t rights = RIGHTS(q->argument);

	switch (q->operation) {
	case RANGE_MAP:
		return memory_map_at(q->base, q->bytes, rights, (enum placement)(q->argument >> 8));
	case RANGE_MAP_ANYWHERE:
		return map_anywhere(q, answer);
	case RANGE_FRAME_UNMAP:
		return frame_unmap((void *)q->base);
	case RANGE_REMAP:
		return memory_map_over(q->base, q->bytes, rights);
	case RANGE_UNMAP:
		return memory_unmap_range(q->base, q->bytes);
	case RANGE_UNMAP_COVERED:
		return memory_unmap((void *)q->base, q->bytes);
	case RANGE_PROTECT:
		return memory_protect_range(q->base, q->bytes, rights);
	case RANGE_FORGET:
		return memory_forget_range(q->base, q->bytes);
	case RANGE_WHERE:
		return where_is(q->base, answer);
	case RANGE_USABLE:
		answer->paddr = malloc_usable_here(q->base);
		return answer->paddr == 0 ? ERR(NOT_MAPPED) : OK;
	case RANGE_MIGRATE:
		return memory_migrate((void *)q->base, q->bytes, (unsigned)q->argument);
	default:
		return ERR(MESSAGE);
	}
}

static void do_range(void *argument)
{
	const struct order *o = argument;
	struct link_ranged answer = {.token = o->range.token};

	answer.error = carry_out(&o->range, &answer).number;
	(void)!is_ok(link_send(o->from, LINK_ranged, &answer));
}

void link_handle_range(unsigned from, const struct link_range *m)
{
	struct order o = {from, *m};
	err_t e = service_begin(do_range, &o, sizeof o);

	if (is_err(e))
		(void)!is_ok(LINK_SEND(from, ranged, .token = m->token, .error = e.number));
}
