/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Pages of other members' memory.
 *
 * The home of a region may make pages of it out of what another member lends: lend{pages} / lent{pages of a slab}, and returned{...} when
 * they are not needed any more. That takes a while, so it is a service thread's work, an *errand* here; touches meanwhile wait. If the
 * other member has no memory, home takes its own: a policy is a wish.
 *
 * Replicated regions. A page is clean or dirty. Clean: nobody may write; home has it, and each member that touches it a copy of its own.
 * The first write, by anybody, takes it away from all (change.c), and makes it dirty: home and whoever touches it now map the one page of
 * home's, and may write. When a member reads that has not mapped it, it is taken away again, and is clean. So whoever reads sees what was
 * written last, and who only reads, reads near. */

#include <string.h>

#include "libos/address_space/place.h"
#include "libos/address_space/address_space.h"
#include "libos/address_space/count.h"
#include "libos/address_space/others.h"
#include "libos/address_space/paged.h"
#include "libos/address_space/pager.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/users.h"
#include "libos/address_space/view.h"
#include "libos/heap/malloc.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"

struct errand {
	struct errand *next;
	uint64_t page;
	bool flip; /* from clean to dirty or back; else pages are to be had from another member */
	bool dirty;
	unsigned owner;
	bool failed;
	err_t why;
};

static struct errand *errands;
static uint64_t lent;

uint64_t piece_rights(const struct vm_region *r, const struct piece *p)
{
	bool closed = (r->policy == POLICY_REPLICATE && !p->page->dirty) || (r->policy == POLICY_PAGED && p->page->copy);

	return closed ? r->rights & ~(uint64_t)RIGHT_WRITE : r->rights;
}

/* ---- Lending ---- */

void link_handle_lend(unsigned from, const struct link_lend *m)
{
	struct run run = {0};
	err_t e;

	store_prepare();
	e = supply_take(m->pages > 512 ? 512 : (uint32_t)m->pages, &run);
	if (is_ok(e))
		lent += run.pages;
	(void)!is_ok(LINK_SEND(from, lent, .token = m->token, .error = e.number, .slab = run.slab, .page = run.page, .pages = run.pages));
}

void link_handle_returned(unsigned from, const struct link_returned *m)
{
	(void)from;
	lent -= m->pages;
	supply_give((struct run){(uint16_t)m->slab, m->page, m->pages});
}

void pages_return(uint64_t base, struct page page, uint32_t pages)
{
	unsigned home;

	if (!page.borrowed) {
		supply_give((struct run){page.slab, page.index, pages});
		return;
	}
	/* Where this member is not home it has just mapped what somebody else answers for. */
	if (!is_elsewhere(base, &home))
		(void)!is_ok(LINK_SEND(page.owner, returned, .slab = page.slab, .page = page.index, .pages = pages));
}

/* For threads: at most `pages` pages of that member's, which is not this one. */
static err_t borrow(unsigned owner, uint32_t pages, struct page *out, uint32_t *got)
{
	struct link_lend question = {.pages = pages};
	union link_message m;
	err_t e = link_ask(owner, LINK_lend, &question, &m);

	if (is_ok(e))
		e = (err_t){(uint32_t)m.lent.error};
	if (is_err(e))
		return e;
	memory_count.borrowed += m.lent.pages;
	*out = (struct page){
	    .index = m.lent.page & PAGE_INDEX_MAX, .owner = owner & (SPAN_MAX - 1), .borrowed = 1, .slab = (uint16_t)m.lent.slab};
	*got = m.lent.pages;
	e = others_wait(owner, out->slab);
	if (is_err(e))
		(void)!is_ok(LINK_SEND(owner, returned, .slab = out->slab, .page = out->index, .pages = *got));
	return e;
}

/* ---- Errands ---- */

static struct errand *find_errand(uint64_t page)
{
	struct errand *a = errands;

	while (a != NULL && a->page != page)
		a = a->next;
	return a;
}

static void remove_errand(struct errand *a)
{
	for (struct errand **link = &errands; *link != NULL; link = &(*link)->next) {
		if (*link == a) {
			*link = a->next;
			break;
		}
	}
	store_free(a, sizeof *a);
}

static uint64_t chunk_end(const struct vm_region *r, uint64_t page)
{
	uint64_t end = (page | (PLACE_CHUNK - 1)) + 1;
	struct piece p;

	if (end > r->end)
		end = r->end;
	return piece_from(page, end, &p) ? p.base : end;
}

/* As a touch of a simple region. */
static err_t fill_local(const struct vm_region *r, uint64_t page)
{
	struct vm_region plain = *r;

	plain.rights = r->policy == POLICY_REPLICATE ? r->rights & (uint8_t)~RIGHT_WRITE : r->rights;
	return piece_touch(&plain, page, 16);
}

static err_t fill_borrowed(const struct errand *a)
{
	struct vm_region *r = regions_find(&regions, a->page);
	uint64_t end = r == NULL ? 0 : chunk_end(r, a->page);
	struct page page, other;
	uint32_t got;
	err_t e;

	if (r == NULL || end <= a->page)
		return OK;
	e = borrow(a->owner, (uint32_t)((end - a->page) / PAGE_BYTES), &page, &got);
	r = regions_find(&regions, a->page); /* others have run meanwhile */
	if (r == NULL || r->use != REGION_ANONYMOUS || page_at(a->page, &other)) {
		if (is_ok(e))
			pages_return(a->page, page, got);
		return OK;
	}
	if (is_err(e))
		return fill_local(r, a->page);
	if (chunk_end(r, a->page) < a->page + got * PAGE_BYTES) {
		uint32_t fit = (uint32_t)((chunk_end(r, a->page) - a->page) / PAGE_BYTES);
		struct page rest = page;

		rest.index = (page.index + fit) & PAGE_INDEX_MAX;
		pages_return(a->page, rest, got - fit);
		got = fit;
	}
	return piece_place(a->page, a->page + got * PAGE_BYTES, page, r->rights);
}

/* Cuts the page out of its piece, and maps it anew. */
static err_t set_dirty(struct vm_region *r, uint64_t page, bool dirty)
{
	struct piece p;
	err_t e = piece_cut(page, r);

	if (is_ok(e))
		e = piece_cut(page + PAGE_BYTES, r);
	if (is_err(e) || !piece_find(page, &p))
		return e;
	piece_unmap(&p);
	p.page->dirty = dirty;
	return piece_map(&p, piece_rights(r, &p));
}

static err_t flip(const struct errand *a)
{
	struct vm_region *r;
	err_t e = OK;

	change_begin(a->page, a->page + PAGE_BYTES, false);
	r = regions_find(&regions, a->page);
	if (r != NULL && r->policy == POLICY_REPLICATE)
		e = set_dirty(r, a->page, a->dirty);
	change_end(a->page, a->page + PAGE_BYTES);
	return e;
}

static void run_errand(void *argument)
{
	bool inside = dispatcher_enter();
	struct errand *a = find_errand(*(const uint64_t *)argument);
	err_t e = a->flip ? flip(a) : fill_borrowed(a);

	/* A failure stays until somebody has asked again, and heard of it. */
	if (is_err(e)) {
		a->failed = true;
		a->why = e;
	} else {
		remove_errand(a);
	}
	home_go_on();
	dispatcher_leave(inside);
}

static err_t begin(struct errand plan)
{
	struct errand *a = find_errand(plan.page);
	err_t e;

	if (a != NULL && !a->failed)
		return ERR(WOULD_BLOCK);
	if (a != NULL) {
		e = a->why;
		remove_errand(a);
		return e;
	}
	a = store_alloc(sizeof *a);
	if (a == NULL)
		return ERR(NO_MEMORY);
	*a = plan;
	a->next = errands;
	errands = a;
	e = service_begin(run_errand, &plan.page, sizeof plan.page);
	if (is_ok(e))
		return ERR(WOULD_BLOCK);
	remove_errand(a);
	return e;
}

/* ---- Filling ---- */

static unsigned owner_for(const struct vm_region *r, uint64_t page, unsigned from)
{
	uint64_t members = r->members & (link_mask | UINT64_C(1) << span_member());
	unsigned turn;

	if (r->policy == POLICY_FIRST_TOUCH)
		return from;
	if (r->policy != POLICY_INTERLEAVE || members == 0)
		return span_member();
	turn = (unsigned)(page / PLACE_CHUNK % (unsigned)__builtin_popcountll(members));
	while (turn-- > 0)
		members &= members - 1;
	return (unsigned)__builtin_ctzll(members);
}

/* The page is there: may that member have it as it is? */
static err_t reconcile(struct vm_region *r, uint64_t page, bool write, unsigned from, bool dirty)
{
	bool other = from != span_member();

	if (r->policy != POLICY_REPLICATE || (write ? dirty : !dirty || !other))
		return OK;
	if (users_of(page, page + PAGE_BYTES) == 0)
		return set_dirty(r, page, write);
	return begin((struct errand){.page = page, .flip = true, .dirty = write});
}

err_t region_fill(struct vm_region *r, uint64_t page, uint64_t code, unsigned from)
{
	bool write = (code & FAULT_WRITE) != 0;
	struct page there;
	unsigned owner;
	err_t e;

	if (r->policy == POLICY_PAGED)
		return paged_fill(r, page, write, from);
	if (page_at(page, &there) && there.lost)
		return ERR(REVOKED);
	if (page_at(page, &there))
		return reconcile(r, page, write, from, there.dirty);
	if (!r->touch)
		return ERR(CAP_RIGHTS);
	owner = owner_for(r, page, from);
	if (owner != span_member())
		return begin((struct errand){.page = page, .owner = owner});
	e = fill_local(r, page);
	return is_ok(e) && write ? reconcile(r, page, write, from, false) : e;
}

err_t region_fill_all(struct vm_region *r)
{
	struct vm_region plain = *r;
	struct page there;
	err_t e = OK;

	if (r->policy == POLICY_REPLICATE)
		plain.rights &= (uint8_t)~RIGHT_WRITE;
	if (r->policy != POLICY_INTERLEAVE)
		return pieces_make(&plain, r->base, r->end);
	for (uint64_t page = plain.base; page < plain.end && is_ok(e); page += PAGE_BYTES) {
		struct errand a = {.page = page, .owner = owner_for(&plain, page, span_member())};

		if (!page_at(page, &there))
			e = a.owner == span_member() ? fill_local(&plain, page) : fill_borrowed(&a);
	}
	return e;
}

/* ---- Moving ---- */

static err_t get_pages(unsigned member, uint32_t pages, struct page *out, uint32_t *got)
{
	struct run run;
	err_t e;

	if (member != span_member())
		return borrow(member, pages, out, got);
	e = supply_take(pages, &run);
	if (is_err(e))
		return e;
	*out = (struct page){.index = run.page & PAGE_INDEX_MAX, .slab = run.slab};
	*got = run.pages;
	return OK;
}

static err_t copy_pages(struct page from, struct page to, uint32_t pages)
{
	uint8_t *source, *target;
	err_t e = page_view_open(0, from, pages, &source);

	if (is_err(e))
		return e;
	e = page_view_open(1, to, pages, &target);
	if (is_ok(e)) {
		memcpy(target, source, pages * PAGE_BYTES);
		page_view_close(1);
	}
	page_view_close(0);
	return e;
}

/* The piece at `base`, or the beginning of it; answers how far it has come. */
static err_t move_piece(uint64_t base, uint64_t end, unsigned member, uint64_t *next)
{
	struct vm_region *r;
	struct page from, to;
	struct piece p;
	uint32_t got = 0;
	err_t e = get_pages(member, (uint32_t)((end - base) / PAGE_BYTES), &to, &got);

	if (is_err(e))
		return e;
	*next = base + got * PAGE_BYTES;
	r = regions_find(&regions, base); /* others may have run meanwhile */
	e = r == NULL ? ERR(NOT_MAPPED) : piece_cut(*next, r);
	if (is_ok(e) && (!piece_find(base, &p) || p.base != base || p.end != *next))
		e = ERR(STATE);
	if (is_ok(e)) {
		from = *p.page;
		e = copy_pages(from, to, got);
	}
	if (is_ok(e)) {
		to.dirty = from.dirty;
		to.copy = from.copy;
		e = piece_replace(&p, to, piece_rights(r, &p));
	}
	if (is_err(e))
		pages_return(base, to, got);
	return e;
}

/* The beginning of a piece, as far as it is in the range and in one table; *base is where to go on. */
static err_t move_some(const struct piece *p, uint64_t *base, uint64_t end, unsigned member)
{
	const struct vm_region *r = regions_find(&regions, p->base);
	uint64_t from = p->base < *base ? *base : p->base, to = p->end > end ? end : p->end;
	err_t e = r == NULL ? ERR(NOT_SUPPORTED) : OK;

	if (to > (from | (PAGE_BYTES_LARGE - 1)) + 1)
		to = (from | (PAGE_BYTES_LARGE - 1)) + 1;
	*base = to;
	if (is_ok(e))
		e = piece_cut(from, r);
	if (is_ok(e))
		e = piece_cut(to, r);
	return is_ok(e) ? move_piece(from, to, member, base) : e;
}

err_t place_migrate(uint64_t base, uint64_t end, unsigned member)
{
	struct piece p;
	err_t e = OK;

	while (is_ok(e) && piece_from(base, end, &p)) {
		const struct vm_region *r = regions_find(&regions, p.base);
		unsigned owner = p.page->borrowed ? p.page->owner : span_member();

		if (p.page->lost || owner == member)
			base = p.end;
		else if (r == NULL || r->use != REGION_ANONYMOUS || r->policy == POLICY_PAGED)
			e = ERR(NOT_SUPPORTED);
		else
			e = move_some(&p, &base, end, member);
	}
	return e;
}

err_t place_move_out(uint64_t base, uint64_t end, uint64_t low, uint64_t high)
{
	struct piece p;
	err_t e = OK;

	while (is_ok(e) && piece_from(base, end, &p)) {
		if (supply_is_in(*p.page, low, high))
			e = move_some(&p, &base, end, span_member());
		else
			base = p.end;
	}
	return e;
}

/* ---- Leaving ---- */

/* Whether nothing of the program's is at home here, and nobody else uses memory of this member's. */
static bool may_leave(void)
{
	uint64_t anonymous = 0;

	for (unsigned i = 0; i < regions.count; i++) {
		if (regions.at[i]->use != REGION_ANONYMOUS && regions.at[i]->slab != SLAB_NONE)
			return false;
		anonymous += regions.at[i]->use == REGION_ANONYMOUS;
	}
	return lent == 0 && anonymous <= malloc_idle_arenas();
}

void place_start(void)
{
	span_when_may_leave(may_leave);
}
