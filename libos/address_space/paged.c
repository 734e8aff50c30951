/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A touch becomes a request in the list of the region's pager, whose thread takes one after the other. It has two pages of address space of
 * its own: one in which the program fills what is to become the page, and one in which it finds what was taken. Pages move between these
 * and the region as they are: only their mapping changes. */

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <atoll/pager.h>
#include <atoll/thread.h>

#include "libos/address_space/paged.h"
#include "libos/address_space/address_space.h"
#include "libos/address_space/others.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/place.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/view.h"
#include "libos/memory/memory.h"
#include "libos/span/span.h"
#include "libos/thread/thread.h"
#include "libos/upcall/dispatcher.h"

struct request {
	struct request *next;
	uint64_t page;
	bool write;
	unsigned from;
	bool failed;
	err_t why;
};

/* A frame that pages were taken from, as a slab. */
struct frame {
	struct frame *next;
	uint64_t base;
	uint16_t slab;
};

struct pager {
	pager_function *function;
	void *argument;
	struct request *requests;
	struct thread *thread; /* while it waits for requests */
	struct frame *frames;
	char *incoming, *outgoing;
	bool taken; /* something is in `outgoing` */
	bool stop, stopped;
	unsigned member;
	struct queue stoppers;
};

/* ---- Touches ---- */

static struct request **find_request(struct pager *p, uint64_t page)
{
	struct request **link = &p->requests;

	while (*link != NULL && (*link)->page != page)
		link = &(*link)->next;
	return link;
}

static void remove_request(struct pager *p, struct request *q)
{
	for (struct request **link = &p->requests; *link != NULL; link = &(*link)->next) {
		if (*link == q) {
			*link = q->next;
			break;
		}
	}
	store_free(q, sizeof *q);
}

static void wake(struct pager *p)
{
	struct thread *t = p->thread;

	p->thread = NULL;
	if (t != NULL)
		thread_ready(t);
}

static err_t ask(struct pager *p, uint64_t page, bool write, unsigned from)
{
	struct request **link = find_request(p, page), *q = *link;
	err_t e;

	if (q != NULL && !q->failed)
		return ERR(WOULD_BLOCK);
	if (q != NULL) {
		e = q->why;
		remove_request(p, q);
		return e;
	}
	q = store_alloc(sizeof *q);
	if (q == NULL)
		return ERR(NO_MEMORY);
	*q = (struct request){.page = page, .write = write, .from = from};
	*link = q;
	wake(p);
	return ERR(WOULD_BLOCK);
}

err_t paged_fill(struct vm_region *r, uint64_t page, bool write, unsigned from)
{
	struct page there;

	if (page_at(page, &there) && there.lost)
		return ERR(REVOKED);
	if (page_at(page, &there) && !(write && there.copy))
		return OK;
	return ask(r->pager, page, write, from);
}

/* ---- What becomes of a request ---- */

/* The page of a frame that is not to be written to: the writer gets a copy of it. */
static err_t copy_page(uint64_t page)
{
	struct vm_region *r;
	struct page copy;
	struct piece p;
	struct run run;
	uint8_t *from;
	err_t e;

	change_begin(page, page + PAGE_BYTES, false);
	r = regions_find(&regions, page);
	if (r == NULL || !piece_find(page, &p) || !p.page->copy) {
		change_end(page, page + PAGE_BYTES);
		return OK; /* it is gone meanwhile: touched again */
	}
	e = supply_take(1, &run);
	if (is_ok(e)) {
		copy = (struct page){.index = run.page & PAGE_INDEX_MAX, .slab = run.slab};
		e = page_view_open(0, *p.page, 1, &from);
		if (is_ok(e)) {
			memcpy(supply_window(run.slab, run.page), from, PAGE_BYTES);
			page_view_close(0);
			e = piece_replace(&p, copy, r->rights);
		}
		if (is_err(e))
			supply_give(run);
	}
	change_end(page, page + PAGE_BYTES);
	return e;
}

static err_t frame_slab(struct pager *p, cap_t cap, const struct cap_identity *object, uint16_t *slab)
{
	struct frame *f = p->frames;
	cap_t copy;
	err_t e;

	while (f != NULL && f->base != object->base)
		f = f->next;
	if (f != NULL) {
		*slab = f->slab;
		return OK;
	}
	f = store_alloc(sizeof *f);
	e = f == NULL ? ERR(NO_MEMORY) : cap_slot_alloc(&copy);
	if (is_ok(e)) {
		e = cap_copy(cap, copy);
		if (is_err(e))
			cap_slot_free(copy);
	}
	if (is_ok(e)) {
		e = supply_register(copy, object->base, slab);
		if (is_err(e))
			cap_slot_drop(copy);
	}
	if (is_err(e)) {
		if (f != NULL)
			store_free(f, sizeof *f);
		return e;
	}
	*f = (struct frame){p->frames, object->base, *slab};
	p->frames = f;
	return OK;
}

static err_t place_frame(struct pager *p, const struct vm_region *r, uint64_t page, const struct pager_answer *answer)
{
	struct page there = {.copy = answer->copy_on_write};
	struct cap_identity object;
	struct piece piece = {.page = &there};
	uint16_t slab;
	err_t e = cap_identify(answer->frame, &object);

	if (is_ok(e) && object.type != CAP_Frame)
		e = ERR(CAP_TYPE);
	if (is_ok(e) && (answer->offset % PAGE_BYTES != 0 || object.size < PAGE_BYTES || answer->offset > object.size - PAGE_BYTES))
		e = ERR(RANGE);
	if (is_ok(e))
		e = frame_slab(p, answer->frame, &object, &slab);
	if (is_err(e))
		return e;
	there.slab = slab;
	there.index = (uint32_t)(answer->offset / PAGE_BYTES) & PAGE_INDEX_MAX;
	return piece_place(page, page + PAGE_BYTES, there, piece_rights(r, &piece));
}

/* The page at `from` becomes the one at `to`. */
static err_t move_page(uint64_t from, uint64_t to, uint64_t rights)
{
	struct page page;

	return piece_lift(from, &page) ? piece_put(to, page, rights) : ERR(STATE);
}

static err_t answer_request(struct pager *p, uint64_t page, const struct pager_answer *answer)
{
	const struct vm_region *r = regions_find(&regions, page);
	struct page there;

	if (r == NULL || r->pager != p || page_at(page, &there))
		return OK; /* unmapped meanwhile */
	if (answer->frame.value != CAP_NULL.value)
		return place_frame(p, r, page, answer);
	return move_page((uint64_t)p->incoming, page, r->rights);
}

/* ---- The thread ---- */

static struct request *next_request(struct pager *p)
{
	struct request *q = p->requests;

	while (q != NULL && q->failed)
		q = q->next;
	return q;
}

/* The request stays in the list until it is answered, so that nobody asks twice. */
static err_t serve(struct pager *p, const struct request *q, bool *inside)
{
	const struct vm_region *r = regions_find(&regions, q->page);
	struct pager_request request = {.page = (void *)q->page, .write = q->write, .member = q->from, .contents = p->incoming};
	struct pager_answer answer = {.frame = CAP_NULL};
	struct page there;
	uint64_t page = q->page;
	err_t e;

	if (r == NULL || r->pager != p)
		return OK;
	if (page_at(page, &there))
		return q->write && there.copy ? copy_page(page) : OK;
	request.offset = page - r->first;
	dispatcher_leave(*inside);
	*(volatile char *)p->incoming = 0;
	e = p->function(p->argument, &request, &answer);
	*inside = dispatcher_enter();
	return is_ok(e) ? answer_request(p, page, &answer) : e;
}

static void work(struct pager *p)
{
	bool inside = dispatcher_enter();

	while (!p->stop) {
		struct request *q = next_request(p);
		err_t e;

		if (q == NULL) {
			p->thread = thread_current;
			thread_wait(THREAD_FOREVER);
			continue;
		}
		e = serve(p, q, &inside);
		q->failed = is_err(e);
		q->why = e;
		if (is_ok(e))
			remove_request(p, q);
		home_go_on();
	}
	p->stopped = true;
	for (struct thread *t; (t = thread_of(queue_take(&p->stoppers))) != NULL;)
		thread_ready(t);
	dispatcher_leave(inside);
}

/* It may have been taken to another member before it has begun, where a pager, which is the library OS's, can't be looked at. */
struct beginning {
	struct pager *pager;
	unsigned member;
	_Atomic bool done;
	err_t error;
};

static void *run(void *argument)
{
	struct beginning *shared = argument;
	struct pager *p = shared->pager;
	err_t e = thread_move(shared->member);

	if (is_ok(e))
		e = thread_set_members(thread_self(), UINT64_C(1) << shared->member);
	shared->error = e;
	shared->done = true;
	if (is_ok(e))
		work(p);
	return NULL;
}

static err_t begin_thread(struct pager *p)
{
	struct beginning beginning = {.pager = p, .member = p->member};
	pthread_attr_t attributes;
	pthread_t id;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&id, &attributes, run, &beginning) != 0)
		return ERR(NO_MEMORY);
	while (!beginning.done)
		thread_yield();
	return beginning.error;
}

/* ---- For programs ---- */

static err_t make_buffers(struct pager *p)
{
	void *in, *out;
	err_t e = memory_map(PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH, &in);

	if (is_err(e))
		return e;
	e = memory_map(PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_TOUCH, &out);
	if (is_err(e)) {
		(void)!is_ok(memory_unmap(in, PAGE_BYTES));
		return e;
	}
	p->incoming = in;
	p->outgoing = out;
	return OK;
}

static void end(struct pager *p)
{
	(void)!is_ok(memory_unmap(p->incoming, PAGE_BYTES));
	(void)!is_ok(memory_unmap(p->outgoing, PAGE_BYTES));
	while (p->frames != NULL) {
		struct frame *f = p->frames;

		p->frames = f->next;
		others_end(f->slab);
		store_free(f, sizeof *f);
	}
	while (p->requests != NULL)
		remove_request(p, p->requests);
	store_free(p, sizeof *p);
}

err_t pager_start(pager_function *function, void *argument, struct pager **out)
{
	struct pager *p = store_alloc(sizeof *p);
	err_t e;

	if (p == NULL)
		return ERR(NO_MEMORY);
	p->function = function;
	p->argument = argument;
	p->member = span_member();
	e = make_buffers(p);
	if (is_err(e)) {
		store_free(p, sizeof *p);
		return e;
	}
	e = begin_thread(p);
	if (is_err(e))
		end(p);
	else
		*out = p;
	return e;
}

static bool has_regions(const struct pager *p)
{
	for (unsigned i = 0; i < regions.count; i++)
		if (regions.at[i]->pager == p)
			return true;
	return false;
}

err_t pager_stop(struct pager *p)
{
	bool inside = dispatcher_enter();
	err_t e = p->member != span_member() || p->stop || p->taken || has_regions(p) ? ERR(STATE) : OK;

	if (is_ok(e)) {
		p->stop = true;
		wake(p);
		while (!p->stopped) {
			queue_put(&p->stoppers, &thread_current->run.entry);
			thread_wait(THREAD_FOREVER);
		}
		end(p);
	}
	dispatcher_leave(inside);
	return e;
}

err_t pager_map(struct pager *p, uint64_t bytes, rights_t rights, void **out)
{
	return p->member == span_member() ? memory_map_paged(bytes, rights, p, out) : ERR(STATE);
}

/* Cuts the page out of its piece, and puts it where the program finds it. */
static err_t take(struct pager *p, uint64_t page)
{
	const struct vm_region *r = regions_find(&regions, page);
	struct page there;
	err_t e;

	if (r == NULL || r->pager != p)
		return ERR(NOT_SUPPORTED);
	if (!page_at(page, &there))
		return ERR(NOT_MAPPED);
	if (supply_slab(there.slab)->registered)
		return ERR(NOT_SUPPORTED);
	e = piece_cut(page, r);
	if (is_ok(e))
		e = piece_cut(page + PAGE_BYTES, r);
	return is_ok(e) ? move_page(page, (uint64_t)p->outgoing, RIGHT_READ | RIGHT_WRITE) : e;
}

err_t pager_take(struct pager *p, void *address, void **contents)
{
	uint64_t page = (uint64_t)address & ~(PAGE_BYTES - 1);
	bool inside = dispatcher_enter();
	err_t e = p->taken || p->member != span_member() ? ERR(STATE) : OK;

	if (is_ok(e)) {
		change_begin(page, page + PAGE_BYTES, false);
		e = take(p, page);
		change_end(page, page + PAGE_BYTES);
	}
	if (is_ok(e)) {
		p->taken = true;
		*contents = p->outgoing;
	}
	dispatcher_leave(inside);
	return e;
}

void pager_release(struct pager *p)
{
	bool inside = dispatcher_enter();

	if (p->taken)
		(void)!is_ok(memory_forget_range((uint64_t)p->outgoing, PAGE_BYTES));
	p->taken = false;
	dispatcher_leave(inside);
}
