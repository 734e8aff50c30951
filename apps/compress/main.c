/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* An example of a pager: memory of which only a few pages are there at a time, the others compressed. `compress` sorts a
 * table in such memory, checks it, and says what it took. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/pager.h>

#include "apps/common/options.h"
#include "apps/compress/lz.h"

struct store {
	struct pager *pager;
	char *base;
	size_t pages, resident_most;

	struct {
		uint8_t *bytes; /* compressed; NULL: never taken away */
		size_t count;
	} * kept;
	size_t *resident, first, count; /* a ring of pages that are there, the oldest first */
	size_t expanded, compressed, kept_bytes, kept_most;
};

/* Takes the oldest page away and keeps what was in it. */
static err_t evict(struct store *s)
{
	uint8_t small[2 * PAGE_BYTES];
	size_t page = s->resident[s->first], length;
	void *contents;
	err_t e = pager_take(s->pager, s->base + page * PAGE_BYTES, &contents);

	if (is_err(e))
		return e;
	length = lz_compress(contents, PAGE_BYTES, small, sizeof small);
	pager_release(s->pager);
	s->kept[page].bytes = malloc(length);
	if (s->kept[page].bytes == NULL)
		return ERR(NO_MEMORY);
	memcpy(s->kept[page].bytes, small, length);
	s->kept[page].count = length;
	s->kept_bytes += length;
	if (s->kept_bytes > s->kept_most)
		s->kept_most = s->kept_bytes;
	s->compressed++;
	s->first = (s->first + 1) % s->resident_most;
	s->count--;
	return OK;
}

static err_t fill(void *argument, const struct pager_request *request, struct pager_answer *answer)
{
	struct store *s = argument;
	size_t page = request->offset / PAGE_BYTES;
	err_t e = s->count == s->resident_most ? evict(s) : OK;

	(void)answer;
	if (is_err(e))
		return e;
	if (s->kept[page].bytes != NULL) {
		if (lz_expand(s->kept[page].bytes, s->kept[page].count, request->contents, PAGE_BYTES) != PAGE_BYTES)
			return ERR(FORMAT);
		s->kept_bytes -= s->kept[page].count;
		free(s->kept[page].bytes);
		s->kept[page].bytes = NULL;
		s->expanded++;
	}
	s->resident[(s->first + s->count++) % s->resident_most] = page;
	return OK;
}

/* Undoes what begin has done, all or part of it. */
static err_t end(struct store *s)
{
	err_t e = s->base == NULL ? OK : memory_unmap(s->base, s->pages * PAGE_BYTES);

	if (is_ok(e) && s->pager != NULL)
		e = pager_stop(s->pager);
	for (size_t i = 0; s->kept != NULL && i < s->pages; i++)
		free(s->kept[i].bytes);
	free(s->kept);
	free(s->resident);
	return e;
}

static err_t begin(struct store *s, size_t pages, size_t resident)
{
	void *at = NULL;
	err_t e = OK;

	*s = (struct store){.pages = pages, .resident_most = resident};
	s->kept = calloc(pages, sizeof *s->kept);
	s->resident = calloc(resident, sizeof *s->resident);
	if (s->kept == NULL || s->resident == NULL)
		e = ERR(NO_MEMORY);
	if (is_ok(e))
		e = pager_start(fill, s, &s->pager);
	if (is_ok(e))
		e = pager_map(s->pager, pages * PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);
	s->base = at;
	if (is_err(e))
		(void)!is_ok(end(s));
	return e;
}

/* What is sorted: as tables often are, much of the same. */
struct record {
	char text[24];
	uint64_t key;
};
#define DIGIT_BITS 4
#define DIGITS     4
#define KEY_BITS   (DIGIT_BITS * DIGITS)

/* By one digit of the keys, from one table to another (Knuth, TAOCP vol. 3, 5.2.5): reads in order, and writes in as many places as a digit
 * has values. */
static void sort_digit(const struct record *from, struct record *to, size_t count, unsigned shift)
{
	size_t next[1 << DIGIT_BITS] = {0}, sum = 0;

	for (size_t i = 0; i < count; i++)
		next[from[i].key >> shift & ((1 << DIGIT_BITS) - 1)]++;
	for (size_t value = 0; value < 1 << DIGIT_BITS; value++) {
		size_t here = next[value];

		next[value] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[next[from[i].key >> shift & ((1 << DIGIT_BITS) - 1)]++] = from[i];
}

/* An even number of digits, so the result is where the records were; the other half of the memory is for the way. */
static bool sort_table(struct record *table, size_t count)
{
	uint64_t x = 1, sum = 0, after = 0;

	for (size_t i = 0; i < count; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407; /* Knuth, TAOCP vol. 2, 3.3.4 */
		table[i] = (struct record){"an entry of the table", x >> (64 - KEY_BITS)};
		sum += table[i].key;
	}
	for (unsigned digit = 0; digit < DIGITS; digit += 2) {
		sort_digit(table, table + count, count, digit * DIGIT_BITS);
		sort_digit(table + count, table, count, (digit + 1) * DIGIT_BITS);
	}
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && table[i - 1].key > table[i].key)
			return false;
		after += table[i].key;
	}
	return sum == after;
}

int main(int argc, char **argv)
{
	size_t pages = 256, resident = 32;
	const struct option options[] = {
	    {"pages", &pages, 4, 65536, "how large the table is"},
	    {"resident", &resident, 4, 65536, "how many of them are there at a time"},
	};
	struct store store;
	bool sorted;
	err_t e;

	(void)argc;
	options_of_main(options, 2, argv);
	if (resident > pages) {
		fprintf(stderr, "compress: --resident %zu: there are only --pages %zu\n", resident, pages);
		return EXIT_FAILURE;
	}
	e = begin(&store, pages, resident);
	if (is_err(e)) {
		fprintf(stderr, "compress: %s\n", err_sentence(e));
		return EXIT_FAILURE;
	}
	sorted = sort_table((struct record *)store.base, pages * PAGE_BYTES / sizeof(struct record) / 2);
	printf("%zu pages, %zu of them there: %zu times one was compressed, %zu times expanded; at most %zu bytes kept the others\n", pages,
	       resident, store.compressed, store.expanded, store.kept_most);
	e = end(&store);
	printf("@test {\"name\":\"compress.sorted\",\"ok\":%s}\n", sorted ? "true" : "false");
	printf("@test {\"name\":\"compress.smaller\",\"ok\":%s}\n", store.kept_most < pages * PAGE_BYTES / 2 ? "true" : "false");
	return sorted && is_ok(e) ? EXIT_SUCCESS : EXIT_FAILURE;
}
