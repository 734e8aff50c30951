/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What is in memory. Every worker has a word of its own in each page, whose last value it remembers: who, which page, how often. Through whatever
 * mapping it reads that word later, the value is the last one, or none of its values at all, if the page was something else in
 * between. Any other of its values is of another page, or of another time. A page that can't be touched any more is one whose
 * capability has been revoked. */

#include "libos/upcall/guarded.h"
#include "tests/programs/soak/worker.h"

#define MINE       (UINT64_C(0xa5) << 56 | (uint64_t)me.number << 48)
#define MINE_MASK  (UINT64_C(0xffff) << 48)
#define ALONE      (UINT64_C(0x5a) << 56 | (uint64_t)me.number << 48)
#define PAGES_MAX  1024 /* a power of two, twice the pages of all arenas */
#define PAGE_WORDS (PAGE_BYTES / 8)
#define ALONE_US   300

_Static_assert(PAGES_MAX >= 2 * WORKERS_MAX * ARENA_PAGES, "");

static struct {
	uint64_t page; /* physical, 0: free */
	uint32_t count;
} written[PAGES_MAX];

static uint32_t *count_of(uint64_t page)
{
	uint64_t i = (page / PAGE_BYTES * 0x9e3779b97f4a7c15) >> 54;

	while (written[i].page != 0 && written[i].page != page)
		i = (i + 1) % PAGES_MAX;
	written[i].page = page;
	return &written[i].count;
}

static uint64_t value_of(uint64_t page, uint32_t count)
{
	return MINE | (page / PAGE_BYTES & 0xffff) << 32 | count;
}

void contents_map(struct thing *t, const struct cap_identity *id)
{
	const unsigned rights = id->rights & (RIGHT_READ | RIGHT_WRITE);
	void *at;

	if (t->at == NULL && (rights & RIGHT_READ) && is_ok(frame_map(t->cap, 0, id->size, RIGHTS(rights), &at)))
		t->at = at;
}

/* A sweep takes things one after the other: a mapping may go a little before the capability. */
static void check_gone(const struct thing *t, const struct cap_identity *id)
{
	struct cap_identity now;

	for (uint64_t end = in_us(5000000); time_tsc() < end; sleep_us(1000))
		if (is_err(cap_identify(t->cap, &now)) || now.type == CAP_Null)
			return;
	fail("the Frame 0x%llx+0x%llx is held and was mapped, but can't be touched", (unsigned long long)id->base, (unsigned long long)id->size);
}

static void unmap(struct thing *t)
{
	if (t->at != NULL)
		(void)!is_ok(frame_unmap(t->at));
	t->at = NULL;
}

/* False: the page is not there any more. */
static bool touch(struct thing *t, const struct cap_identity *id, uint64_t offset)
{
	const uint64_t page = id->base + offset;
	uint64_t *word = (uint64_t *)(t->at + offset) + me.number, value, new;
	uint32_t *count = count_of(page);

	if (!guarded_copy(&value, word, sizeof(value)))
		return false;
	if ((value & MINE_MASK) == MINE && value != value_of(page, *count))
		fail("the page 0x%llx has 0x%llx, this worker wrote 0x%llx", (unsigned long long)page, (unsigned long long)value,
		     (unsigned long long)value_of(page, *count));
	if (!(id->rights & RIGHT_WRITE))
		return true;
	new = value_of(page, *count + 1);
	if (!guarded_copy(word, &new, sizeof(new)))
		return false;
	++*count;
	if (guarded_copy(&value, word, sizeof(value)) && value != new)
		fail("the page 0x%llx has 0x%llx right after 0x%llx was written to it", (unsigned long long)page, (unsigned long long)value,
		     (unsigned long long)new);
	return true;
}

void contents_touch(struct random *r, struct thing *t, const struct cap_identity *id)
{
	static struct mutex lock;
	bool there;

	mutex_lock(&lock);
	there = touch(t, id, draw(r, id->size / PAGE_BYTES) * PAGE_BYTES);
	mutex_unlock(&lock);
	if (!there) {
		check_gone(t, id);
		unmap(t);
	}
}

/* The object's first page, through a mapping that goes as soon as the capability does. */
void contents_are_mine(cap_t frame, const struct cap_identity *id)
{
	static uint32_t rounds;
	const uint64_t value = ALONE | ++rounds;
	uint64_t page[PAGE_WORDS];
	void *at;
	bool ok;

	if (is_err(frame_map(frame, 0, PAGE_BYTES, RIGHTS(id->rights & (RIGHT_READ | RIGHT_WRITE)), &at)))
		return;
	for (unsigned i = 0; i < PAGE_WORDS; i++)
		page[i] = value;
	ok = guarded_copy(at, page, sizeof(page));
	if (ok)
		sleep_us(ALONE_US);
	ok = ok && guarded_copy(page, at, sizeof(page));
	for (unsigned i = 0; i < PAGE_WORDS && ok; i++)
		if (page[i] != value) {
			fail("word %u of 0x%llx became 0x%llx although nobody else has had it since it was revoked", i,
			     (unsigned long long)id->base, (unsigned long long)page[i]);
			ok = false;
		}
	(void)!is_ok(frame_unmap(at));
}
