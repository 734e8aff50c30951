/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/host/pair.h"

#include <hwloc.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* The leader says which batch is next, the follower says that it is through with it. */
struct turns {
	hwloc_topology_t topology;
	hwloc_const_cpuset_t follower_cpu;
	struct side *follower;

	_Alignas(128) _Atomic unsigned batch;   /* written by the leader: number of the batch, from 1 */
	enum contender_index contender;         /* likewise, before `batch`; CONTENDERS ends the thread */
	_Alignas(128) _Atomic unsigned through; /* written by the follower: that number when it is done */
	bool failed;                            /* likewise, before `through` */
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* What it costs to look at the clock: the least of many. */
static double clock_overhead_ns(void)
{
	double least = 1e9;

	for (int i = 0; i < 1000; i++) {
		double start = now_ns(), took = now_ns() - start;

		least = took < least ? took : least;
	}
	return least;
}

static void *follow(void *argument)
{
	struct turns *turns = argument;

	turns->failed = hwloc_set_cpubind(turns->topology, turns->follower_cpu, HWLOC_CPUBIND_THREAD) != 0;
	for (unsigned batch = 0;; batch++) {
		const struct contender *contender;

		atomic_store_explicit(&turns->through, batch, memory_order_release);
		while (atomic_load_explicit(&turns->batch, memory_order_acquire) == batch)
			channel_pause();
		if (turns->contender == CONTENDERS)
			return NULL;
		contender = &contenders[turns->contender];
		if (!contender->follow(turns->follower, contender->warm_up + contender->count))
			turns->failed = true;
	}
}

static void start_batch(struct turns *turns, enum contender_index contender)
{
	turns->contender = contender;
	atomic_fetch_add_explicit(&turns->batch, 1, memory_order_release);
}

static bool await_follower(const struct turns *turns)
{
	unsigned batch = atomic_load_explicit(&turns->batch, memory_order_relaxed);

	while (atomic_load_explicit(&turns->through, memory_order_acquire) != batch)
		channel_pause();
	return !turns->failed;
}

static bool measure_batch(struct turns *turns, struct side *side, enum contender_index index, double overhead, double *ns)
{
	const struct contender *contender = &contenders[index];
	double start, end;

	start_batch(turns, index);
	if (!contender->lead(side, 0, contender->warm_up))
		return false;
	start = now_ns();
	if (!contender->lead(side, contender->warm_up, contender->count))
		return false;
	end = now_ns();
	*ns = (end - start - overhead) / contender->count;
	return await_follower(turns);
}

static const char *measure_rounds(struct turns *turns, struct side *leader, struct round *rounds, unsigned count)
{
	double overhead = clock_overhead_ns();

	if (!await_follower(turns))
		return "the second thread cannot be bound to its CPU";
	for (unsigned i = 0; i < count; i++)
		for (enum contender_index c = 0; c < CONTENDERS; c++)
			if (!measure_batch(turns, leader, c, overhead, &rounds[i].ns[c]))
				return "a message was lost, wrong or refused";
	return NULL;
}

/* The first PU of a core that this process may use; NULL if there is none. */
static hwloc_obj_t allowed_pu(hwloc_topology_t topology, hwloc_obj_t core, hwloc_const_bitmap_t allowed)
{
	hwloc_obj_t pu = NULL;

	do
		pu = hwloc_get_next_obj_inside_cpuset_by_type(topology, core->cpuset, HWLOC_OBJ_PU, pu);
	while (pu != NULL && !hwloc_bitmap_isset(allowed, pu->os_index));
	return pu;
}

/* The PUs that were asked for, if this process may use them. */
static void choose_given(hwloc_topology_t topology, const int cpus[SIDES], hwloc_const_bitmap_t allowed, hwloc_obj_t pus[SIDES])
{
	for (int i = 0; i < SIDES; i++)
		if (hwloc_bitmap_isset(allowed, (unsigned)cpus[i]))
			pus[i] = hwloc_get_pu_obj_by_os_index(topology, (unsigned)cpus[i]);
}

/* The first PUs of the first two cores that this process may use. */
static void choose_first(hwloc_topology_t topology, hwloc_const_bitmap_t allowed, hwloc_obj_t pus[SIDES])
{
	hwloc_obj_t core = NULL;
	int found = 0;

	while (found < SIDES && (core = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, core)) != NULL) {
		pus[found] = allowed_pu(topology, core, allowed);
		found += pus[found] != NULL;
	}
}

static bool choose(hwloc_topology_t topology, const struct pair *pair, hwloc_obj_t pus[SIDES])
{
	hwloc_bitmap_t allowed = hwloc_bitmap_alloc();

	if (allowed == NULL)
		return false;
	hwloc_get_cpubind(topology, allowed, HWLOC_CPUBIND_PROCESS); /* if that fails the set stays empty, and nothing is found */
	if (pair->cpus[0] >= 0)
		choose_given(topology, pair->cpus, allowed, pus);
	else
		choose_first(topology, allowed, pus);
	hwloc_bitmap_free(allowed);
	return pus[0] != NULL && pus[1] != NULL && pus[0] != pus[1];
}

static struct inbox *allocate_near(hwloc_topology_t topology, hwloc_obj_t pu)
{
	struct inbox *box = hwloc_alloc_membind_policy(topology, sizeof *box, pu->nodeset, HWLOC_MEMBIND_BIND, HWLOC_MEMBIND_BYNODESET);

	if (box != NULL)
		memset(box, 0, sizeof *box);
	return box;
}

static const char *run_threads(struct turns *turns, hwloc_obj_t pus[SIDES], struct side sides[SIDES], struct round *rounds, unsigned count)
{
	pthread_t thread;
	const char *trouble;

	if (hwloc_set_cpubind(turns->topology, pus[LEADER]->cpuset, HWLOC_CPUBIND_THREAD) != 0)
		return "the first thread cannot be bound to its CPU";
	turns->follower_cpu = pus[FOLLOWER]->cpuset;
	turns->follower = &sides[FOLLOWER];
	if (pthread_create(&thread, NULL, follow, turns) != 0)
		return "a second thread cannot be started";
	trouble = measure_rounds(turns, &sides[LEADER], rounds, count);
	if (trouble != NULL)
		return trouble; /* the follower may be waiting for a message that never comes; the process ends anyway */
	start_batch(turns, CONTENDERS);
	pthread_join(thread, NULL);
	return NULL;
}

bool pair_measure(struct pair *pair, struct round *rounds, unsigned count)
{
	static struct turns turns;
	static struct side sides[SIDES];
	struct inbox *inboxes[SIDES];
	hwloc_obj_t pus[SIDES] = {NULL, NULL};

	if (hwloc_topology_init(&turns.topology) != 0 || hwloc_topology_load(turns.topology) != 0) {
		pair->trouble = "hwloc cannot read this machine";
		return false;
	}
	if (!choose(turns.topology, pair, pus)) {
		pair->trouble = "two different CPUs that this process may use are needed";
		return false;
	}
	for (int i = 0; i < SIDES; i++) {
		pair->cpus[i] = (int)pus[i]->os_index;
		pair->nodes[i] = hwloc_bitmap_first(pus[i]->nodeset);
		inboxes[i] = allocate_near(turns.topology, pus[i]);
		if (inboxes[i] == NULL) {
			pair->trouble = "there is no memory";
			return false;
		}
	}
	if (!sides_connect(sides, inboxes)) {
		pair->trouble = "the channel refuses its geometry";
		return false;
	}
	pair->trouble = run_threads(&turns, pus, sides, rounds, count);
	return pair->trouble == NULL;
}
