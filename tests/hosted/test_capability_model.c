/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/any.c cpudriver/capability/arguments.c cpudriver/capability/database.c
// sources: cpudriver/capability/delete.c cpudriver/capability/kernel.c cpudriver/capability/mapping.c cpudriver/capability/nesting.c
// sources: cpudriver/capability/paging.c cpudriver/capability/retype.c cpudriver/capability/spaces.c cpudriver/capability/split.c
// sources: cpudriver/capability/table.c cpudriver/capability/types.c
// flags: -DWINDOW_START=0x200000000000 -Wno-unused-function

/* Random calls against a model that is as plain as can be: an array of capabilities, each rule a loop over it. After each call the
 * error and every capability must be what the model says. Where several obstacles stand in a deletion's way, how far it gets is
 * not modelled: then only the invariants must hold, and the model goes on from what there is. */

#include "tests/hosted/capability_moves.h"
#include "tests/hosted/random.h"

#include <cmocka.h>

#define CAPS_MAX 4096

static struct cap {
	struct slot *where;
	struct slot is;
	bool gone;
} caps[CAPS_MAX];
static unsigned count;
static bool unsure;

/* ---- The model's view --------------------------------------------------------------------------- */

static void look(void)
{
	count = 0;
	for
		EACH_SLOT(s)
		{
			assert_in_range(count, 0, CAPS_MAX - 1);
			caps[count++] = (struct cap){.where = (struct slot *)s, .is = *s};
		}
}

static struct cap *at(const struct slot *where)
{
	for (unsigned k = 0; k < count; k++)
		if (caps[k].where == where)
			return &caps[k];
	return NULL;
}

/* The slot that an address names; NULL if none. */
static struct slot *named(uint64_t word)
{
	const struct cap *cnode = word <= 0xffff ? at(&root_slots()[word >> 8]) : NULL;

	return cnode && cnode->is.type == CAP_CNode ? (struct slot *)window(PADDR(cnode->is.base)) + (word & 255) : NULL;
}

static void add(struct slot *where, const struct slot *is)
{
	caps[count++] = (struct cap){.where = where, .is = *is};
}

static void drop(struct cap *c)
{
	*c = caps[--count];
}

static uint64_t end_of(const struct cap *c)
{
	return c->is.base + c->is.size;
}
static bool same(const struct cap *a, const struct cap *b)
{
	return same_object(&a->is, &b->is);
}
static bool overlap(const struct cap *c, uint64_t base, uint64_t size)
{
	return c->is.base < base + size && base < end_of(c);
}

/* Whether a's range holds b's, and a comes first. */
static bool contains(const struct cap *a, const struct cap *b)
{
	return a->is.base <= b->is.base && end_of(a) >= end_of(b) && (a->is.size > b->is.size || a->is.type < b->is.type);
}

static unsigned copies(const struct cap *c)
{
	unsigned n = 0;

	for (unsigned k = 0; k < count; k++)
		n += !caps[k].gone && same(&caps[k], c);
	return n;
}

static bool covered(const struct cap *c)
{
	for (unsigned k = 0; k < count; k++)
		if (!caps[k].gone && contains(&caps[k], c))
			return true;
	return false;
}

static bool is_mapped_in(const struct cap *c, const struct cap *table, uint64_t first, uint64_t entries)
{
	uint64_t at_entry = c->is.extra & 0xffffffffffff, n = c->is.extra >> 48;

	return c->is.flags & CAP_FLAG_MAPPED && at_entry < table->is.base + (first + entries) * 8 &&
	       at_entry + n * 8 > table->is.base + first * 8;
}

/* Tables that were ever marked may count as remote: the model doesn't follow that. */
static bool may_be_remote(const struct cap *c)
{
	for (unsigned k = 0; k < count; k++)
		if (is_page_table(&caps[k].is) && is_mapped_in(c, &caps[k], 0, PAGE_TABLE_SLOTS) &&
		    (page_table(&caps[k].is)->shadow[0] & 63) == USES_REMOTE)
			return true;
	return false;
}

/* ---- Rules -------------------------------------------------------------------------------------- */

static enum err_number destination_rule(uint64_t cnode, uint64_t slot, struct slot **out)
{
	struct slot *where = named(cnode);
	struct cap *holder = where ? at(where) : NULL;

	if (!where)
		return ERR_NUMBER_CAP_ADDRESS;
	if (!holder)
		return ERR_NUMBER_CAP_EMPTY;
	if (holder->is.type != CAP_CNode)
		return ERR_NUMBER_CAP_TYPE;
	if (!(holder->is.rights & RIGHT_WRITE))
		return ERR_NUMBER_CAP_RIGHTS;
	if (slot > 255)
		return ERR_NUMBER_ARGUMENT;
	*out = (struct slot *)window(PADDR(holder->is.base)) + slot;
	return at(*out) ? ERR_NUMBER_SLOT_IN_USE : ERR_NUMBER_OK;
}

static enum err_number copy_rule(const struct cap *self, const uint64_t *w, uint64_t rights, uint64_t badge)
{
	struct slot *out, copy = self->is;
	enum err_number e = destination_rule(w[0], w[1], &out);

	if (e)
		return e;
	if (rights > 15 || (badge && (copy.type != CAP_Endpoint || copy.extra)))
		return ERR_NUMBER_ARGUMENT;
	copy.rights &= rights;
	copy.flags &= CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN;
	if (copy.type != CAP_Endpoint && copy.type != CAP_Doorbell)
		copy.extra = 0;
	if (badge)
		copy.extra = badge;
	add(out, &copy);
	return ERR_NUMBER_OK;
}

static enum err_number move_rule(struct cap *self, const uint64_t *w)
{
	struct slot *out;
	enum err_number e = destination_rule(w[0], w[1], &out);

	if (!e)
		self->where = out;
	return e;
}

static enum err_number retype_range_rule(const struct cap *self, unsigned type, uint64_t n, uint64_t offset, uint64_t bytes, uint64_t *size)
{
	const struct type_facts *f = &type_facts[type];

	if (f->bytes && bytes && bytes != f->bytes)
		return ERR_NUMBER_ARGUMENT;
	*size = f->bytes ? f->bytes : bytes;
	if (offset % f->alignment || *size % f->alignment)
		return ERR_NUMBER_ALIGNMENT;
	if (!*size)
		return ERR_NUMBER_ARGUMENT;
	if (offset > self->is.size || *size > self->is.size || n * *size > self->is.size - offset)
		return ERR_NUMBER_RANGE;
	for (unsigned k = 0; k < count; k++)
		if (overlap(&caps[k], self->is.base + offset, n * *size) && !same(&caps[k], self) && !contains(&caps[k], self))
			return ERR_NUMBER_OVERLAP;
	return ERR_NUMBER_OK;
}

/* What the number means, and where in the dispatcher the object is. */
static uint64_t part_of_dispatcher(const struct cap *dispatcher, unsigned type, uint64_t *number, struct slot *made)
{
	const uint64_t n = *number;

	*number = 0;
	if (type == CAP_Endpoint)
		made->extra = n;
	if (type == CAP_Doorbell)
		made->extra = dispatcher->is.base / DISPATCHER_BYTES;
	if (type == CAP_Frame)
		*number = DISPATCHER_SHARED_OFFSET;
	if (type == CAP_Frame)
		return DISPATCHER_SHARED_BYTES;
	if (type != CAP_Doorbell || n == 0)
		return dispatcher->is.size;
	*number = (n - 1) * PAGE_BYTES;
	return PAGE_BYTES;
}

static enum err_number retype_rule(const struct cap *source, const uint64_t *w)
{
	const struct cap copy = *source, *self = &copy; /* the array grows below */
	unsigned type = w[2] & 0xff;
	uint64_t n = w[2] >> 8, offset = w[3], size = 0, step;
	struct slot *out, made = {.type = (uint8_t)type, .owner = self->is.owner};
	enum err_number e = destination_rule(w[0], w[1], &out);

	if (e)
		return e;
	if (!n || n > 256 - w[1])
		return ERR_NUMBER_ARGUMENT;
	for (uint64_t k = 0; k < n; k++)
		if (at(out + k))
			return ERR_NUMBER_SLOT_IN_USE;
	if (!type || type >= CAP_TYPES)
		return ERR_NUMBER_ARGUMENT;
	if (!(type_facts[type].sources >> self->is.type & 1))
		return ERR_NUMBER_RETYPE;
	if (self->is.flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN))
		return ERR_NUMBER_NEEDS_AGREEMENT;
	if (self->is.type == CAP_Dispatcher) {
		if (w[4] || offset > (type == CAP_Endpoint ? UINT64_MAX : type == CAP_Doorbell ? DOORBELLS : 0))
			return ERR_NUMBER_ARGUMENT;
		size = part_of_dispatcher(self, type, &offset, &made);
		step = 0;
	} else {
		e = retype_range_rule(self, type, n, offset, w[4], &size);
		step = size;
	}
	if (e)
		return e;
	made.rights = self->is.rights & type_facts[type].rights;
	if (type == CAP_Doorbell && size == DISPATCHER_BYTES)
		made.rights &= (uint8_t)~RIGHT_CONTROL;
	made.size = size;
	for (uint64_t k = 0; k < n; k++) {
		made.base = self->is.base + offset + k * step;
		add(out + k, &made);
	}
	return ERR_NUMBER_OK;
}

/* ---- Deletion: what goes, until nothing more goes ----------------------------------------------- */

static bool lies_in(const struct slot *where, const struct cap *container)
{
	const struct slot *inside = window(PADDR(container->is.base));

	return container->is.type == CAP_CNode && where >= inside && where < inside + CNODE_SLOTS;
}

static bool is_dead(const struct cap *c)
{
	return c->gone && !copies(c);
}

static void spread(void)
{
	for (bool again = true; again;) {
		again = false;
		for (unsigned k = 0; k < count; k++)
			for (unsigned d = 0; d < count && !caps[k].gone; d++)
				if (caps[d].gone && is_container(&caps[d].is) && is_dead(&caps[d]) &&
				    (lies_in(caps[k].where, &caps[d]) ||
				     (caps[d].is.type == CAP_Dispatcher && contains(&caps[d], &caps[k]))))
					caps[k].gone = again = true;
	}
}

/* Whether something may keep a capability that `spread` took. */
static bool may_resist(const struct cap *c)
{
	if (may_be_remote(c))
		return true;
	if (!is_dead(c) || is_free_doorbell(&c->is))
		return false;
	return c->is.flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN) || !covered(c);
}

/* Removes what is gone; `kept` is what the call itself answers for. */
static void settle(const struct cap *kept)
{
	spread();
	for (unsigned k = 0; k < count; k++)
		if (caps[k].gone && &caps[k] != kept && may_resist(&caps[k]))
			unsure = true;
	for (unsigned k = 0; k < count; k++)
		for (unsigned d = 0; d < count; d++)
			if (is_page_table(&caps[d].is) && is_dead(&caps[d]) && is_mapped_in(&caps[k], &caps[d], 0, PAGE_TABLE_SLOTS)) {
				caps[k].is.flags &= (uint8_t)~CAP_FLAG_MAPPED;
				caps[k].is.extra = 0;
			}
	for (unsigned k = count; k-- > 0;)
		if (caps[k].gone)
			drop(&caps[k]);
}

static const unsigned stays = 1u << CAP_RAM | 1u << CAP_DeviceFrame | 1u << CAP_IoPorts | 1u << CAP_Interrupt | 1u << CAP_Kernel;

static enum err_number delete_rule(struct cap *self)
{
	const struct slot is = self->is;
	struct slot *const where = self->where;
	bool last = copies(self) == 1, owns = last && !covered(self) && !(is.flags & CAP_FLAG_FOREIGN);
	bool name = is.type == CAP_Endpoint || is.type == CAP_Doorbell;

	if (last && !is_free_doorbell(&is) && is.flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN))
		return ERR_NUMBER_NEEDS_AGREEMENT;
	if (owns && stays >> is.type & 1)
		return ERR_NUMBER_LAST_COPY;
	if (may_be_remote(self))
		return ERR_NUMBER_NEEDS_AGREEMENT;
	self->gone = true;
	for (unsigned k = 0; is.type == CAP_Frame && owns && k < count; k++)
		if (contains(self, &caps[k]))
			caps[k].gone = true;
	settle(self);
	if (owns && !name)
		add(where, &(struct slot){.base = is.base, .size = is.size, .type = CAP_RAM, .rights = RIGHTS_ALL, .owner = is.owner});
	return ERR_NUMBER_OK;
}

static enum err_number revoke_rule(struct cap *self)
{
	for (unsigned k = 0; k < count; k++)
		if (&caps[k] != self && (same(&caps[k], self) || contains(self, &caps[k])))
			caps[k].gone = true;
	settle(NULL);
	return ERR_NUMBER_OK;
}

/* ---- Mapping ------------------------------------------------------------------------------------ */

static enum err_number table_rule(uint64_t word, const struct cap **table)
{
	struct slot *where = named(word);

	*table = where ? at(where) : NULL;
	if (!where)
		return ERR_NUMBER_CAP_ADDRESS;
	if (!*table)
		return ERR_NUMBER_CAP_EMPTY;
	if (!is_page_table(&(*table)->is))
		return ERR_NUMBER_CAP_TYPE;
	if (!((*table)->is.rights & RIGHT_WRITE))
		return ERR_NUMBER_CAP_RIGHTS;
	return (*table)->is.flags & CAP_FLAG_FOREIGN ? ERR_NUMBER_NOT_OWNER : ERR_NUMBER_OK;
}

static enum err_number entries_rule(struct cap *self, const struct cap *table, uint64_t first, uint64_t n)
{
	if (!n || n > 512 || first > 512 - n)
		return ERR_NUMBER_ARGUMENT;
	for (unsigned k = 0; k < count; k++)
		if (is_mapped_in(&caps[k], table, first, n))
			return ERR_NUMBER_MAPPED;
	self->is.flags |= CAP_FLAG_MAPPED;
	self->is.extra = (table->is.base + first * 8) | n << 48;
	return ERR_NUMBER_OK;
}

static enum err_number map_rule(struct cap *self, const uint64_t *w)
{
	const struct cap *table;
	enum err_number e = table_rule(w[0], &table);
	uint64_t page;

	if (e)
		return e;
	if (self->is.flags & CAP_FLAG_MAPPED)
		return ERR_NUMBER_MAPPED;
	if (is_page_table(&self->is)) {
		if (table->is.type != self->is.type + 1)
			return ERR_NUMBER_LEVEL;
		if (table->is.type == CAP_PageTable4 && w[1] >= 255)
			return ERR_NUMBER_ARGUMENT;
		return entries_rule(self, table, w[1], 1);
	}
	if (w[2] > 7 || !(w[2] & RIGHT_READ))
		return ERR_NUMBER_ARGUMENT;
	if (w[2] & ~(uint64_t)self->is.rights || (w[2] & RIGHT_WRITE && w[2] & RIGHT_EXECUTE))
		return ERR_NUMBER_CAP_RIGHTS;
	if (table->is.type == CAP_PageTable4)
		return ERR_NUMBER_LEVEL;
	page = UINT64_C(1) << (12 + 9 * (table->is.type - CAP_PageTable1));
	if (w[3] > self->is.size)
		return ERR_NUMBER_RANGE;
	if ((self->is.base + w[3]) % page)
		return ERR_NUMBER_ALIGNMENT;
	if (w[4] > (self->is.size - w[3]) / page)
		return ERR_NUMBER_RANGE;
	return entries_rule(self, table, w[1], w[4]);
}

static enum err_number unmap_rule(struct cap *self)
{
	if (!(self->is.flags & CAP_FLAG_MAPPED))
		return ERR_NUMBER_NOT_MAPPED;
	if (may_be_remote(self))
		return ERR_NUMBER_NEEDS_AGREEMENT;
	self->is.flags &= (uint8_t)~CAP_FLAG_MAPPED;
	self->is.extra = 0;
	return ERR_NUMBER_OK;
}

/* ---- One call ----------------------------------------------------------------------------------- */

/* Changes the model as the call should change the world. Kernel's own operations have tests of their own (test_capability_kernel.c). */
static enum err_number rule(const struct move *m)
{
	struct slot *where = named(m->cap.value);
	struct cap *self = where ? at(where) : NULL;
	uint64_t rights;

	if (!where)
		return ERR_NUMBER_CAP_ADDRESS;
	if (!self)
		return ERR_NUMBER_CAP_EMPTY;
	if (m->op >= OPERATION_LIMIT || operation_handler[self->is.type][m->op] == no_operation)
		return ERR_NUMBER_OPERATION;
	rights = operation_rights[self->is.type][m->op];
	if (rights & ~(uint64_t)self->is.rights)
		return ERR_NUMBER_CAP_RIGHTS;
	switch (m->op) {
	case OP_Any_identify:
		return ERR_NUMBER_OK;
	case OP_Any_copy:
		return copy_rule(self, m->word, RIGHTS_ALL, 0);
	case OP_Any_mint:
		return copy_rule(self, m->word, m->word[2], m->word[3]);
	case OP_Any_move:
		return move_rule(self, m->word);
	case OP_Any_retype:
		return retype_rule(self, m->word);
	case OP_Any_delete:
		return delete_rule(self);
	case OP_Any_revoke:
		return self->is.flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN) ? ERR_NUMBER_NEEDS_AGREEMENT : revoke_rule(self);
	}
	if (self->is.type == CAP_Frame || self->is.type == CAP_DeviceFrame || is_page_table(&self->is))
		return m->op == OP_Frame_map ? map_rule(self, m->word) : unmap_rule(self);
	unsure = true;
	return ERR_NUMBER_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct cap *x = a, *y = b;

	return x->where < y->where ? -1 : x->where > y->where;
}

static void compare_with_world(void)
{
	static struct cap expected[CAPS_MAX];
	unsigned expected_count;

	if (!at(&root_slots()[ROOT_SELF])) { /* as make_move does */
		struct cap *holder = at(&world.holder);

		assert_non_null(holder);
		add(&root_slots()[ROOT_SELF], &holder->is);
	}
	expected_count = count;
	memcpy(expected, caps, count * sizeof caps[0]);
	look();
	assert_int_equal(count, expected_count);
	qsort(expected, count, sizeof expected[0], by_place);
	qsort(caps, count, sizeof caps[0], by_place);
	for (unsigned k = 0; k < count; k++) {
		assert_ptr_equal(caps[k].where, expected[k].where);
		assert_true(same(&caps[k], &expected[k]));
		assert_int_equal(caps[k].is.rights, expected[k].is.rights);
		assert_int_equal(caps[k].is.flags & 7, expected[k].is.flags & 7);
		assert_int_equal(caps[k].is.owner, expected[k].is.owner);
		assert_int_equal(caps[k].is.extra, expected[k].is.extra);
	}
}

#define SEEDS 30
#define MOVES 1000

static void random_calls(void **state)
{
	unsigned sure = 0, deletions = 0;

	(void)state;
	next_number = random_number;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		random_state = seed * 7919;
		world_begin();
		MUST(slot_make(&world.caps, &root_slots()[3], CAP_Frame, MIB, 64 * PAGE_BYTES, RIGHTS(RIGHTS_ALL)));
		for (unsigned n = 0; n < MOVES; n++) {
			struct move m = random_move();
			enum err_number expected;
			err_t e;

			if (is_suicide(&m))
				continue;
			look();
			unsure = false;
			expected = rule(&m);
			do
				e = make_move(&m);
			while (err_is(e, ERR_NUMBER_AGAIN));
			check_world();
			if (unsure)
				continue;
			if (e.number != expected)
				fail_msg("seed %u, call %u: operation %u answered %u, not %u", seed, n, m.op, e.number, expected);
			compare_with_world();
			sure++;
			deletions += is_ok(e) && (m.op == OP_Any_delete || m.op == OP_Any_revoke);
		}
		take_everything_back();
		world_end();
	}
	assert_in_range(sure, SEEDS * MOVES * 8 / 10, SEEDS * MOVES);
	assert_in_range(deletions, SEEDS * MOVES / 50, SEEDS * MOVES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_calls)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
