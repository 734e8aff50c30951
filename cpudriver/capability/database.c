/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "cpudriver/capability/database.h"

/* ---- Balance ------------------------------------------------------------------------------------ */

static unsigned rank(const struct slot *n)
{
	return n ? n->rank : 0;
}

static void refresh_end(struct slot *n)
{
	const struct slot *l = n->left, *r = n->right;
	uint64_t end = slot_end(n);

	if (l && l->max_end > end)
		end = l->max_end;
	if (r && r->max_end > end)
		end = r->max_end;
	n->max_end = end;
}

/* Where the tree refers to a node from above. */
static struct slot **link_to(struct capabilities *c, const struct slot *n)
{
	struct slot *p = n->parent;

	if (!p)
		return &c->root;
	return p->left == n ? &p->left : &p->right;
}

/* The right child takes the place of n. */
static void rotate_left(struct capabilities *c, struct slot *n)
{
	struct slot *r = n->right;

	*link_to(c, n) = r;
	r->parent = n->parent;
	n->right = r->left;
	if (n->right)
		n->right->parent = n;
	r->left = n;
	n->parent = r;
	r->max_end = n->max_end;
	refresh_end(n);
}

static void rotate_right(struct capabilities *c, struct slot *n)
{
	struct slot *l = n->left;

	*link_to(c, n) = l;
	l->parent = n->parent;
	n->left = l->right;
	if (n->left)
		n->left->parent = n;
	l->right = n;
	n->parent = l;
	l->max_end = n->max_end;
	refresh_end(n);
}

/* A child takes the place of its parent. */
static void rotate_up(struct capabilities *c, struct slot *n)
{
	if (n->parent->left == n)
		rotate_right(c, n->parent);
	else
		rotate_left(c, n->parent);
}

/* n has grown to its parent's rank, and the sibling is two below that. */
static void rotate_grown(struct capabilities *c, struct slot *n, struct slot *p)
{
	struct slot *inner = p->left == n ? n->right : n->left;

	if (n->rank - rank(inner) == 1) {
		rotate_up(c, inner);
		inner->rank++;
		n->rank--;
		n = inner;
	}
	rotate_up(c, n);
	p->rank--;
}

/* A leaf was attached to p. */
static void grow(struct capabilities *c, struct slot *leaf, struct slot *p)
{
	const uint64_t end = leaf->max_end;
	struct slot *n = p;

	for (struct slot *q = p; q && q->max_end < end; q = q->parent)
		q->max_end = end;
	if (p->rank > 1)
		return;
	p->rank = 2; /* it was one itself */
	while ((p = n->parent) && p->rank == n->rank) {
		if (p->rank - rank(p->left == n ? p->right : p->left) == 2) {
			rotate_grown(c, n, p);
			return;
		}
		p->rank++;
		n = p;
	}
}

/* One child of p is three below it; its sibling, `high`, one, and has a child that is one below itself. */
static void rotate_shrunk(struct capabilities *c, struct slot *p, struct slot *high)
{
	struct slot *outer = p->left == high ? high->left : high->right, *inner = p->left == high ? high->right : high->left;

	if (high->rank - rank(outer) == 1) {
		rotate_up(c, high);
		high->rank++;
		p->rank = p->left || p->right ? p->rank - 1 : 1;
	} else {
		rotate_up(c, inner);
		rotate_up(c, inner);
		inner->rank += 2;
		high->rank--;
		p->rank -= 2;
	}
}

/* Something below p has lost rank, or is gone. */
static void shrink(struct capabilities *c, struct slot *p)
{
	for (; p; p = p->parent) {
		struct slot *l = p->left, *r = p->right, *high = rank(l) > rank(r) ? l : r;

		if (!high) {
			if (p->rank == 1)
				return;
			p->rank = 1;
			continue;
		}
		if (p->rank - rank(high == l ? r : l) < 3)
			return;
		if (p->rank - high->rank == 1) {
			if (high->rank - rank(high->left) == 1 || high->rank - rank(high->right) == 1) {
				rotate_shrunk(c, p, high);
				return;
			}
			high->rank--;
		}
		p->rank--;
	}
}

/* A range at or below p may end earlier now. */
static void narrow(struct slot *p)
{
	uint64_t before;

	for (; p; p = p->parent) {
		before = p->max_end;
		refresh_end(p);
		if (p->max_end == before)
			return;
	}
}

/* ---- Change ------------------------------------------------------------------------------------- */

static void attach(struct capabilities *c, struct slot *s, struct slot *parent, struct slot **link)
{
	s->left = s->right = NULL;
	s->parent = parent;
	s->rank = 1;
	s->max_end = slot_end(s);
	*link = s;
	c->count++;
	if (parent)
		grow(c, s, parent);
}

static struct slot *leftmost(struct slot *n)
{
	while (n->left)
		n = n->left;
	return n;
}

static struct slot *rightmost(struct slot *n)
{
	while (n->right)
		n = n->right;
	return n;
}

void database_insert(struct capabilities *c, struct slot *s, struct slot *next)
{
	struct slot *p;

	if (!c->root) {
		attach(c, s, NULL, &c->root);
	} else if (next && !next->left) {
		attach(c, s, next, &next->left);
	} else {
		p = rightmost(next ? next->left : c->root);
		attach(c, s, p, &p->right);
	}
}

void database_insert_copy(struct capabilities *c, struct slot *s, struct slot *source)
{
	struct slot *p;

	if (!source->right) {
		attach(c, s, source, &source->right);
	} else {
		p = leftmost(source->right);
		attach(c, s, p, &p->left);
	}
}

static void set_child(struct slot **link, struct slot *child, struct slot *parent)
{
	*link = child;
	if (child)
		child->parent = parent;
}

void database_remove(struct capabilities *c, struct slot *s)
{
	struct slot **link = link_to(c, s);
	struct slot *from = s->parent, *n = NULL;

	if (!s->left) {
		set_child(link, s->right, s->parent);
	} else if (!s->right) {
		set_child(link, s->left, s->parent);
	} else {
		/* the next one in order takes its place */
		n = leftmost(s->right);
		from = n;
		if (n->parent != s) {
			from = n->parent;
			set_child(&from->left, n->right, from);
			set_child(&n->right, s->right, n);
		}
		set_child(&n->left, s->left, n);
		n->rank = s->rank;
		n->max_end = s->max_end;
		set_child(link, n, s->parent);
	}
	c->count--;
	narrow(from);
	if (n && n != from)
		narrow(n); /* nothing below it need have changed, but s no longer counts for its end */
	shrink(c, from);
}

void database_move(struct capabilities *c, struct slot *from, struct slot *to)
{
	*link_to(c, from) = to;
	*to = *from;
	if (to->left)
		to->left->parent = to;
	if (to->right)
		to->right->parent = to;
	*from = (struct slot){0};
}

void database_shrink(struct slot *s, uint64_t size)
{
	s->size = size;
	narrow(s);
}

/* ---- Search ------------------------------------------------------------------------------------- */

struct slot *database_next(const struct slot *s)
{
	const struct slot *n = s;

	if (n->right)
		return leftmost(n->right);
	while (n->parent && n->parent->right == n)
		n = n->parent;
	return n->parent;
}

struct slot *database_previous(const struct slot *s)
{
	const struct slot *n = s;

	if (n->left)
		return rightmost(n->left);
	while (n->parent && n->parent->left == n)
		n = n->parent;
	return n->parent;
}

struct slot *database_after(const struct capabilities *c, const struct slot *object)
{
	struct slot *n = c->root, *found = NULL;

	while (n) {
		if (object_before(object, n)) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

struct slot *database_not_before(const struct capabilities *c, const struct slot *object)
{
	struct slot *n = c->root, *found = NULL;

	while (n) {
		if (!object_before(n, object)) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

struct slot *database_from(const struct capabilities *c, uint64_t address)
{
	const struct slot first = {.base = address, .size = UINT64_MAX};

	return database_not_before(c, &first);
}

static bool reaches(const struct slot *n, uint64_t address)
{
	return n && n->max_end > address;
}

/* The first in n's subtree, one of which does. */
static struct slot *first_in(struct slot *n, uint64_t address)
{
	for (;;) {
		if (reaches(n->left, address))
			n = n->left;
		else if (slot_end(n) > address)
			return n;
		else
			n = n->right;
	}
}

static struct slot *last_in(struct slot *n, uint64_t address)
{
	for (;;) {
		if (reaches(n->right, address))
			n = n->right;
		else if (slot_end(n) > address)
			return n;
		else
			n = n->left;
	}
}

struct slot *database_first_reaching(const struct capabilities *c, uint64_t address)
{
	return reaches(c->root, address) ? first_in(c->root, address) : NULL;
}

struct slot *database_reaching(const struct slot *s, uint64_t address)
{
	const struct slot *n = s;

	while (n) {
		if (slot_end(n) > address)
			return (struct slot *)n;
		if (reaches(n->right, address))
			return first_in(n->right, address);
		while (n->parent && n->parent->right == n)
			n = n->parent;
		n = n->parent;
	}
	return NULL;
}

struct slot *database_last_reaching(const struct capabilities *c, const struct slot *s, uint64_t address)
{
	const struct slot *n = s;

	if (!n)
		return reaches(c->root, address) ? last_in(c->root, address) : NULL;
	for (;;) {
		if (reaches(n->left, address))
			return last_in(n->left, address);
		while (n->parent && n->parent->left == n)
			n = n->parent;
		n = n->parent;
		if (!n || slot_end(n) > address)
			return (struct slot *)n;
	}
}

struct slot *database_last_below(const struct capabilities *c, uint64_t address)
{
	struct slot *n = c->root, *found = NULL;

	while (n) {
		if (n->base < address) {
			found = n;
			n = n->right;
		} else {
			n = n->left;
		}
	}
	return found;
}
