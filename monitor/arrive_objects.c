/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a domain that comes here is made of. Every object of its old place is known by its address there; it is made once, for this monitor,
 * in the new block at the same distance from the beginning, and out of the smallest object that contains it. What was in the frames is
 * copied before that, while the blocks are still nothing but memory. */

#include <stdlib.h>
#include <string.h>

#include "monitor/arrive.h"
#include "monitor/block.h"
#include "monitor/foreign_frame.h"
#include "monitor/move.h"

#define COPY_SLICE (256 * KIB)

/* ---- Where they are ---- */

/* What the domain may make objects of in that block. */
static uint64_t usable(const struct domain *d, unsigned index)
{
	return index == 0 ? d->block.bytes - DOMAIN_START_BYTES : d->grant_of[index - 1].block.bytes - PAGE_BYTES;
}

/* The block that the old range was in, and how far into it. */
static bool find_block(const struct arrival *a, uint64_t base, uint64_t bytes, unsigned *index, uint64_t *offset)
{
	for (unsigned i = 0; i < ARRIVAL_BLOCKS; i++) {
		*index = i;
		*offset = base - a->old[i].base;
		if (base >= a->old[i].base && *offset < a->old[i].bytes && bytes <= a->old[i].bytes - *offset)
			return true;
	}
	return false;
}

/* ---- Which there are ---- */

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
	for (unsigned i = 1; i < ARRIVAL_BLOCKS; i++)
		if (a->old[i].bytes != 0)
			a->object[a->objects++] = (struct carried_object){a->old[i].base, usable(d, i), CAP_RAM, CAP_NULL, false};
}

err_t arrival_list_objects(struct arrival *a, const struct domain *d)
{
	unsigned kept = 0;

	a->object = calloc(a->caps + ARRIVAL_BLOCKS + 1, sizeof(*a->object));
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

struct carried_object *arrival_find_object(const struct arrival *a, uint64_t base, uint64_t size, enum cap_type type)
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
	const struct arrival *a = d->arrival;
	const struct platform_remote what = {CAP_Frame, RIGHT_READ, a->from, o->base, o->size, 0};
	struct foreign_frame old;
	struct view view;
	uint64_t offset;
	unsigned index;
	err_t e = foreign_frame_open(m, &what, done, bytes, &old);

	if (is_err(e))
		return e;
	if (!find_block(a, o->base + done, bytes, &index, &offset))
		e = ERR(RANGE);
	if (is_ok(e))
		e = view_open(arrival_block(d, index), offset, bytes, &view);
	if (is_ok(e)) {
		memcpy(view.at, old.at, bytes);
		view_close(&view);
	}
	foreign_frame_close(m, &old);
	return e;
}

err_t arrival_copy_some(struct monitor *m, struct domain *d)
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
	return cap_retype(arrival_block(d, index)->cap, o->type, offset, o->size, 1, o->cap);
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

err_t arrival_make_some(struct domain *d)
{
	struct arrival *a = d->arrival;
	err_t e = OK;

	for (unsigned i = 0; is_ok(e) && i < ARRIVAL_MAKE_SLICE && a->at < a->objects; i++)
		e = make_object(d, a->at++);
	if (is_ok(e) && a->at == a->objects) {
		a->state = ARRIVE_FILLING;
		a->at = 0;
	}
	return e;
}
