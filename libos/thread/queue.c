/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/thread/queue.h"

bool queue_remove(struct queue *q, struct queue_entry *e)
{
	struct queue_entry *before = NULL;

	for (struct queue_entry *at = q->first; at != NULL; before = at, at = at->next) {
		if (at != e)
			continue;
		if (before == NULL)
			q->first = e->next;
		else
			before->next = e->next;
		if (q->last == e)
			q->last = before;
		return true;
	}
	return false;
}

void sleepers_add(struct sleeper **list, struct sleeper *s, uint64_t deadline)
{
	while (*list != NULL && (*list)->deadline <= deadline)
		list = &(*list)->next;
	*s = (struct sleeper){*list, deadline, true};
	*list = s;
}

void sleepers_remove(struct sleeper **list, struct sleeper *s)
{
	if (!s->asleep)
		return;
	while (*list != s)
		list = &(*list)->next;
	*list = s->next;
	s->asleep = false;
}

struct sleeper *sleepers_take(struct sleeper **list, uint64_t now)
{
	struct sleeper *s = *list;

	if (s == NULL || s->deadline > now)
		return NULL;
	*list = s->next;
	s->asleep = false;
	return s;
}
