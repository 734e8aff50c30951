/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The new core's part of a move (move.h).
 *
 *   HEARING ── arrive_end ──▶ COPYING ──▶ MAKING ──▶ FILLING ──▶ READY ── commit ──▶ it runs
 *
 *   HEARING  notes what the old core tells; nothing is made but what may be lacking: blocks, rings
 *   COPYING  what was in the domain's frames, a slice at a time, into the blocks, of which nothing has been made yet
 *   MAKING   every object once, for this monitor, each out of the smallest that contains it
 *   FILLING  the domain's slots with copies of these, mapped as they were
 *
 * What goes wrong on the way is told to the old core, where the domain goes on; what has been made here then ends like any domain. */

#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>

#include "monitor/balance.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/domain.h"
#include "monitor/ends.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/platform.h"
#include "monitor/rebind.h"
#include "monitor/report.h"
#include "monitor/trace.h"
#include "monitor/whereabouts.h"

#define ARRIVE_WINDOW 251 /* a root slot of ours through which the domain's CNodes are filled */
#define COPY_SLICE    (256 * KIB)
#define MAKE_SLICE    64 /* objects, or slots */
#define CAPS_MAX      65536
#define BLOCKS        (1 + GRANTS_MAX)

enum arrive_state { ARRIVE_HEARING, ARRIVE_COPYING, ARRIVE_MAKING, ARRIVE_FILLING, ARRIVE_READY };

/* An object, at its old place, and this monitor's capability over the new one. */
struct carried_object {
	uint64_t base, size;
	enum cap_type type;
	cap_t cap;
	bool given; /* not made here: the domain's own record has the capability */
};

struct arrival {
	enum arrive_state state;
	uint32_t from;
	uint32_t tag; /* of the request of the domain's own, which is completed here; 0: there is none */
	uint64_t entry;
	struct {
		uint64_t base, bytes; /* where it was */
	} old[BLOCKS];
	uint32_t connections, was[CONNECTIONS_MAX], is[CONNECTIONS_MAX];
	unsigned caps, room;
	struct message_arrive_cap *cap;
	unsigned objects;
	struct carried_object *object; /* by address, what contains others before them */
	unsigned at;                   /* progress */
	uint64_t copied;
};

static struct block *block_of(struct domain *d, unsigned index)
{
	return index == 0 ? &d->block : &d->grant_of[index - 1].block;
}

/* What the domain may make objects of in that block. */
static uint64_t usable(const struct domain *d, unsigned index)
{
	return index == 0 ? d->block.bytes - DOMAIN_START_BYTES : d->grant_of[index - 1].block.bytes - PAGE_BYTES;
}

/* The block that the old range was in, and how far into it. */
static bool find_block(const struct arrival *a, uint64_t base, uint64_t bytes, unsigned *index, uint64_t *offset)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		*index = i;
		*offset = base - a->old[i].base;
		if (base >= a->old[i].base && *offset < a->old[i].bytes && bytes <= a->old[i].bytes - *offset)
			return true;
	}
	return false;
}

/* ---- It fails ---- */

static void forget(struct domain *d)
{
	free(d->arrival->cap);
	free(d->arrival->object);
	free(d->arrival);
	d->arrival = NULL;
}

static void drop_objects(struct monitor *m, struct domain *d)
{
	struct arrival *a = d->arrival;

	for (unsigned i = 0; i < a->objects; i++) {
		if (a->object[i].given || a->object[i].cap.value == CAP_NULL.value)
			continue;
		capability_discard(m, a->object[i].cap);
	}
	a->objects = 0;
}

/* What has been made ends like a domain, of which nobody has heard. */
static void drop(struct monitor *m, struct domain *d)
{
	drop_objects(m, d);
	rebind_drop(m, d);
	forget(d);
	m->domains_ending--;
	d->phase = DOMAIN_RUNNING;
	domain_end(m, d, END_KILLED, 0);
}

/* The connections know the domain by its number. */
static void fail(struct monitor *m, struct domain *d, err_t e)
{
	MESH_SEND(m, d->arrival->from, arrived, .domain = d->number, .error = e.number);
	rebind_rename(m, d, domain_number(m));
	drop(m, d);
}

static struct domain *arriving_from(struct monitor *m, uint32_t number, uint32_t from)
{
	struct domain *d = domain_arriving(m, number);

	return d != NULL && d->arrival->from == from ? d : NULL;
}

void arrivals_lose_core(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &m->domain[i];

		if (d->phase == DOMAIN_ARRIVING && d->arrival->from == core)
			fail(m, d, ERR(CORE_DEAD));
	}
}

/* ---- Hearing what it has ---- */

static err_t expect(struct monitor *m, uint32_t from, const struct message_arrive *message)
{
	struct domain *d;
	struct arrival *a;

	if (m->end != END_NOT_BEGUN || domain_is_moving(m, message->domain))
		return ERR(AGAIN);
	d = domain_new(m);
	if (d == NULL)
		return ERR(LIMIT);
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return ERR(NO_MEMORY);
	a->from = from;
	a->tag = message->tag;
	a->entry = message->entry;
	d->number = d->span = message->domain;
	d->parent = message->parent;
	d->quota = message->quota;
	d->moves = message->moves;
	d->arrival = a;
	copy_name(d->name, sizeof(d->name), message->name);
	d->rights = manifest_find(&m->manifest, d->name);
	d->phase = DOMAIN_ARRIVING;
	m->domains_ending++;
	return OK;
}

void handle_arrive(struct monitor *m, uint32_t from, const struct message_arrive *message)
{
	err_t e;

	balance_note(m);
	e = expect(m, from, message);
	if (is_err(e))
		MESH_SEND(m, from, arrived, .domain = message->domain, .error = e.number);
}

void handle_arrive_block(struct monitor *m, uint32_t from, const struct message_arrive_block *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	err_t e;

	if (d == NULL || message->index >= BLOCKS)
		return;
	d->arrival->old[message->index].base = message->base;
	d->arrival->old[message->index].bytes = message->bytes;
	if (message->index > 0)
		d->grant_of[message->index - 1] = (struct grant){.order = message->order, .kept = message->kept};
	if (message->order > d->granted)
		d->granted = message->order;
	e = block_take_like(m, message->base, message->bytes, block_of(d, message->index));
	if (is_err(e))
		fail(m, d, e);
}

void handle_arrive_connection(struct monitor *m, uint32_t from, const struct message_arrive_connection *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	struct arrival *a = d == NULL ? NULL : d->arrival;
	err_t e;

	if (a == NULL || a->connections == CONNECTIONS_MAX)
		return;
	a->was[a->connections] = message->number;
	e = rebind_arrive(m, d, message, from, &a->is[a->connections]);
	a->connections++;
	if (is_err(e))
		fail(m, d, e);
}

static err_t note_cap(struct arrival *a, const struct message_arrive_cap *message)
{
	unsigned room = a->room == 0 ? 256 : a->room * 2;
	struct message_arrive_cap *more;

	if (a->caps == CAPS_MAX)
		return ERR(LIMIT);
	if (a->caps == a->room) {
		more = realloc(a->cap, room * sizeof(*more));
		if (more == NULL)
			return ERR(NO_MEMORY);
		a->cap = more;
		a->room = room;
	}
	a->cap[a->caps++] = *message;
	return OK;
}

void handle_arrive_cap(struct monitor *m, uint32_t from, const struct message_arrive_cap *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	err_t e = d == NULL ? OK : note_cap(d->arrival, message);

	if (is_err(e))
		fail(m, d, e);
}

/* ---- The objects ---- */

/* Those that contain others come first. */
static int by_place(const void *a, const void *b)
{
	const struct carried_object *x = a, *y = b;

	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return (int)x->type - (int)y->type;
}

static bool same_object(const struct carried_object *x, const struct carried_object *y)
{
	return x->base == y->base && x->size == y->size && x->type == y->type;
}

static bool contains(const struct carried_object *x, const struct carried_object *y)
{
	return y->base >= x->base && y->base - x->base < x->size && y->size <= x->size - (y->base - x->base);
}

/* What the monitor itself makes, whether the domain has kept it or not. */
static void add_given(struct arrival *a, const struct domain *d)
{
	const struct block *b = &d->block;

	a->object[a->objects++] = (struct carried_object){a->old[0].base, usable(d, 0), CAP_RAM, CAP_NULL, true};
	a->object[a->objects++] =
	    (struct carried_object){a->old[0].base + b->bytes - DOMAIN_START_BYTES, DOMAIN_START_BYTES, CAP_Frame, CAP_NULL, true};
	for (unsigned i = 1; i < BLOCKS; i++)
		if (a->old[i].bytes != 0)
			a->object[a->objects++] = (struct carried_object){a->old[i].base, usable(d, i), CAP_RAM, CAP_NULL, false};
}

/* The list of all objects, each once. */
static err_t list_objects(struct arrival *a, const struct domain *d)
{
	unsigned kept = 0;

	a->object = calloc(a->caps + BLOCKS + 1, sizeof(*a->object));
	if (a->object == NULL)
		return ERR(NO_MEMORY);
	add_given(a, d);
	for (unsigned i = 0; i < a->caps; i++) {
		const struct message_arrive_cap *c = &a->cap[i];
		uint64_t offset;
		unsigned index;

		if (c->what != CARRIED_OWN)
			continue;
		if (!find_block(a, c->base, c->size, &index, &offset))
			return ERR(MESSAGE);
		a->object[a->objects++] = (struct carried_object){c->base, c->size, (enum cap_type)c->type, CAP_NULL, false};
	}
	qsort(a->object, a->objects, sizeof(*a->object), by_place);
	for (unsigned i = 0; i < a->objects; i++) {
		if (kept > 0 && same_object(&a->object[kept - 1], &a->object[i]))
			a->object[kept - 1].given |= a->object[i].given;
		else
			a->object[kept++] = a->object[i];
	}
	a->objects = kept;
	return OK;
}

static struct carried_object *find_object(const struct arrival *a, uint64_t base, uint64_t size, enum cap_type type)
{
	const struct carried_object wanted = {.base = base, .size = size, .type = type};

	return bsearch(&wanted, a->object, a->objects, sizeof(*a->object), by_place);
}

/* The smallest one before object `i` that contains it, and of which such a one is made. */
static const struct carried_object *parent_of(const struct arrival *a, unsigned i)
{
	const struct carried_object *o = &a->object[i];

	while (i-- > 0) {
		const struct carried_object *p = &a->object[i];
		bool source = p->type == CAP_RAM || (o->type == CAP_Frame && (p->type == CAP_Frame || p->type == CAP_Dispatcher));

		if (source && contains(p, o))
			return p;
	}
	return NULL;
}

/* ---- Copying ---- */

/* Frames whose contents don't come with another one's. The dispatcher's belongs to the CPU driver. */
static bool is_copied(const struct arrival *a, unsigned i)
{
	const struct carried_object *p;

	if (a->object[i].type != CAP_Frame)
		return false;
	p = parent_of(a, i);
	return p == NULL || p->type == CAP_RAM;
}

static err_t copy_slice(struct monitor *m, struct domain *d, const struct carried_object *o, uint64_t done, uint64_t bytes)
{
	struct arrival *a = d->arrival;
	struct view view;
	uint64_t offset;
	unsigned index;
	void *old = NULL;
	cap_t cap;
	err_t e = cap_slot_alloc(&cap);

	if (is_err(e))
		return e;
	e = platform_install(cap, &(struct platform_remote){CAP_Frame, RIGHT_READ, a->from, o->base, o->size, 0});
	if (is_err(e)) {
		cap_slot_free(cap);
		return e;
	}
	e = frame_map(cap, done, bytes, RIGHTS(RIGHT_READ), &old);
	if (is_ok(e) && !find_block(a, o->base + done, bytes, &index, &offset))
		e = ERR(RANGE);
	if (is_ok(e))
		e = view_open(block_of(d, index), offset, bytes, &view);
	if (is_ok(e)) {
		memcpy(view.at, old, bytes);
		view_close(&view);
	}
	if (old != NULL)
		(void)!is_ok(frame_unmap(old));
	end_give_up(m, cap);
	return e;
}

/* One slice; state MAKING when all is copied. */
static err_t copy_some(struct monitor *m, struct domain *d)
{
	struct arrival *a = d->arrival;
	const struct carried_object *o;
	uint64_t bytes;
	err_t e;

	while (a->at < a->objects && !is_copied(a, a->at))
		a->at++;
	if (a->at == a->objects) {
		a->state = ARRIVE_MAKING;
		a->at = 0;
		return OK;
	}
	o = &a->object[a->at];
	bytes = o->size - a->copied < COPY_SLICE ? o->size - a->copied : COPY_SLICE;
	e = copy_slice(m, d, o, a->copied, bytes);
	a->copied += bytes;
	if (a->copied == o->size) {
		a->copied = 0;
		a->at++;
	}
	return e;
}

/* ---- Making ---- */

static err_t make_given(struct domain *d, struct carried_object *o, unsigned index, uint64_t offset)
{
	err_t e = cap_slot_alloc(&o->cap);

	if (is_err(e)) {
		o->cap = CAP_NULL;
		return e;
	}
	if (o->given && o->type == CAP_RAM)
		d->grant = o->cap;
	else if (o->given)
		d->start_frame = o->cap;
	return cap_retype(block_of(d, index)->cap, o->type, offset, o->size, 1, o->cap);
}

static err_t make_object(struct domain *d, unsigned i)
{
	struct arrival *a = d->arrival;
	struct carried_object *o = &a->object[i];
	const struct carried_object *p = parent_of(a, i);
	uint64_t offset;
	unsigned index;
	err_t e;

	if (!find_block(a, o->base, o->size, &index, &offset))
		return ERR(MESSAGE);
	if (p == NULL)
		return o->type == CAP_RAM || o->given ? make_given(d, o, index, offset) : ERR(MESSAGE);
	e = cap_slot_alloc(&o->cap);
	if (is_err(e)) {
		o->cap = CAP_NULL;
		return e;
	}
	if (p->type == CAP_Dispatcher)
		return cap_retype(p->cap, CAP_Frame, 0, 0, 1, o->cap);
	return cap_retype(p->cap, o->type, o->base - p->base, o->size, 1, o->cap);
}

static err_t make_some(struct domain *d)
{
	struct arrival *a = d->arrival;
	err_t e = OK;

	for (unsigned i = 0; is_ok(e) && i < MAKE_SLICE && a->at < a->objects; i++)
		e = make_object(d, a->at++);
	if (is_ok(e) && a->at == a->objects) {
		a->state = ARRIVE_FILLING;
		a->at = 0;
	}
	return e;
}

/* ---- Filling ---- */

static uint32_t renumbered(const struct arrival *a, uint64_t was)
{
	for (unsigned i = 0; i < a->connections; i++)
		if (a->was[i] == was)
			return a->is[i];
	return 0;
}

/* What the slot holds a copy of; CAP_NULL: nothing any more. */
static cap_t source_of(struct monitor *m, struct domain *d, const struct message_arrive_cap *c)
{
	const struct arrival *a = d->arrival;
	const struct rebound r = rebind_caps(m, renumbered(a, c->base));
	const struct carried_object *o;

	switch ((enum carried)c->what) {
	case CARRIED_OWN:
		o = find_object(a, c->base, c->size, (enum cap_type)c->type);
		return o == NULL ? CAP_NULL : o->cap;
	case CARRIED_MACHINE:
		return m->machine_frame;
	case CARRIED_RING:
		return r.ring;
	case CARRIED_PEER_RING:
		return r.peer_ring;
	case CARRIED_DOORBELL:
		return r.doorbell;
	case CARRIED_TRACE:
		return tracing_take(m, d);
	default:
		return CAP_NULL;
	}
}

static const struct carried_object *table_at(const struct arrival *a, uint64_t base)
{
	for (enum cap_type type = CAP_PageTable1; type <= CAP_PageTable4; type++) {
		const struct carried_object *o = find_object(a, base, PAGE_TABLE_BYTES, type);

		if (o != NULL)
			return o;
	}
	return NULL;
}

static err_t map_slot(const struct arrival *a, const struct message_arrive_cap *c, cap_t here)
{
	const struct carried_object *table = table_at(a, c->table);

	if (table == NULL)
		return ERR(MESSAGE);
	if (c->type >= CAP_PageTable1 && c->type <= CAP_PageTable3)
		return platform_map_table(here, c->type - CAP_PageTable1 + 1u, table->cap, c->entry);
	return platform_map_frame(here, table->cap, c->entry, c->map_rights, c->offset, c->count);
}

static err_t fill_slot(struct monitor *m, struct domain *d, const struct message_arrive_cap *c)
{
	const cap_t here = CAP(ARRIVE_WINDOW, c->cap & 0xff);
	cap_t source;
	err_t e;

	if (c->what == CARRIED_MONITOR)
		return platform_endpoint(CAP_SELF_DISPATCHER, here, d->number);
	source = source_of(m, d, c);
	if (source.value == CAP_NULL.value && c->what == CARRIED_TRACE)
		return ERR(LIMIT); /* a thread may be writing to it */
	if (source.value == CAP_NULL.value)
		return c->what == CARRIED_OWN || c->what >= CARRIED_KINDS ? ERR(MESSAGE) : OK;
	e = cap_mint(source, here, RIGHTS(c->rights), 0);
	return is_ok(e) && c->count != 0 ? map_slot(d->arrival, c, here) : e;
}

/* The CNode in that root slot, which is known by now. */
static err_t open_cnode(const struct arrival *a, unsigned root)
{
	for (unsigned i = 0; i < a->caps && a->cap[i].cap >> 8 == ROOT_SELF; i++) {
		const struct message_arrive_cap *c = &a->cap[i];
		const struct carried_object *o = find_object(a, c->base, c->size, (enum cap_type)c->type);

		if (c->cap == CAP(ROOT_SELF, root).value && c->type == CAP_CNode && o != NULL)
			return cap_copy(o->cap, CAP(ROOT_SELF, ARRIVE_WINDOW));
	}
	return ERR(MESSAGE);
}

static void close_cnode(void)
{
	(void)!is_ok(cap_delete(CAP(ROOT_SELF, ARRIVE_WINDOW)));
}

/* Some slots of one CNode. */
static err_t fill_some(struct monitor *m, struct domain *d)
{
	struct arrival *a = d->arrival;
	unsigned root = a->at < a->caps ? a->cap[a->at].cap >> 8 : 0;
	err_t e = open_cnode(a, root);

	if (is_err(e))
		return e;
	for (unsigned i = 0; is_ok(e) && i < MAKE_SLICE && a->at < a->caps && a->cap[a->at].cap >> 8 == root; i++)
		e = fill_slot(m, d, &a->cap[a->at++]);
	close_cnode();
	if (is_ok(e) && a->at == a->caps)
		a->state = ARRIVE_READY;
	return e;
}

/* ---- Its dispatcher, and what this monitor keeps ---- */

static const struct carried_object *object_in(const struct arrival *a, cap_t slot, enum cap_type type)
{
	for (unsigned i = 0; i < a->caps; i++)
		if (a->cap[i].cap == slot.value && a->cap[i].type == type)
			return find_object(a, a->cap[i].base, a->cap[i].size, type);
	return NULL;
}

static err_t keep(const struct carried_object *o, cap_t *out)
{
	err_t e = cap_slot_alloc(out);

	if (is_err(e)) {
		*out = CAP_NULL;
		return e;
	}
	return cap_copy(o->cap, *out);
}

static err_t map_start_area(struct monitor *m, struct domain *d)
{
	struct domain_start *page;
	void *at;
	err_t e = frame_map(d->start_frame, 0, DOMAIN_START_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);

	if (is_err(e))
		return e;
	d->start = at;
	page = at;
	page->core = m->core;
	page->node = m->node;
	page->moves = d->moves;
	page->ram_base = d->block.base;
	page->trace_bytes = tracing_bytes_of(m, d);
	memset(d->start + 2 * PAGE_BYTES, 0, 2 * PAGE_BYTES);
	return OK;
}

static void ring_domain(void *argument)
{
	const struct domain *d = argument;

	platform_ring(d->doorbell);
}

static err_t configure(struct monitor *m, struct domain *d)
{
	const struct arrival *a = d->arrival;
	const struct carried_object *dispatcher = object_in(a, CAP_SELF_DISPATCHER, CAP_Dispatcher);
	const struct carried_object *root = object_in(a, CAP(ROOT_SELF, ROOT_SELF), CAP_CNode),
	                            *task = object_in(a, CAP(ROOT_SELF, ROOT_TASK), CAP_CNode);
	const struct carried_object *level4 = object_in(a, CAP_PAGE_TABLE4, CAP_PageTable4);
	struct cap_identity id;
	err_t e;

	if (dispatcher == NULL || root == NULL || task == NULL || level4 == NULL)
		return ERR(STAYS);
	e = keep(dispatcher, &d->dispatcher);
	if (is_ok(e))
		e = keep(task, &d->task);
	if (is_ok(e))
		e = cap_identify(d->dispatcher, &id);
	if (is_ok(e))
		e = cap_slot_alloc(&d->doorbell);
	if (is_err(e))
		return e;
	d->dispatcher_base = id.base;
	tracing_describe(m, d);
	e = platform_doorbell(d->dispatcher, d->doorbell, &d->doorbell_base, &d->doorbell_extra);
	if (is_ok(e))
		e = platform_dispatcher_configure(d->dispatcher, root->cap, level4->cap, USER_DISPATCHER, d->name);
	if (is_ok(e))
		e = map_start_area(m, d);
	if (is_ok(e) &&
	    !channel_ok(channel_init(&d->events, d->start + 3 * PAGE_BYTES, d->start + 2 * PAGE_BYTES, DOMAIN_EVENT_SLOTS, ring_domain, d)))
		e = ERR(STATE);
	return e;
}

/* ---- The course ---- */

void handle_arrive_end(struct monitor *m, uint32_t from, const struct message_arrive_end *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	err_t e;

	if (d == NULL || d->arrival->state != ARRIVE_HEARING)
		return;
	if (message->error != ERR_NUMBER_OK) {
		rebind_rename(m, d, domain_number(m));
		drop(m, d);
		return;
	}

	e = d->block.bytes == 0 ? ERR(MESSAGE) : list_objects(d->arrival, d);
	d->arrival->state = ARRIVE_COPYING;
	if (is_err(e))
		fail(m, d, e);
}

static err_t go_on(struct monitor *m, struct domain *d)
{
	err_t e;

	switch (d->arrival->state) {
	case ARRIVE_COPYING:
		return copy_some(m, d);
	case ARRIVE_MAKING:
		return make_some(d);
	case ARRIVE_FILLING:
		e = fill_some(m, d);
		return is_ok(e) && d->arrival->state == ARRIVE_READY ? configure(m, d) : e;
	default:
		return OK;
	}
}

bool arrive_step(struct monitor *m, struct domain *d)
{
	struct arrival *a = d->arrival;
	err_t e;

	if (a->state == ARRIVE_HEARING || a->state == ARRIVE_READY)
		return false;
	e = go_on(m, d);
	if (is_err(e)) {
		report_line(m, "monitor %u: %s can't come here: %s", m->core, d->name, err_sentence(e));
		fail(m, d, e);
		return true;
	}
	if (a->state != ARRIVE_READY)
		return true;
	drop_objects(m, d);
	MESH_SEND(m, a->from, arrived, .domain = d->number, .error = ERR_NUMBER_OK);
	return false;
}

void handle_waiter(struct monitor *m, uint32_t from, const struct message_waiter *message)
{
	if (arriving_from(m, message->domain, from) != NULL && is_err(domain_wait_here(m, message->core, message->ticket, message->domain)))
		report_line(m, "monitor %u: no memory for who waits for domain %u", m->core, message->domain);
}

void handle_commit(struct monitor *m, uint32_t from, const struct message_commit *message)
{
	struct domain *d = arriving_from(m, message->domain, from);
	const bool doomed = d != NULL && (d->doomed || message->doomed || m->end != END_NOT_BEGUN);
	err_t e;

	if (d == NULL || d->arrival->state != ARRIVE_READY)
		return;
	m->domains_ending--;
	d->phase = DOMAIN_RUNNING;
	whereabouts_tell(m, d->number, m->core);
	for (unsigned i = 0; i < d->arrival->connections; i++)
		domain_event(m, d, EVENT_renumbered, (uint64_t[]){0, 0, d->arrival->was[i], d->arrival->is[i]}, 4);
	domain_event(m, d, EVENT_arrived, (uint64_t[]){0, 0, m->core, m->node}, 4);
	if (d->arrival->tag != 0)
		domain_event(m, d, EVENT_done, (uint64_t[]){d->arrival->tag, ERR_NUMBER_OK}, 2);
	rebind_commit(m, d);
	e = platform_dispatcher_start(d->dispatcher, d->arrival->entry, 0, USER_START_PAGE);
	forget(d);
	if (is_err(e) || doomed)
		domain_end(m, d, END_KILLED, 0);
}
