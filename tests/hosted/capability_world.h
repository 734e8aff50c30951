/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A core's worth of physical memory and one domain, for tests of cpudriver/capability. The including test compiles the real files
 * with -DWINDOW_START=0x200000000000, where this maps the memory.
 *
 * The domain's root CNode is uncovered, its capability is in `holder` (as a dispatcher would have it), and its slot 0 holds it too, so
 * CAP(0, n) is its slot n. ROOT_RAM holds all RAM. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/capability/capability.h"
#include "cpudriver/capability/database.h"
#include "cpudriver/capability/delete.h"
#include "cpudriver/capability/paging.h"
#include "cpudriver/capability/types.h"

#define MEMORY_BYTES (64 * MIB)
#define ROOT_BASE    UINT64_C(0x10000) /* the root CNode */
#define TABLE_BASE   UINT64_C(0x20000) /* the table that is loaded */
#define RAM_BASE     (2 * MIB)
#define RAM_BYTES    (MEMORY_BYTES - RAM_BASE)
#define ROOT_RAM     1
#define ROOT_KERNEL  2
#define THIS_CORE    3

struct world {
	struct capabilities caps;
	struct slot holder;
	struct invocation last;
	unsigned flushes, page_flushes, ends, begins, lost, interrupts_lost;
	vaddr_t flushed_page;
	paddr_t loaded;
	bool no_doorbells;
};

static struct world world;

/* ---- What the capability code asks of its surroundings ------------------------------------------ */

void tlb_flush_all(void)
{
	world.flushes++;
}

void tlb_flush_page(vaddr_t page)
{
	world.page_flushes++;
	world.flushed_page = page;
}

paddr_t running_page_table4(void)
{
	return world.loaded;
}

#define BINDINGS_OFFSET 128
#define BINDINGS        2

void dispatcher_begin(paddr_t dispatcher)
{
	world.begins++;
	*(uint64_t *)window(dispatcher) = 0xd15;
}

void dispatcher_end(paddr_t dispatcher)
{
	(void)dispatcher;
	world.ends++;
}

struct slot *dispatcher_slots(paddr_t dispatcher, unsigned *count)
{
	*count = BINDINGS;
	return window(PADDR(dispatcher.value + BINDINGS_OFFSET));
}

void dispatcher_binding_lost(struct slot *slot)
{
	if (slot->type == CAP_PageTable4 && slot->base == world.loaded.value)
		world.loaded = PADDR(TABLE_BASE);
	world.lost++;
}

err_t dispatcher_doorbell_index(paddr_t dispatcher, uint64_t *index)
{
	*index = dispatcher.value / DISPATCHER_BYTES;
	return world.no_doorbells ? ERR(LIMIT) : OK;
}

void interrupt_binding_lost(struct slot *interrupt)
{
	(void)interrupt;
	world.interrupts_lost++;
}

/* Handlers that belong to other parts of the CPU driver; the ones under test replace these. */
#define INVOCATION(type, name, number, rights)                                                                                             \
	__attribute__((weak)) err_t op_##type##_##name(struct invocation *i)                                                               \
	{                                                                                                                                  \
		(void)i;                                                                                                                   \
		return ERR(NOT_SUPPORTED);                                                                                                 \
	}
#include "cpudriver/abi/invocations.def"
#undef INVOCATION

/* ---- The world ---------------------------------------------------------------------------------- */

static struct slot *root_slots(void)
{
	return window(PADDR(ROOT_BASE));
}

static void must(err_t e, const char *what)
{
	if (is_err(e)) {
		fprintf(stderr, "%s: error %u\n", what, e.number);
		abort();
	}
}
#define MUST(call) must(call, #call)

static void world_begin(void)
{
	void *memory = mmap((void *)WINDOW_START, MEMORY_BYTES, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	if (memory != (void *)WINDOW_START)
		abort();
	world = (struct world){.loaded = PADDR(TABLE_BASE)};
	world.caps.core = THIS_CORE;
	world.caps.huge_pages = true;
	world.caps.no_execute = PTE_NO_EXECUTE;
	for (unsigned k = PAGE_TABLE_SLOTS / 2; k < PAGE_TABLE_SLOTS; k++)
		((struct page_table *)window(world.loaded))->entry[k] = k << 12 | 3;

	MUST(slot_make(&world.caps, &world.holder, CAP_CNode, ROOT_BASE, CNODE_BYTES, RIGHTS(RIGHTS_ALL)));
	slot_copy(&world.caps, &world.holder, &root_slots()[ROOT_SELF], RIGHTS(RIGHTS_ALL));
	MUST(slot_make(&world.caps, &root_slots()[ROOT_RAM], CAP_RAM, RAM_BASE, RAM_BYTES, RIGHTS(RIGHTS_ALL)));
	MUST(slot_make(&world.caps, &root_slots()[ROOT_KERNEL], CAP_Kernel, 0, 0, RIGHTS(RIGHTS_ALL)));
}

static void world_end(void)
{
	munmap((void *)WINDOW_START, MEMORY_BYTES);
}

/* One call, as the CPU driver would make it. Results are in world.last.value. */
static err_t call(cap_t cap, unsigned op, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	world.last = (struct invocation){
	    .self = cap_slot(root_slots(), cap), .word = {w0, w1, w2, w3, w4}, .root = root_slots(), .caps = &world.caps};
	return world.last.self ? cap_invoke(&world.last, op) : ERR(CAP_ADDRESS);
}

#define CALL_5(cap, op, a, b, c, d, e, ...) call(cap, OP_##op, a, b, c, d, e)
#define CALL(cap, ...)                      CALL_5(cap, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define ROOT_SLOT(n)                        CAP(ROOT_SELF, n)
#define IN_ROOT                             CAP(ROOT_SELF, ROOT_SELF).value
#define TYPE_COUNT(type, count)             (CAP_##type | (uint64_t)(count) << 8)

static unsigned world_calls; /* of the last `repeat` */

/* The same until it no longer answers AGAIN. */
static err_t repeat(cap_t cap, unsigned op, uint64_t w0)
{
	err_t e = ERR(AGAIN);

	for (world_calls = 0; err_is(e, ERR_NUMBER_AGAIN); world_calls++)
		e = call(cap, op, w0, 0, 0, 0, 0);
	return e;
}

/* ---- Invariants --------------------------------------------------------------------------------- */

#define HOLDS_TRUE(condition, s) holds_true(condition, #condition, s)
static void holds_true(bool condition, const char *what, const struct slot *s)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s", what);
	if (s)
		fprintf(stderr, " for type %u [%#lx, +%#lx)", s->type, s->base, s->size);
	fprintf(stderr, "\n");
	abort();
}

static bool is_container(const struct slot *s)
{
	return s->type == CAP_CNode || s->type == CAP_Dispatcher || s->type >= CAP_TYPES;
}

static struct slot *slots_in(const struct slot *s, unsigned *count)
{
	*count = CNODE_SLOTS;
	return s->type == CAP_CNode || s->type == CAP_ZOMBIE_CNODE ? cnode_slots(s) : dispatcher_slots(PADDR(s->base), count);
}

/* Ranks, ends, links; returns the number of nodes. */
static uint64_t check_tree(const struct slot *n, const struct slot *parent)
{
	uint64_t count, end;
	unsigned l, r;

	if (!n)
		return 0;
	HOLDS_TRUE(n->parent == parent, n);
	HOLDS_TRUE(n->type != CAP_Null && n->type < CAP_TYPES_ALL, n);
	count = 1 + check_tree(n->left, n) + check_tree(n->right, n);
	l = n->left ? n->left->rank : 0;
	r = n->right ? n->right->rank : 0;
	HOLDS_TRUE(n->rank == l + 1 || n->rank == l + 2, n);
	HOLDS_TRUE(n->rank == r + 1 || n->rank == r + 2, n);
	HOLDS_TRUE(n->left || n->right || n->rank == 1, n);
	end = slot_end(n);
	if (n->left && n->left->max_end > end)
		end = n->left->max_end;
	if (n->right && n->right->max_end > end)
		end = n->right->max_end;
	HOLDS_TRUE(n->max_end == end, n);
	return count;
}

static const struct slot *first_slot(void)
{
	const struct slot *n = world.caps.root;

	while (n && n->left)
		n = n->left;
	return n;
}

#define EACH_SLOT(s) (const struct slot *s = first_slot(); s; s = database_next(s))

/* Order; nesting, and that nothing lies in what it can't come from; all RAM is still somebody's. */
static void check_ranges(void)
{
	const struct slot *around[256];
	uint64_t covered = RAM_BASE;
	unsigned depth = 0;

	for
		EACH_SLOT(s)
		{
			const struct slot *next = database_next(s);

			HOLDS_TRUE(!next || !object_before(next, s), s);
			HOLDS_TRUE(!next || database_previous(next) == s, s);
			while (depth && slot_end(around[depth - 1]) <= s->base)
				depth--;
			HOLDS_TRUE(!depth || slot_end(s) <= slot_end(around[depth - 1]), s);
			if (!depth && s->base == covered && s->base < MEMORY_BYTES)
				covered = slot_end(s);
			if (!s->size || (depth && same_object(around[depth - 1], s)))
				continue;
			if (s->type < CAP_TYPES && depth && around[depth - 1]->type < CAP_TYPES)
				HOLDS_TRUE(type_ancestors(s->type) & TYPE_BIT(around[depth - 1]->type), s);
			if (s->type == CAP_Endpoint || s->type == CAP_Doorbell)
				continue; /* names of the dispatcher around them, nothing lies in them */
			HOLDS_TRUE(depth < 256, s);
			around[depth++] = s;
		}
	HOLDS_TRUE(covered == MEMORY_BYTES, NULL);
}

/* A mapped slot's entries name it in the shadow, and lead into its range; a table's other entries are empty. */
static void check_mappings(void)
{
	for
		EACH_SLOT(s)
		{
			uint64_t at = s->extra & 0xffffffffffff, count = s->extra >> 48;

			if (s->flags & CAP_FLAG_MAPPED) {
				struct page_table *t = window(PADDR(at & ~UINT64_C(0xfff)));
				uint64_t first = at % PAGE_BYTES / 8;

				HOLDS_TRUE(count && first + count <= PAGE_TABLE_SLOTS, s);
				for (uint64_t k = first; k < first + count; k++) {
					HOLDS_TRUE((t->shadow[k] & ~UINT64_C(63)) == (uintptr_t)s, s);
					HOLDS_TRUE((t->entry[k] & PTE_ADDRESS) >= s->base && (t->entry[k] & PTE_ADDRESS) < slot_end(s), s);
					HOLDS_TRUE(!(t->entry[k] & PTE_WRITE && !(t->entry[k] & PTE_NO_EXECUTE)) || is_page_table(s), s);
				}
			}
			if (is_page_table(s) && !(s->flags & CAP_FLAG_FOREIGN)) {
				const struct page_table *t = page_table(s);
				unsigned entries = s->type == CAP_PageTable4 ? PAGE_TABLE_SLOTS / 2 : PAGE_TABLE_SLOTS;
				const struct slot *other = database_previous(s);
				unsigned mapped = 0;

				for (unsigned k = 0; k < entries; k++) {
					const struct slot *in = (const struct slot *)(t->shadow[k] & ~UINT64_C(63));

					HOLDS_TRUE(!in == !t->entry[k], s);
					HOLDS_TRUE(!in || in->flags & CAP_FLAG_MAPPED, s);
				}
				if (other && same_object(other, s))
					continue;
				for (other = s; other && same_object(other, s); other = database_next(other))
					mapped += (other->flags & CAP_FLAG_MAPPED) != 0;
				HOLDS_TRUE((t->shadow[0] & 63) == mapped || (t->shadow[0] & 63) >= USES_MANY, s);
			}
		}
}

/* Slots are in the database exactly when they are not empty, and lie in containers that are alive. */
static void check_slots(void)
{
	uint64_t found = world.holder.type != CAP_Null, zombies = 0;

	for
		EACH_SLOT(s)
		{
			unsigned count;
			const struct slot *inside, *other = database_previous(s);

			zombies += s->type >= CAP_TYPES;
			if (!is_container(s) || (other && same_object(other, s)))
				continue;
			inside = slots_in(s, &count);
			for (unsigned k = 0; k < count; k++) {
				if (inside[k].type == CAP_Null) {
					HOLDS_TRUE(!inside[k].base && !inside[k].parent && !inside[k].left && !inside[k].right, s);
					continue;
				}
				found++;
				HOLDS_TRUE(inside[k].parent ? inside[k].parent->left == &inside[k] || inside[k].parent->right == &inside[k]
				                            : world.caps.root == &inside[k],
				           &inside[k]);
			}
		}
	HOLDS_TRUE(found == world.caps.count, NULL);
	for (const struct slot *z = world.caps.zombies; z; z = (const struct slot *)z->extra, zombies--)
		HOLDS_TRUE(z->type >= CAP_TYPES && zombies, z);
	HOLDS_TRUE(zombies == 0, NULL);
}

static void check_world(void)
{
	HOLDS_TRUE(check_tree(world.caps.root, NULL) == world.caps.count, NULL);
	HOLDS_TRUE(!world.caps.flush, NULL);
	check_ranges();
	check_mappings();
	check_slots();
}
