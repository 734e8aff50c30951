/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Tasks with dependencies: pieces of work that run once, each when those that it waits for are done, on as many threads as wanted.
 *
 *      struct tasks *all;
 *      struct task left, right, both;
 *
 *      err = tasks_create(8, &all);
 *      err = task_submit(all, sort, &half[0], 1, NULL, 0, &left);
 *      err = task_submit(all, sort, &half[1], 1, NULL, 0, &right);
 *      err = task_submit(all, merge, half, 1, (struct task[]){left, right}, 2, &both);
 *      tasks_wait(all);
 *      tasks_destroy(all);
 *
 * Tasks may submit tasks. They run on ordinary threads of the domain (<threads.h>), so they may wait, but one that waits for another task
 * by other means than its dependencies keeps a worker from working. */

#include <stdbool.h>
#include <stdint.h>

#include "cpudriver/abi/errors.h"

struct tasks;
/* A task that was submitted; it may be done, and its number is not used again. */
struct task {
	uint64_t number;
};
/* What a task does. */
typedef void task_fn(void *argument);

/* Of one set of tasks. */
#define TASK_WORKERS_MAX 256

/* Starts `workers` threads that work, 1..TASK_WORKERS_MAX. Errors: ARGUMENT, NO_MEMORY. */
MUST_USE err_t tasks_create(unsigned workers, struct tasks **out);
/* `function(argument)` is run when all `count` tasks of `after` are done. `cost`: how long it is supposed to take, in any unit; what the
 * longest chain of costs waits for runs first. `out` may be NULL. Errors: NO_MEMORY, NOT_FOUND (`after` has what was never a task),
 * ARGUMENT. */
MUST_USE err_t task_submit(struct tasks *t, task_fn *function, void *argument, uint64_t cost, const struct task *after, unsigned count,
                           struct task *out);
bool task_is_done(struct tasks *t, struct task task);
/* Waits until nothing is left to do. Not to be called by a task. */
void tasks_wait(struct tasks *t);
/* Waits likewise, then ends the threads. */
void tasks_destroy(struct tasks *t);
