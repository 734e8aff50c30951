// sources: libos/tasks/graph.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The graph of tasks, against a slow model of it: who may run, who has to wait, who goes first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libos/tasks/graph.h"
#include "tests/hosted/random.h"

static void nothing(void *argument)
{
	(void)argument;
}

static struct task submit(struct task_graph *g, uint64_t cost, const struct task *after, unsigned count)
{
	struct task t;

	assert_true(is_ok(graph_submit(g, nothing, NULL, cost, after, count, &t)));
	return t;
}

static void in_the_order_of_dependencies(void **state)
{
	struct task_graph g = {0};
	struct task a = submit(&g, 1, NULL, 0), b = submit(&g, 1, &a, 1);
	struct task c = submit(&g, 1, (struct task[]){a, b}, 2);
	uint32_t place;

	(void)state;
	place = graph_take(&g);
	assert_int_equal(place, (uint32_t)a.number);
	assert_int_equal(graph_take(&g), TASK_NONE);
	assert_false(graph_is_done(&g, a));
	assert_int_equal(graph_done(&g, place), 1);
	assert_true(graph_is_done(&g, a));
	place = graph_take(&g);
	assert_int_equal(place, (uint32_t)b.number);
	assert_int_equal(graph_done(&g, place), 1);
	place = graph_take(&g);
	assert_int_equal(place, (uint32_t)c.number);
	assert_int_equal(graph_done(&g, place), 0);
	assert_int_equal(g.left, 0);
	graph_free(&g);
}

/* a heads a chain of 1 + 10; b alone costs 5; c heads a longer chain that becomes known later. */
static void the_longest_chain_first(void **state)
{
	struct task_graph g = {0};
	struct task c = submit(&g, 1, NULL, 0), b = submit(&g, 5, NULL, 0), a = submit(&g, 1, NULL, 0);
	struct task middle;

	(void)state;
	submit(&g, 10, &a, 1);
	assert_int_equal(g.heap[0], (uint32_t)a.number);
	middle = submit(&g, 1, &c, 1);
	submit(&g, 50, &middle, 1);
	assert_int_equal(graph_take(&g), (uint32_t)c.number);
	assert_int_equal(graph_take(&g), (uint32_t)a.number);
	assert_int_equal(graph_take(&g), (uint32_t)b.number);
	graph_free(&g);
}

static void what_is_wrong_is_said(void **state)
{
	struct task_graph g = {0};
	struct task a = submit(&g, 1, NULL, 0);
	const struct task never[] = {{7}, {a.number + (UINT64_C(1) << 32)}};

	(void)state;
	assert_true(err_is(graph_submit(&g, NULL, NULL, 1, NULL, 0, NULL), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(graph_submit(&g, nothing, NULL, 1, NULL, 1, NULL), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(graph_submit(&g, nothing, NULL, UINT64_MAX, NULL, 0, NULL), ERR_NUMBER_ARGUMENT));
	for (unsigned i = 0; i < 2; i++)
		assert_true(err_is(graph_submit(&g, nothing, NULL, 1, (struct task[]){a, never[i]}, 2, NULL), ERR_NUMBER_NOT_FOUND));
	assert_false(graph_is_done(&g, never[0]));
	assert_int_equal(g.left, 1);
	assert_int_equal(graph_take(&g), (uint32_t)a.number);
	graph_done(&g, (uint32_t)a.number);
	/* Its number is old now: nothing to wait for. The place is used again, under another number. */
	assert_int_not_equal(submit(&g, 1, &a, 1).number, a.number);
	assert_int_equal(g.ready, 1);
	graph_free(&g);
}

/* ---- At random ---- */

#define TASKS 400

struct model {
	struct task number;
	unsigned after[6], count;
	uint64_t cost;
	enum { WAITS, RUNS, DONE } state;
};

static struct model model[TASKS];
static unsigned submitted;

static bool may_run(const struct model *m)
{
	for (unsigned i = 0; i < m->count; i++)
		if (model[m->after[i]].state != DONE)
			return false;
	return m->state == WAITS;
}

static uint64_t rank_of(unsigned i)
{
	uint64_t longest = 0;

	for (unsigned j = i + 1; j < submitted; j++)
		for (unsigned k = 0; k < model[j].count; k++)
			if (model[j].after[k] == i && rank_of(j) > longest)
				longest = rank_of(j);
	return model[i].cost + longest;
}

static void submit_one(struct task_graph *g)
{
	struct model *m = &model[submitted];
	struct task after[6];

	*m = (struct model){.cost = random_number() % 20, .count = submitted == 0 ? 0 : random_number() % 4};
	for (unsigned i = 0; i < m->count; i++) {
		m->after[i] = submitted <= 30 ? random_number() % submitted : submitted - 1 - random_number() % 30;
		after[i] = model[m->after[i]].number;
	}
	m->number = submit(g, m->cost, after, m->count);
	submitted++;
}

static unsigned model_of(uint32_t place)
{
	for (unsigned i = submitted; i-- > 0;)
		if ((uint32_t)model[i].number.number == place && model[i].state != DONE)
			return i;
	fail_msg("place %u is nobody's", place);
	return 0;
}

static void take_one(struct task_graph *g)
{
	uint32_t place = graph_take(g);
	unsigned taken;

	if (place == TASK_NONE) {
		for (unsigned i = 0; i < submitted; i++)
			assert_false(may_run(&model[i]));
		return;
	}
	taken = model_of(place);
	assert_true(may_run(&model[taken]));
	for (unsigned i = 0; submitted < 60 && i < submitted; i++)
		if (may_run(&model[i]))
			assert_true(rank_of(i) <= rank_of(taken));
	model[taken].state = RUNS;
}

static void end_one(struct task_graph *g)
{
	unsigned from = submitted == 0 ? 0 : random_number() % submitted;

	for (unsigned n = 0; n < submitted; n++) {
		struct model *m = &model[(from + n) % submitted];

		if (m->state != RUNS)
			continue;
		m->state = DONE;
		graph_done(g, (uint32_t)m->number.number);
		assert_true(graph_is_done(g, m->number));
		return;
	}
}

static void at_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct task_graph g = {0};
		unsigned limit = seed % 2 ? 50 : TASKS;

		random_state = seed;
		submitted = 0;
		while (submitted < limit || g.left > 0) {
			unsigned what = random_number() % 3;

			if (what == 0 && submitted < limit)
				submit_one(&g);
			else if (what == 1)
				take_one(&g);
			else
				end_one(&g);
		}
		for (unsigned i = 0; i < submitted; i++)
			assert_int_equal(model[i].state, DONE);
		assert_int_equal(graph_take(&g), TASK_NONE);
		graph_free(&g);
	}
}

static void what_is_left_is_freed(void **state)
{
	struct task_graph g = {0};

	(void)state;
	random_state = 3;
	submitted = 0;
	for (unsigned i = 0; i < 200; i++)
		submit_one(&g);
	graph_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_the_order_of_dependencies), cmocka_unit_test(the_longest_chain_first),
	    cmocka_unit_test(what_is_wrong_is_said),        cmocka_unit_test(at_random),
	    cmocka_unit_test(what_is_left_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
