/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Workers: each takes the task that is to be run next, runs it, and says that it is done. One mutex guards the graph; tasks run outside. */

#include <pthread.h>
#include <stdlib.h>

#include "libos/tasks/graph.h"

struct tasks {
	pthread_mutex_t lock; /* of all below but `worker` */
	pthread_cond_t work;  /* something is ready, or it is over */
	pthread_cond_t rest;  /* nothing is left */
	struct task_graph graph;
	unsigned idle; /* workers that wait for work */
	bool over;
	unsigned workers;
	pthread_t worker[];
};

/* One wake-up for each task that an idle worker could run. */
static void call_workers(struct tasks *t, unsigned ready)
{
	for (unsigned i = 0; i < ready && i < t->idle; i++)
		pthread_cond_signal(&t->work);
}

static void run_one(struct tasks *t, uint32_t place)
{
	task_fn *function = t->graph.node[place].function;
	void *argument = t->graph.node[place].argument;

	pthread_mutex_unlock(&t->lock);
	function(argument);
	pthread_mutex_lock(&t->lock);
	call_workers(t, graph_done(&t->graph, place));
	if (t->graph.left == 0)
		pthread_cond_broadcast(&t->rest);
}

static void *work(void *argument)
{
	struct tasks *t = argument;
	uint32_t place;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		place = graph_take(&t->graph);
		if (place != TASK_NONE) {
			run_one(t, place);
			continue;
		}
		if (t->over)
			break;
		t->idle++;
		pthread_cond_wait(&t->work, &t->lock);
		t->idle--;
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

err_t tasks_create(unsigned workers, struct tasks **out)
{
	struct tasks *t;

	if (workers == 0 || workers > TASK_WORKERS_MAX)
		return ERR(ARGUMENT);
	t = calloc(1, sizeof *t + workers * sizeof t->worker[0]);
	if (t == NULL)
		return ERR(NO_MEMORY);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	pthread_cond_init(&t->rest, NULL);
	while (t->workers < workers && pthread_create(&t->worker[t->workers], NULL, work, t) == 0)
		t->workers++;
	if (t->workers < workers) {
		tasks_destroy(t);
		return ERR(NO_MEMORY);
	}
	*out = t;
	return OK;
}

err_t task_submit(struct tasks *t, task_fn *function, void *argument, uint64_t cost, const struct task *after, unsigned count,
                  struct task *out)
{
	err_t e;

	pthread_mutex_lock(&t->lock);
	e = graph_submit(&t->graph, function, argument, cost, after, count, out);
	if (is_ok(e) && t->graph.ready > 0)
		call_workers(t, 1);
	pthread_mutex_unlock(&t->lock);
	return e;
}

bool task_is_done(struct tasks *t, struct task task)
{
	bool done;

	pthread_mutex_lock(&t->lock);
	done = graph_is_done(&t->graph, task);
	pthread_mutex_unlock(&t->lock);
	return done;
}

void tasks_wait(struct tasks *t)
{
	pthread_mutex_lock(&t->lock);
	while (t->graph.left > 0)
		pthread_cond_wait(&t->rest, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

void tasks_destroy(struct tasks *t)
{
	tasks_wait(t);
	pthread_mutex_lock(&t->lock);
	t->over = true;
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
	for (unsigned i = 0; i < t->workers; i++)
		pthread_join(t->worker[i], NULL);
	graph_free(&t->graph);
	pthread_cond_destroy(&t->rest);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
