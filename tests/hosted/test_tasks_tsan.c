// sources: libos/tasks/graph.c libos/tasks/run.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Tasks on real threads: each runs once, after all that it waits for; tasks submit tasks; waiting waits for all of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <atoll/tasks.h>

#define ROWS    40
#define COLUMNS 16

/* Plain memory: that a task sees what those before it wrote is what dependencies are for, and the sanitizer watches. */
static uint64_t grid[ROWS][COLUMNS];
static atomic_uint runs;

struct cell {
	unsigned row, column;
};
static struct cell cells[ROWS][COLUMNS];

static void add_up(void *argument)
{
	const struct cell *c = argument;
	uint64_t left = c->column > 0 ? grid[c->row][c->column - 1] : 0, above = c->row > 0 ? grid[c->row - 1][c->column] : 0;

	grid[c->row][c->column] = left + above + 1;
	runs++;
}

static uint64_t expected(void)
{
	static uint64_t g[ROWS][COLUMNS];

	for (unsigned r = 0; r < ROWS; r++)
		for (unsigned c = 0; c < COLUMNS; c++)
			g[r][c] = (c > 0 ? g[r][c - 1] : 0) + (r > 0 ? g[r - 1][c] : 0) + 1;
	return g[ROWS - 1][COLUMNS - 1];
}

static void a_wave_front(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= 8; workers *= 2) {
		struct task number[ROWS][COLUMNS];
		struct tasks *t;

		runs = 0;
		assert_true(is_ok(tasks_create(workers, &t)));
		for (unsigned r = 0; r < ROWS; r++)
			for (unsigned c = 0; c < COLUMNS; c++) {
				struct task after[2];
				unsigned count = 0;

				if (r > 0)
					after[count++] = number[r - 1][c];
				if (c > 0)
					after[count++] = number[r][c - 1];
				cells[r][c] = (struct cell){r, c};
				assert_true(is_ok(task_submit(t, add_up, &cells[r][c], 1, after, count, &number[r][c])));
			}
		tasks_wait(t);
		assert_int_equal(runs, ROWS * COLUMNS);
		assert_true(task_is_done(t, number[ROWS - 1][COLUMNS - 1]));
		assert_int_equal(grid[ROWS - 1][COLUMNS - 1], expected());
		tasks_destroy(t);
	}
}

static struct tasks *splitting;

static void split(void *argument)
{
	uintptr_t depth = (uintptr_t)argument;

	runs++;
	for (unsigned i = 0; i < 2 && depth > 0; i++)
		if (is_err(task_submit(splitting, split, (void *)(depth - 1), 1, NULL, 0, NULL)))
			runs += 1000000;
}

static void tasks_submit_tasks(void **state)
{
	(void)state;
	runs = 0;
	assert_true(is_ok(tasks_create(4, &splitting)));
	assert_true(is_ok(task_submit(splitting, split, (void *)10, 1, NULL, 0, NULL)));
	tasks_destroy(splitting);
	assert_int_equal(runs, 2047);
}

static void numbers_of_workers(void **state)
{
	struct tasks *t;

	(void)state;
	assert_true(err_is(tasks_create(0, &t), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(tasks_create(TASK_WORKERS_MAX + 1, &t), ERR_NUMBER_ARGUMENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_wave_front),
	    cmocka_unit_test(tasks_submit_tasks),
	    cmocka_unit_test(numbers_of_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
