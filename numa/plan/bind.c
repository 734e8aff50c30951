/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/plan/bind.h"

#include <errno.h>
#include <hwloc.h>
#include <hwloc/linux.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROCESSORS = 65536 };

/* A number that ends at `end`; answers what follows, or NULL. */
static const char *number(const char *text, const char *end, long most, long *value)
{
	char *stop;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*value = strtol(text, &stop, 10);
	for (const char *e = end; errno == 0 && *value <= most; e++) {
		if (*stop == *e)
			return stop + (*stop != 0);
		if (*e == 0)
			break;
	}
	return NULL;
}

static bool parse(const char *word, pid_t *thread, hwloc_bitmap_t set)
{
	long value = 0;
	const char *rest = number(word, "=", INT_MAX, &value);

	*thread = (pid_t)value;
	if (rest == NULL || *rest == 0)
		return false;
	hwloc_bitmap_zero(set);
	while (rest != NULL && *rest != 0) {
		rest = number(rest, ",", PROCESSORS - 1, &value);
		if (rest != NULL && hwloc_bitmap_set(set, (unsigned)value) != 0)
			return false;
	}
	return rest != NULL;
}

static bool bind_one(hwloc_topology_t topology, const char *word, hwloc_bitmap_t set, hwloc_bitmap_t now, char *refusal, size_t bytes)
{
	pid_t thread;

	if (!parse(word, &thread, set)) {
		snprintf(refusal, bytes, "%s isn't a thread and its processors, THREAD=PROCESSOR,PROCESSOR.", word);
		return false;
	}
	if (hwloc_linux_set_tid_cpubind(topology, thread, set) != 0) {
		if (errno == ESRCH)
			return true; /* it has ended meanwhile */
		snprintf(refusal, bytes, "Thread and processors %s can't be bound: %m.", word);
		return false;
	}
	if (hwloc_linux_get_tid_cpubind(topology, thread, now) != 0 || !hwloc_bitmap_isequal(set, now)) {
		snprintf(refusal, bytes, "Thread and processors %s: the host let it have others.", word);
		return false;
	}
	return true;
}

bool bind_threads(char *const *words, int count, char *refusal, size_t bytes)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc(), now = hwloc_bitmap_alloc();
	hwloc_topology_t topology = NULL;
	bool bound = set != NULL && now != NULL && hwloc_topology_init(&topology) == 0 && hwloc_topology_load(topology) == 0;

	if (!bound)
		snprintf(refusal, bytes, "hwloc can't read this host.");
	for (int i = 0; bound && i < count; i++)
		bound = bind_one(topology, words[i], set, now, refusal, bytes);
	if (topology != NULL)
		hwloc_topology_destroy(topology);
	hwloc_bitmap_free(now);
	hwloc_bitmap_free(set);
	return bound;
}
