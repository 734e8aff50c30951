/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: cpudriver/capability/database.c

/* The tree against a plain sorted array: tens of thousands of random insertions, removals and moves, every search after each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpudriver/capability/database.h"
#include "tests/hosted/random.h"

#define SLOTS  600
#define NUMBER 64 /* bases and ends lie below */

static struct capabilities caps;
static struct slot slots[SLOTS];
static struct slot *sorted[SLOTS]; /* the order that the tree should have; copies among themselves in any order */
static unsigned count;

static unsigned below(unsigned limit)
{
	return random_number() % limit;
}

static unsigned check_node(const struct slot *n, const struct slot *parent)
{
	if (!n)
		return 0;
	unsigned l = check_node(n->left, n), r = check_node(n->right, n);
	uint64_t end = slot_end(n);

	assert_ptr_equal(n->parent, parent);
	assert_true(n->rank == l + 1 || n->rank == l + 2);
	assert_true(n->rank == r + 1 || n->rank == r + 2);
	assert_true(n->left || n->right || n->rank == 1);
	if (n->left && n->left->max_end > end)
		end = n->left->max_end;
	if (n->right && n->right->max_end > end)
		end = n->right->max_end;
	assert_int_equal(n->max_end, end);
	return n->rank;
}

static int order(const void *a, const void *b)
{
	const struct slot *x = *(struct slot *const *)a, *y = *(struct slot *const *)b;

	return object_before(x, y) ? -1 : object_before(y, x) ? 1 : 0;
}

/* Takes over the tree's order among copies, having checked everything else about it. */
static void check_order(void)
{
	const struct slot *n = caps.root;
	struct slot *walked[SLOTS];
	unsigned found = 0;

	while (n && n->left)
		n = n->left;
	for (; n; n = database_next(n)) {
		assert_in_range(found, 0, SLOTS - 1);
		assert_ptr_equal(database_previous(n), found ? walked[found - 1] : NULL);
		walked[found++] = &slots[n - slots];
	}
	assert_int_equal(found, count);
	assert_int_equal(caps.count, count);
	qsort(sorted, count, sizeof sorted[0], order);
	for (unsigned k = 0; k < count; k++)
		assert_true(same_object(sorted[k], walked[k]));
	memcpy(sorted, walked, count * sizeof sorted[0]);
}

static void check_searches(void)
{
	struct slot object = {.base = below(NUMBER), .size = below(NUMBER), .type = (uint8_t)below(4)};
	uint64_t address = below(2 * NUMBER);
	unsigned from = below(count + 1), after = 0, not_before = 0, last;

	while (after < count && !object_before(&object, sorted[after]))
		after++;
	while (not_before < count && object_before(sorted[not_before], &object))
		not_before++;
#define AT(k) ((k) < count ? sorted[k] : NULL)
	assert_ptr_equal(database_after(&caps, &object), AT(after));
	assert_ptr_equal(database_not_before(&caps, &object), AT(not_before));

	for (last = from; last > 0 && slot_end(sorted[last - 1]) <= address; last--)
		;
	assert_ptr_equal(database_last_reaching(&caps, AT(from), address), last ? sorted[last - 1] : NULL);
	while (from < count && slot_end(sorted[from]) <= address)
		from++;
	if (from < count || after == 0)
		assert_ptr_equal(database_reaching(AT(from), address), AT(from));
	for (from = after; from < count && slot_end(sorted[from]) <= address; from++)
		;
	assert_ptr_equal(database_reaching(AT(after), address), AT(from));
	for (from = 0; from < count && slot_end(sorted[from]) <= address; from++)
		;
	assert_ptr_equal(database_first_reaching(&caps, address), AT(from));
	for (last = count; last > 0 && sorted[last - 1]->base >= address; last--)
		;
	assert_ptr_equal(database_last_below(&caps, address), last ? sorted[last - 1] : NULL);
#undef AT
}

static struct slot *empty_slot(void)
{
	unsigned k = below(SLOTS);

	while (slots[k].type)
		k = (k + 1) % SLOTS;
	return &slots[k];
}

static void change(unsigned limit)
{
	unsigned k;
	struct slot *s;

	if (count < SLOTS - 1 && below(2 * limit) >= count) {
		s = empty_slot();
		*s = (struct slot){.base = below(NUMBER), .size = below(NUMBER), .type = (uint8_t)(1 + below(3))};
		if (count && below(4) == 0) {
			const struct slot *source = sorted[below(count)];

			s->base = source->base;
			s->size = source->size;
			s->type = source->type;
			database_insert_copy(&caps, s, (struct slot *)source);
		} else {
			database_insert(&caps, s, below(2) ? database_after(&caps, s) : database_not_before(&caps, s));
		}
		sorted[count++] = s;
	} else if (count && below(3)) {
		k = below(count);
		database_remove(&caps, sorted[k]);
		memset(sorted[k], 0, sizeof *sorted[k]);
		sorted[k] = sorted[--count];
	} else if (count) {
		k = below(count);
		s = empty_slot();
		database_move(&caps, sorted[k], s);
		assert_int_equal(sorted[k]->type | sorted[k]->base | sorted[k]->max_end, 0);
		sorted[k] = s;
	}
}

static void random_changes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 30000; round++) {
		/* now and then nearly empty, now and then nearly full */
		change(round / 3000 % 2 ? SLOTS : 12);
		check_node(caps.root, NULL);
		check_order();
		for (unsigned k = 0; k < 4; k++)
			check_searches();
	}
	while (count) {
		change(1);
		check_node(caps.root, NULL);
		check_order();
	}
	assert_null(caps.root);
}

static unsigned height(const struct slot *n)
{
	unsigned l = n ? height(n->left) : 0, r = n ? height(n->right) : 0;

	return n ? 1 + (l > r ? l : r) : 0;
}

/* Rising, falling and from the middle: as long as nothing is removed, a path is at most as long as in an AVL tree. Then three of four go.
 */
static void height_is_bounded(void **state)
{
	static struct slot many[10000];

	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		struct capabilities c = {0};

		for (unsigned k = 0; k < 10000; k++) {
			many[k] = (struct slot){.base = way == 0   ? k
			                                : way == 1 ? 10000 - k
			                                : k % 2    ? 5000 + k
			                                           : 5000 - k,
			                        .size = 1,
			                        .type = 1};
			database_insert(&c, &many[k], database_after(&c, &many[k]));
		}
		assert_in_range(height(c.root), 14, 18); /* 1.44 log2(10002) - 0.3 */
		for (unsigned k = 0; k < 10000; k++)
			if (way == 0 ? k >= 2500 : k % 4 != way)
				database_remove(&c, &many[k]);
		check_node(c.root, NULL);
		assert_in_range(height(c.root), 12, 22); /* 2 log2(2500) */
	}
}

static unsigned differences(const struct slot *before, const struct slot *after)
{
	unsigned n = 0;

	for (unsigned k = 0; k < SLOTS; k++)
		n += memcmp(&before[k], &after[k], sizeof *before) != 0;
	return n;
}

/* A copy that is made and deleted again and again, wherever: after the first time it changes few nodes. */
static void changes_stay_at_the_bottom(void **state)
{
	static struct slot before[SLOTS];

	(void)state;
	for (count = 0; count < 511; count++) {
		slots[count] = (struct slot){.base = count, .size = 1, .type = 1};
		database_insert(&caps, &slots[count], NULL);
	}
	for (unsigned k = 0; k < count; k++)
		for (unsigned time = 0; time < 3; time++) {
			struct slot *s = &slots[SLOTS - 1];

			memcpy(before, slots, sizeof before);
			*s = (struct slot){.base = k, .size = 1, .type = 1};
			database_insert_copy(&caps, s, &slots[k]);
			if (time)
				assert_in_range(differences(before, slots), 2, 4);
			memcpy(before, slots, sizeof before);
			database_remove(&caps, s);
			memset(s, 0, sizeof *s);
			if (time)
				assert_in_range(differences(before, slots), 2, 4);
		}
	check_node(caps.root, NULL);
	memset(slots, 0, sizeof slots);
	caps = (struct capabilities){0};
	count = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_changes), cmocka_unit_test(height_is_bounded),
	                                   cmocka_unit_test(changes_stay_at_the_bottom)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
