/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <cpuid.h>
#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/supply.h"
#include "libos/memory/agreement.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"

#define SLAB_LEAST (128 * KIB)
#define SLAB_MOST  PAGE_BYTES_LARGE
#define SLAB_HUGE  PAGE_BYTES_HUGE /* what one page of that size is made of */
#define STOCK      32              /* pages */

#define HUGE_PAGES ((uint32_t)(SLAB_HUGE / PAGE_BYTES))

static struct slab_set slabs;
static struct page stock[STOCK];
static unsigned stocked;

/* The window on each RAM block. It lies at the block's own place within 1 GiB, so that what is aligned is so in both. */
static uint64_t windows_next, windows_end;
static struct {
	uint64_t at;           /* the window, 0: none yet */
	uint64_t first, bytes; /* addresses that are this number's for good, from which it is cut */
} block_windows[BLOCKS_MAX];

void supply_start(uint64_t windows)
{
	windows_next = windows;
	windows_end = windows + SUPPLY_WINDOW_BYTES;
}

struct slab *supply_slab(uint16_t slab)
{
	return slab < slabs.count ? slabs.at[slab] : NULL;
}

/* ---- Slabs ---- */

static err_t window_at(uint64_t paddr, uint64_t bytes, uint64_t *window)
{
	unsigned index;
	const struct ram_block *block = memory_block_of(paddr, bytes, &index);

	if (block == NULL)
		return ERR(RANGE);
	if (block_windows[index].at == 0) {
		uint64_t offset = block->base % PAGE_BYTES_HUGE;
		uint64_t room = (offset + block->bytes + PAGE_BYTES_HUGE - 1) & ~(PAGE_BYTES_HUGE - 1);

		if (room > block_windows[index].bytes) {
			if (room > windows_end - windows_next)
				return ERR(LIMIT);
			block_windows[index].first = windows_next;
			block_windows[index].bytes = room;
			windows_next += room;
		}
		block_windows[index].at = block_windows[index].first + offset;
	}
	*window = block_windows[index].at + (paddr - block->base);
	return OK;
}

/* All of the slab, by its own capability. A huge one's window is one page, so there is nothing else in that GiB of windows. A block that
 * has moved may lie otherwise than its windows. */
static err_t open_window(struct slab *s)
{
	uint64_t window = 0;
	unsigned level;
	err_t e = window_at(s->base, s->pages * PAGE_BYTES, &window);

	if (is_ok(e) && s->pages == HUGE_PAGES) {
		if (window % SLAB_HUGE != 0)
			return ERR(ALIGNMENT);
		tables_drop(window);
	}
	s->window = (uint8_t *)window;
	return is_ok(e) ? frame_map_at(s->cap, window, s->base, 0, s->pages * PAGE_BYTES, RIGHT_READ | RIGHT_WRITE, &level) : e;
}

/* Room for one more in the array. */
static err_t make_room(void)
{
	unsigned capacity = slabs.capacity == 0 ? 64 : slabs.capacity * 2;
	struct slab **larger;

	if (!slabs_full(&slabs))
		return OK;
	if (capacity > SLABS_MAX)
		return ERR(LIMIT);
	larger = store_alloc(capacity * sizeof *larger);
	if (larger == NULL)
		return ERR(NO_MEMORY);
	if (slabs.count > 0)
		memcpy(larger, slabs.at, slabs.count * sizeof(struct slab *));
	store_free(slabs.at, slabs.capacity * sizeof *larger);
	slabs.at = larger;
	slabs.capacity = capacity;
	return OK;
}

static void drop_slab(struct slab *s)
{
	if (s->cap.value != CAP_NULL.value)
		memory_object_free(s->cap);
	store_free(s->taken, slab_words(s->pages) * sizeof *s->taken);
	store_free(s, sizeof *s);
}

static err_t new_object(struct slab *s, bool at_hand)
{
	uint64_t bytes = s->pages * PAGE_BYTES;
	paddr_t base;
	err_t e = cap_slot_alloc(&s->cap);

	if (is_err(e)) {
		s->cap = CAP_NULL;
		return e;
	}
	e = (at_hand ? memory_object_at_hand : memory_object)(CAP_Frame, bytes, bytes, s->cap, &base);
	if (is_err(e)) {
		cap_slot_free(s->cap);
		s->cap = CAP_NULL;
		return e;
	}
	s->base = base.value;
	return open_window(s);
}

static err_t add_slab(uint32_t pages, bool at_hand)
{
	struct slab *s;
	uint16_t number;
	err_t e = make_room();

	if (is_err(e))
		return e;
	s = store_alloc(sizeof *s);
	if (s == NULL)
		return ERR(NO_MEMORY);
	s->pages = pages;
	s->taken = store_alloc(slab_words(pages) * sizeof *s->taken);
	e = s->taken == NULL ? ERR(NO_MEMORY) : new_object(s, at_hand);
	if (is_ok(e))
		e = slabs_add(&slabs, s, &number);
	if (is_err(e))
		drop_slab(s);
	return e;
}

static uint64_t power_below(uint64_t n)
{
	return n == 0 ? 0 : UINT64_C(1) << (63 - __builtin_clzll(n));
}

/* A slab with room for `pages`, a power of two; larger if there is plenty. */
static err_t grow(uint32_t pages, bool at_hand)
{
	uint64_t bytes = power_below(memory_free_bytes() / 8);
	err_t e;

	if (bytes > SLAB_MOST)
		bytes = SLAB_MOST;
	if (bytes < SLAB_LEAST)
		bytes = SLAB_LEAST;
	for (e = ERR(NO_MEMORY); bytes > pages * PAGE_BYTES && err_is(e, ERR_NUMBER_NO_MEMORY); bytes /= 2)
		e = add_slab((uint32_t)(bytes / PAGE_BYTES), true);
	return err_is(e, ERR_NUMBER_NO_MEMORY) ? add_slab(pages, at_hand) : e;
}

static bool may_go(const struct slab *s)
{
	return s != NULL && s->free == s->pages && s->given == 0 && !s->registered;
}

static void remove_slab(uint16_t number)
{
	struct slab *s = slabs.at[number];

	slabs_remove(&slabs, number);
	drop_slab(s);
}

void supply_shrink(void)
{
	for (unsigned n = slabs.count; n-- > 0;)
		if (n < slabs.count && may_go(slabs.at[n]))
			remove_slab((uint16_t)n);
}

/* A free slab is kept for what comes next, as long as there are not two; a huge one would be cut up. */
static bool is_too_many(const struct slab *s)
{
	return s->pages == HUGE_PAGES || slabs.free_pages >= 2 * s->pages;
}

void supply_give(struct run run)
{
	/* Ours is the only list of what was taken, so it can't be wrong. */
	(void)!is_ok(slabs_give(&slabs, run));
	if (may_go(slabs.at[run.slab]) && is_too_many(slabs.at[run.slab]))
		remove_slab(run.slab);
}

void supply_moved(void)
{
	struct cap_identity frame;

	for (unsigned n = 0; n < slabs.count; n++)
		if (slabs.at[n] != NULL && slabs.at[n]->cap.value != CAP_NULL.value && is_ok(cap_identify(slabs.at[n]->cap, &frame)))
			slabs.at[n]->base = frame.base;
}

/* ---- Slabs that others know ---- */

err_t supply_register(cap_t frame, uint64_t base, uint16_t *slab)
{
	struct slab *s;
	err_t e = make_room();

	if (is_err(e))
		return e;
	s = store_alloc(sizeof *s);
	if (s == NULL)
		return ERR(NO_MEMORY);
	*s = (struct slab){.base = base, .cap = frame, .registered = true};
	e = slabs_add(&slabs, s, slab);
	if (is_err(e))
		store_free(s, sizeof *s);
	return e;
}

void supply_unregister(uint16_t slab)
{
	struct slab *s = slabs.at[slab];

	slabs_remove(&slabs, slab);
	store_free(s, sizeof *s);
}

void supply_set_given(uint16_t slab, unsigned member, bool given)
{
	struct slab *s = supply_slab(slab);

	if (s != NULL && given)
		s->given |= UINT64_C(1) << member;
	else if (s != NULL)
		s->given &= ~(UINT64_C(1) << member);
}

void supply_taken_back(unsigned member)
{
	for (unsigned n = 0; n < slabs.count; n++)
		supply_set_given((uint16_t)n, member, false);
}

/* ---- Parting with a block ---- */

static bool is_slab_in(const struct slab *s, uint64_t low, uint64_t high)
{
	return s != NULL && !s->registered && s->base >= low && s->base < high;
}

bool supply_is_in(struct page page, uint64_t low, uint64_t high)
{
	return !page.lost && (!page.borrowed || page.owner == span_member()) && is_slab_in(supply_slab(page.slab), low, high);
}

/* The stock goes back, too: it may be of anywhere. */
static void empty_stock(void)
{
	while (stocked > 0) {
		struct page page = stock[--stocked];

		if (is_ok(cap_delete(page.cap)))
			cap_slot_free(page.cap);
		(void)!is_ok(slabs_give(&slabs, (struct run){page.slab, page.index, 1}));
	}
}

void supply_close(uint64_t low, uint64_t high, bool closed)
{
	if (closed)
		empty_stock();
	for (unsigned n = 0; n < slabs.count; n++)
		if (is_slab_in(slabs.at[n], low, high))
			slabs_close(&slabs, (uint16_t)n, closed);
}

void supply_count(uint64_t low, uint64_t high, uint64_t *bytes, uint64_t *taken)
{
	*bytes = *taken = 0;
	for (unsigned n = 0; n < slabs.count; n++) {
		const struct slab *s = slabs.at[n];

		if (!is_slab_in(s, low, high))
			continue;
		*bytes += s->pages * PAGE_BYTES;
		*taken += (s->pages - s->free) * PAGE_BYTES;
	}
}

static void tell_parted(uint16_t number, uint64_t members)
{
	for (members &= link_mask; members != 0; members &= members - 1)
		(void)!is_ok(LINK_SEND((unsigned)__builtin_ctzll(members), parted, .slab = number));
}

void supply_frame_lost(uint16_t slab)
{
	tell_parted(slab, slabs.at[slab]->given);
}

/* Members that know the slab forget it. What they say of its number until they have heard must mean nothing else, so the number stays
 * taken, by a slab of no pages. */
static void part_with(uint16_t number)
{
	struct slab *s = slabs.at[number];
	uint64_t members = s->given & link_mask;

	slabs_remove(&slabs, number);
	if (cap_forget(s->cap))
		cap_slot_free(s->cap);
	store_free(s->taken, slab_words(s->pages) * sizeof *s->taken);
	if (members == 0) {
		store_free(s, sizeof *s);
		return;
	}
	*s = (struct slab){.registered = true, .ended = true, .cap = CAP_NULL};
	slabs.at[number] = s;
	if (number >= slabs.count)
		slabs.count = number + 1u;
	tell_parted(number, members);
}

void supply_part(uint64_t low, uint64_t high)
{
	empty_stock();
	for (unsigned n = slabs.count; n-- > 0;)
		if (n < slabs.count && is_slab_in(slabs.at[n], low, high))
			part_with((uint16_t)n);
}

void supply_block_ended(unsigned block)
{
	block_windows[block].at = 0;
}

/* ---- Runs and pages ---- */

static bool take(uint32_t pages, bool at_hand, struct run *out)
{
	uint32_t whole = (uint32_t)power_below(pages);

	for (uint32_t n = pages; n > 0; n = n > whole ? whole : n / 2) {
		uint32_t room = n > whole ? 2 * whole : n;

		if (slabs_take(&slabs, n, out))
			return true;
		if (is_ok(grow(room, at_hand)) && slabs_take(&slabs, n, out))
			return true;
	}
	return false;
}

err_t supply_take(uint32_t pages, struct run *out)
{
	if (!take(pages, true, out) && !take(pages, false, out))
		return ERR(NO_MEMORY);
	memset(supply_window(out->slab, out->page), 0, out->pages * PAGE_BYTES);
	return OK;
}

/* Intel SDM vol. 2, CPUID 80000001H:EDX bit 26. */
static bool has_huge_pages(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (d & 1u << 26) != 0;
}

err_t supply_take_huge(uint64_t ahead, struct run *out)
{
	err_t e = OK;

	if (!has_huge_pages())
		return ERR(NOT_SUPPORTED);
	if (!slabs_take(&slabs, HUGE_PAGES, out)) {
		e = add_slab(HUGE_PAGES, true);
		if (err_is(e, ERR_NUMBER_NO_MEMORY) && memory_more_huge(ahead))
			e = add_slab(HUGE_PAGES, true);
		if (is_ok(e) && !slabs_take(&slabs, HUGE_PAGES, out))
			e = ERR(NO_MEMORY);
	}
	if (is_ok(e))
		memset(supply_window(out->slab, out->page), 0, SLAB_HUGE);
	return e;
}

err_t supply_copy(uint16_t slab, cap_t *out)
{
	err_t e = cap_slot_alloc(out);

	if (is_err(e))
		return e;
	e = cap_copy(slabs.at[slab]->cap, *out);
	if (is_err(e))
		cap_slot_free(*out);
	return e;
}

static err_t restock(void)
{
	struct run run;
	err_t e = supply_take(STOCK, &run);

	for (uint32_t i = is_ok(e) ? run.pages : 0; i-- > 0;) {
		struct page page = {.slab = run.slab, .index = (run.page + i) & PAGE_INDEX_MAX};

		e = supply_copy(run.slab, &page.cap);
		if (is_ok(e))
			stock[stocked++] = page;
		else
			supply_give((struct run){run.slab, page.index, 1});
	}
	return stocked > 0 ? OK : e;
}

err_t supply_take_page(struct page *out)
{
	if (stocked == 0) {
		err_t e = restock();

		if (is_err(e))
			return e;
	}
	*out = stock[--stocked];
	return OK;
}
