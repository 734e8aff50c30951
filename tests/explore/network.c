/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The channels between the monitors: a queue for each ordered pair of cores. Messages of one queue arrive in their order; which
 * queue's turn it is, the search decides. */

#include "tests/explore/world.h"

#include "tests/explore/invariants.h"

#include <string.h>

void agreement_send(struct agreement *a, uint32_t to, unsigned type, const union agreement_message *message)
{
	const unsigned bytes = agreement_bytes(type);
	struct queue *q;

	if (to >= world.cores || to == a->core || bytes == 0) {
		BREAK(destination);
		return;
	}
	if (world.core[to].dead)
		return;
	q = &world.queue[a->core][to];
	if (q->count == QUEUE_MAX) {
		BREAK(few_messages);
		return;
	}
	struct message *m = &q->message[q->count++];

	m->type = type;
	memcpy(m->word, message->words, bytes);
}

bool network_take(uint32_t from, uint32_t to, struct message *m)
{
	struct queue *q = &world.queue[from][to];

	if (q->count == 0)
		return false;
	*m = q->message[0];
	memmove(&q->message[0], &q->message[1], (size_t)--q->count * sizeof q->message[0]);
	q->message[q->count] = (struct message){0};
	return true;
}

bool network_is_empty(void)
{
	for (unsigned from = 0; from < world.cores; from++)
		for (unsigned to = 0; to < world.cores; to++)
			if (world.queue[from][to].count)
				return false;
	return true;
}

void network_forget_to(uint32_t core)
{
	for (unsigned from = 0; from < world.cores; from++)
		world.queue[from][core] = (struct queue){0};
}

void network_forget_from(uint32_t core)
{
	for (unsigned to = 0; to < world.cores; to++)
		world.queue[core][to] = (struct queue){0};
}
