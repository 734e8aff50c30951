/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>

#include "bench/peers/linux/link.h"
#include "bench/peers/linux/peers.h"

enum { ASKS_FROM = 0 };

static struct samples samples;

/* What the answering side is told before it begins. */
struct task {
	const struct transport *transport;
	struct side *side;
	unsigned rounds;
};

static bool answer(void *argument)
{
	const struct task *task = argument;

	return task->transport->answer(task->side, task->rounds);
}

static bool ask(const struct plan *p, const struct transport *t, struct side *side)
{
	samples_begin(&samples);
	for (unsigned round = 0; round < p->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		if (!t->ask(side, t->batch))
			return false;
		if (round >= WARM_UP)
			samples_add(&samples, sample_now() - begin, t->batch);
	}
	return true;
}

static bool measure(const struct plan *p, const struct transport *t, enum party_kind kind, unsigned to)
{
	struct side sides[SIDES];
	struct task task = {t, &sides[ANSWERER], (p->rounds + WARM_UP) * t->batch};
	struct party party;
	char id[40];
	bool ok;

	snprintf(id, sizeof(id), "%s.rtt.%s", t->name, party_kind_names[kind]);
	if (!link_open(sides, t, kind))
		return failed_call(id, "the link");
	if (!party_start(&party, kind, to, answer, &task))
		return failed_call(id, "the other side");
	ok = ask(p, t, &sides[ASKER]);
	if (!ok)
		return failed(id, "an answer was lost or wrong");
	ok = party_join(&party);
	link_close(sides);
	if (!ok)
		return failed(id, "the other side did not end well");
	samples_print(&samples, p->lens, id, ASKS_FROM, to);
	return true;
}

static bool measure_to(const struct plan *p, unsigned to)
{
	bool ok = true;

	for (unsigned i = 0; i < transport_count; i++) {
		const struct transport *t = &transports[i];

		if (t->polls && (to == ASKS_FROM || p->polled < 2 || lens_is_instructions(p->lens)))
			continue;
		for (enum party_kind kind = 0; kind < PARTY_KINDS; kind++)
			ok = measure(p, t, kind, to) && ok;
	}
	return ok;
}

/* On one core, and to the next one. */
bool pairs_measure(const struct plan *p)
{
	return measure_to(p, ASKS_FROM) && (p->cores == 1 || measure_to(p, ASKS_FROM + 1));
}
