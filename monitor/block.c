/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <atoll/address_space.h>

#include "libos/start/start.h"
#include "monitor/block.h"
#include "monitor/report.h"

/* The low end of the first root is what the CPU driver made this monitor of, and what its library OS makes its objects of: it is not
 * ours to give. */
static err_t add_root(struct monitor *m, cap_t cap, const struct cap_identity *ram)
{
	uint64_t base = ram->base, bytes = ram->size, own_base, own_bytes;
	err_t e = OK;

	if (m->roots == RAM_ROOTS)
		return ERR(LIMIT);
	start_own_memory(&own_base, &own_bytes);
	if (own_base == base) {
		bytes -= own_bytes;
		base += own_bytes;
	}
	if (bytes > 0)
		e = ram_add(&m->ram, base, bytes);
	if (is_err(e))
		return e;
	m->root[m->roots].base = ram->base;
	m->root[m->roots].bytes = ram->size;
	m->root[m->roots].cap = cap;
	m->roots++;
	return OK;
}

err_t blocks_start(struct monitor *m)
{
	struct cap_identity ram;
	err_t e = OK;

	for (unsigned slot = 0; is_ok(e) && slot < BOOT_OBJECTS; slot++)
		if (is_ok(cap_identify(CAP(ROOT_BOOT, slot), &ram)) && ram.type == CAP_RAM)
			e = add_root(m, CAP(ROOT_BOOT, slot), &ram);
	return e;
}

static bool empty_slot(cap_t slot)
{
	struct cap_identity left;
	err_t e = cap_delete(slot);

	if (is_err(e) && !err_is(e, ERR_NUMBER_CAP_EMPTY))
		return false;
	/* Deleting may have left the memory as RAM, if nothing else covers it. */
	return is_err(cap_identify(slot, &left)) || left.type == CAP_Null;
}

/* Those of the start are not from our own slots. */
static void free_root_slot(cap_t cap)
{
	if (cap.value >> 8 != ROOT_BOOT)
		cap_slot_free(cap);
}

/* ---- Joining ----
 *
 * Memory comes back from other cores in pieces, with each death in some more. So two roots side by side become one: RAM over both, of which
 * they are parts then that nobody needs. A root that other cores know, because a domain was given all of it and gave it on, stays as it is.
 */

static unsigned root_with(const struct monitor *m, uint64_t address)
{
	unsigned i = 0;

	while (i < m->roots && (address < m->root[i].base || address - m->root[i].base >= m->root[i].bytes))
		i++;
	return i;
}

static unsigned root_that_ends(const struct monitor *m, uint64_t address)
{
	unsigned i = 0;

	while (i < m->roots && m->root[i].base + m->root[i].bytes != address)
		i++;
	return i;
}

static unsigned root_that_begins(const struct monitor *m, uint64_t address)
{
	unsigned i = 0;

	while (i < m->roots && m->root[i].base != address)
		i++;
	return i;
}

/* The library OS makes its own objects with the capability of the one in which the monitor itself lies. */
static bool stays(const struct monitor *m, unsigned i)
{
	struct platform_remote what;
	unsigned flags;
	uint64_t own_base, own_bytes;

	start_own_memory(&own_base, &own_bytes);
	return own_base - m->root[i].base < m->root[i].bytes || is_err(platform_identify(m->root[i].cap, &what, &flags)) ||
	       flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN);
}

static err_t make_both(const struct monitor *m, uint64_t base, uint64_t bytes, cap_t *out)
{
	err_t e = cap_slot_alloc(out);

	if (is_err(e))
		return e;
	e = platform_install(*out, &(struct platform_remote){CAP_RAM, RIGHTS_ALL, m->core, base, bytes, 0});
	if (is_err(e))
		cap_slot_free(*out);
	return e;
}

/* If the two that meet there can't be joined they stay two. */
static void join_at(struct monitor *m, uint64_t border)
{
	const unsigned low = root_that_ends(m, border), high = root_that_begins(m, border);
	cap_t both;

	if (low == m->roots || high == m->roots || stays(m, low) || stays(m, high) ||
	    is_err(make_both(m, m->root[low].base, m->root[low].bytes + m->root[high].bytes, &both)))
		return;
	/* Covered, and not the last ones that anybody counts: they go. */
	if (empty_slot(m->root[low].cap))
		free_root_slot(m->root[low].cap);
	if (empty_slot(m->root[high].cap))
		free_root_slot(m->root[high].cap);
	m->root[low].bytes += m->root[high].bytes;
	m->root[low].cap = both;
	m->root[high] = m->root[--m->roots];
	ram_join(&m->ram, border);
}

/* What could not be joined earlier may be now: an end of it was another root's. */
static void join_around(struct monitor *m, uint64_t address)
{
	unsigned roots, i;

	do {
		roots = m->roots;
		i = root_with(m, address);
		join_at(m, m->root[i].base + m->root[i].bytes);
		join_at(m, m->root[root_with(m, address)].base);
	} while (m->roots < roots);
}

err_t block_adopt(struct monitor *m, cap_t ram)
{
	struct cap_identity id;
	err_t e = cap_identify(ram, &id);

	if (is_ok(e))
		e = add_root(m, ram, &id);
	if (is_err(e))
		return e;
	join_around(m, id.base);
	return OK;
}

/* ---- Blocks ---- */

/* The capability over memory that has been taken. */
static err_t cover(struct monitor *m, enum cap_type type, struct block b, struct block *out)
{
	err_t e = cap_slot_alloc(&b.cap);

	if (is_err(e)) {
		ram_give(&m->ram, b.base, b.bytes);
		return e;
	}
	for (unsigned i = 0; i < m->roots; i++)
		if (b.base >= m->root[i].base && b.base - m->root[i].base < m->root[i].bytes)
			e = cap_retype(m->root[i].cap, type, b.base - m->root[i].base, b.bytes, 1, b.cap);
	if (is_err(e)) {
		ram_give(&m->ram, b.base, b.bytes);
		cap_slot_free(b.cap);
		return e;
	}
	*out = b;
	return OK;
}

err_t block_take_aligned(struct monitor *m, enum cap_type type, uint64_t bytes, uint64_t alignment, struct block *out)
{
	struct block b = {.bytes = page_up(bytes)};
	err_t e = ram_take(&m->ram, b.bytes, alignment, &b.base);

	*out = (struct block){0};
	return is_err(e) ? e : cover(m, type, b, out);
}

err_t block_take_within(struct monitor *m, enum cap_type type, uint64_t bytes, uint64_t low, uint64_t high, struct block *out)
{
	struct block b = {.bytes = page_up(bytes)};
	err_t e = ram_take_within(&m->ram, b.bytes, PAGE_BYTES, low, high, &b.base);

	*out = (struct block){0};
	return is_err(e) ? e : cover(m, type, b, out);
}

err_t block_take_like(struct monitor *m, uint64_t like, uint64_t bytes, struct block *out)
{
	struct block b = {.bytes = bytes};
	err_t e = ERR(NO_MEMORY);

	if (bytes >= PAGE_BYTES_HUGE)
		e = ram_take_at(&m->ram, bytes, PAGE_BYTES_HUGE, like % PAGE_BYTES_HUGE, &b.base);
	if (err_is(e, ERR_NUMBER_NO_MEMORY))
		e = ram_take_at(&m->ram, bytes, PAGE_BYTES_LARGE, like % PAGE_BYTES_LARGE, &b.base);
	if (err_is(e, ERR_NUMBER_NO_MEMORY))
		e = ram_take(&m->ram, bytes, PAGE_BYTES, &b.base);
	*out = (struct block){0};
	return is_err(e) ? e : cover(m, CAP_RAM, b, out);
}

err_t block_take(struct monitor *m, enum cap_type type, uint64_t bytes, struct block *out)
{
	return block_take_within(m, type, bytes, 0, UINT64_MAX, out);
}

/* A RAM block of a whole root is a copy of it, and whoever revokes it takes the root's capability away. Then the block's is the last one,
 * and the root's from now on. */
static bool becomes_root(struct monitor *m, const struct block *b)
{
	unsigned i = root_with(m, b->base);
	struct cap_identity left;

	if (i == m->roots || m->root[i].bytes != b->bytes || is_err(cap_identify(b->cap, &left)) || left.type != CAP_RAM ||
	    left.size != b->bytes || !empty_slot(m->root[i].cap))
		return false;
	free_root_slot(m->root[i].cap);
	m->root[i].cap = b->cap;
	return true;
}

void block_give(struct monitor *m, struct block *b)
{
	bool empty;

	if (b->bytes == 0)
		return;
	empty = empty_slot(b->cap);
	if (empty)
		cap_slot_free(b->cap);
	if (empty || becomes_root(m, b))
		ram_give(&m->ram, b->base, b->bytes);
	else /* lost, and seen in the balance, but never given twice */
		report_line(m, "monitor %u: the memory at 0x%llx stays out: something is left that was made of it", m->core,
		            (unsigned long long)b->base);
	*b = (struct block){0};
}

/* ---- Parting with a block ----
 *
 * Memory that another core gets must not stay covered by a root here: this core would still give it away. So the root is cut at the block's
 * borders. What is left on either side stays a root, and the piece in the middle goes. */

/* Makes two roots of one, if the address is not its border anyway. */
static err_t cut(struct monitor *m, unsigned i, uint64_t address)
{
	uint64_t offset = address - m->root[i].base, rest = m->root[i].bytes - offset;
	cap_t cap;
	err_t e;

	if (offset == 0 || rest == 0)
		return OK;
	if (m->roots == RAM_ROOTS)
		return ERR(LIMIT);
	e = cap_slot_alloc(&cap);
	if (is_err(e))
		return e;
	e = platform_split(m->root[i].cap, offset, cap);
	if (is_err(e)) {
		cap_slot_free(cap);
		return e;
	}
	m->root[i].bytes = offset;
	m->root[m->roots].base = address;
	m->root[m->roots].bytes = rest;
	m->root[m->roots].cap = cap;
	m->roots++;
	return OK;
}

/* The root and the block are the same object: the block's capability is enough. */
static err_t drop_root(struct monitor *m, unsigned i)
{
	cap_t cap = m->root[i].cap;

	if (!empty_slot(cap))
		return ERR(STATE);
	free_root_slot(cap);
	m->root[i] = m->root[--m->roots];
	return OK;
}

static err_t uncover(struct monitor *m, const struct block *b)
{
	unsigned i = root_with(m, b->base);
	err_t e = i < m->roots ? cut(m, i, b->base) : ERR(RANGE);

	if (is_ok(e))
		e = cut(m, root_with(m, b->base), b->base + b->bytes);
	return is_ok(e) ? drop_root(m, root_with(m, b->base)) : e;
}

void block_part_with(struct monitor *m, struct block *b)
{
	err_t e = uncover(m, b);

	if (is_ok(e))
		e = platform_mark(b->cap, true, m->core);
	if (is_ok(e))
		e = platform_surrender(b->cap);
	if (is_ok(e))
		cap_slot_free(b->cap);
	else
		report_line(m, "monitor %u: a capability to memory at 0x%llx, which is another core's now, could not go: %s", m->core,
		            (unsigned long long)b->base, err_sentence(e));
	ram_part_with(&m->ram, b->base, b->bytes);
	*b = (struct block){0};
}

err_t view_open(const struct block *b, uint64_t offset, uint64_t bytes, struct view *out)
{
	void *at;
	err_t e = cap_slot_alloc(&out->frame);

	if (is_err(e))
		return e;
	e = cap_retype(b->cap, CAP_Frame, offset, bytes, 1, out->frame);
	if (is_err(e)) {
		cap_slot_free(out->frame);
		return e;
	}
	e = frame_map(out->frame, 0, bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);
	if (is_err(e)) {
		if (empty_slot(out->frame))
			cap_slot_free(out->frame);
		return e;
	}
	out->at = at;
	return OK;
}

void view_close(struct view *v)
{
	if (is_ok(frame_unmap(v->at)) && empty_slot(v->frame))
		cap_slot_free(v->frame);
	v->at = NULL;
}
