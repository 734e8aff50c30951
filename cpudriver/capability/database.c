/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "cpudriver/capability/database.h"

/* ---- Balance ------------------------------------------------------------------------------------ */

static unsigned height(const struct slot *n)
{
	return n ? n->height : 0;
}

static inline void refresh(struct slot *n)
{
	const struct slot *l = n->left, *r = n->right;
	uint64_t end = slot_end(n);
	unsigned h = 0;

	if (l) {
		h = l->height;
		if (l->max_end > end)
			end = l->max_end;
	}
	if (r) {
		if (r->height > h)
			h = r->height;
		if (r->max_end > end)
			end = r->max_end;
	}
	n->height = (uint8_t)(h + 1);
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

static struct slot *rotate_left(struct capabilities *c, struct slot *n)
{
	struct slot *r = n->right;

	*link_to(c, n) = r;
	r->parent = n->parent;
	n->right = r->left;
	if (n->right)
		n->right->parent = n;
	r->left = n;
	n->parent = r;
	refresh(n);
	refresh(r);
	return r;
}

static struct slot *rotate_right(struct capabilities *c, struct slot *n)
{
	struct slot *l = n->left;

	*link_to(c, n) = l;
	l->parent = n->parent;
	n->left = l->right;
	if (n->left)
		n->left->parent = n;
	l->right = n;
	n->parent = l;
	refresh(n);
	refresh(l);
	return l;
}

static bool leans(const struct slot *n)
{
	unsigned l = height(n->left), r = height(n->right);

	return l > r + 1 || r > l + 1;
}

/* Sets a node right that leans to one side. Returns the root of what was its subtree. */
static struct slot *balance(struct capabilities *c, struct slot *n)
{
	if (height(n->left) > height(n->right)) {
		if (height(n->left->left) < height(n->left->right))
			rotate_left(c, n->left);
		return rotate_right(c, n);
	}
	if (height(n->right->right) < height(n->right->left))
		rotate_right(c, n->right);
	return rotate_left(c, n);
}

/* Something below n has changed: sets heights and ends right from n upwards, as far as they change. */
static void retrace(struct capabilities *c, struct slot *n)
{
	while (n) {
		unsigned old_height = n->height;
		uint64_t old_end = n->max_end;

		if (leans(n))
			n = balance(c, n);
		else
			refresh(n);
		if (n->height == old_height && n->max_end == old_end)
			return;
		n = n->parent;
	}
}

/* A leaf was attached: the same for it alone, which can only make what is above it higher and wider. At most one place there is rotated,
 * and then as high as before. */
static void grow(struct capabilities *c, struct slot *n)
{
	const uint64_t end = n->max_end;
	struct slot *p;

	for (p = n->parent; p; p = n->parent) {
		bool wider = p->max_end < end;

		if (wider)
			p->max_end = end;
		if (p->height <= n->height) {
			p->height = n->height + 1;
			if (leans(p))
				p = balance(c, p);
		} else if (!wider) {
			return;
		}
		n = p;
	}
}

/* ---- Change ------------------------------------------------------------------------------------- */

static void attach(struct capabilities *c, struct slot *s, struct slot *parent, struct slot **link)
{
	s->left = s->right = NULL;
	s->parent = parent;
	s->height = 1;
	s->max_end = slot_end(s);
	*link = s;
	c->count++;
	grow(c, s);
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

/* A copy may stand on either side: where its source has room without growing, else where at most a single rotation follows. */
void database_insert_copy(struct capabilities *c, struct slot *s, struct slot *source)
{
	struct slot *p = source->parent;
	bool left = source->right || (!source->left && p && p->left == source);

	if (left && !source->left) {
		attach(c, s, source, &source->left);
	} else if (!source->right) {
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
		n->height = s->height;
		n->max_end = s->max_end;
		set_child(link, n, s->parent);
	}
	c->count--;
	retrace(c, from);
	if (n && n != from)
		retrace(c, n); /* nothing below it need have changed, but s no longer counts for its end */
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

void database_shrink(struct capabilities *c, struct slot *s, uint64_t size)
{
	s->size = size;
	retrace(c, s);
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
