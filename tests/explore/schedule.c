/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/schedule.h"

#include <string.h>

#include "tests/explore/diagram.h"
#include "tests/explore/invariants.h"
#include "tests/explore/world.h"

/* ---- What can happen ---------------------------------------------------------------------------- */

static uint32_t message_view(const struct message *m)
{
	union agreement_message said;

	memcpy(said.words, m->word, sizeof said.words);
	return said.head.view;
}

struct list {
	struct choice *at;
	unsigned count;
};

static void add(struct list *l, enum choice_kind kind, unsigned a, unsigned b)
{
	if (l->count < CHOICES_MAX)
		l->at[l->count++] = (struct choice){.kind = (uint8_t)kind, .a = (uint8_t)a, .b = (uint8_t)b};
}

/* A message of a view that the receiver has not heard of yet waits until it has. */
static bool may_arrive(unsigned from, unsigned to)
{
	const struct queue *q = &world.queue[from][to];

	return q->count && message_view(&q->message[0]) <= world.core[to].view;
}

/* Whoever starts again is let in when all have heard that it was dead: to start takes long. The lowest core doesn't come back: who is
 * lowest speaks for the others (monitor/membership.c). */
static bool may_join(unsigned core)
{
	if (!world.core[core].dead || core < set_next(&world.alive, 0))
		return false;
	for (unsigned c = 0; c < world.cores; c++)
		if (!world.core[c].dead && world.core[c].view != world.view)
			return false;
	return !set_is_empty(&world.alive);
}

unsigned choices(struct choice *out, unsigned deaths, unsigned joins)
{
	struct list l = {out, 0};

	for (unsigned c = 0; c < world.cores; c++) {
		const struct core *core = &world.core[c];

		if (core->dead)
			continue;
		if (!core->idle)
			add(&l, CHOICE_STEP, c, 0);
		if (core->view != world.view)
			add(&l, CHOICE_VIEW, c, 0);
		for (unsigned from = 0; from < world.cores; from++)
			if (may_arrive(from, c))
				add(&l, CHOICE_DELIVER, from, c);
	}
	for (unsigned t = 0; t < TASKS_MAX; t++)
		if (world.task[t].state == TASK_READY && !world.core[world.task[t].request.core].dead)
			add(&l, CHOICE_START, t, 0);
	for (unsigned c = 0; c < world.cores; c++) {
		if (world.died < deaths && !world.core[c].dead)
			add(&l, CHOICE_DIE, c, 0);
		if (world.joined < joins && may_join(c))
			add(&l, CHOICE_JOIN, c, 0);
	}
	return l.count;
}

bool choice_is_possible(struct choice c)
{
	const struct core *core = &world.core[choice_core(c)];

	switch ((enum choice_kind)c.kind) {
	case CHOICE_START:
		return !core->dead && world.task[c.a].state == TASK_READY;
	case CHOICE_DELIVER:
		return !core->dead && may_arrive(c.a, c.b);
	case CHOICE_STEP:
		return !core->dead && !core->idle;
	case CHOICE_VIEW:
		return !core->dead && core->view != world.view;
	case CHOICE_DIE:
		return !core->dead && set_count(&world.alive) > 1;
	default:
		return may_join(c.a);
	}
}

/* ---- Making it happen --------------------------------------------------------------------------- */

static void deliver(unsigned from, unsigned to)
{
	struct message m;

	if (!network_take(from, to, &m))
		return;
	here = &world.core[to];
	diagram_delivered(from, to, &m);
	agreement_receive(&here->agreement, from, (unsigned)m.type, m.word);
}

/* What it has sent is still on its way; the survivors agree on a view without it and hear of that one by one. */
static void die(unsigned core)
{
	diagram_died(core);
	world.core[core].dead = true;
	for (unsigned k = 0; k < TASKS_MAX; k++)
		world.task[k].lost |= world.task[k].state == TASK_PENDING && world.task[k].request.core == core;
	set_remove(&world.alive, core);
	network_forget_to(core);
	world.died++;
	world.view++;
}

static void hear_of_view(unsigned core)
{
	here = &world.core[core];
	diagram_view(core);
	here->view = world.view;
	agreement_view(&here->agreement, world.view, &world.alive);
}

/* It knows the view that it begins in; the others hear of it one by one. Of its former life nothing arrives. */
static void join(unsigned core)
{
	world_restart(core);
	touched = EVERY_CORE;
	diagram_joined(core);
	network_forget_from(core);
	set_add(&world.alive, core);
	world.joined++;
	world.view++;
	here->view = world.view;
	agreement_view(&here->agreement, world.view, &world.alive);
}

unsigned choice_core(struct choice c)
{
	return c.kind == CHOICE_START ? world.task[c.a].request.core : c.kind == CHOICE_DELIVER ? c.b : c.a;
}

void choice_apply(struct choice c)
{
	bool more = true;

	touched = world.tables ? EVERY_CORE : (cores_t)1 << choice_core(c); /* what one writes in a table, others' TLBs take in */
	switch ((enum choice_kind)c.kind) {
	case CHOICE_START:
		here = &world.core[world.task[c.a].request.core];
		task_start(c.a);
		break;
	case CHOICE_DELIVER:
		deliver(c.a, c.b);
		break;
	case CHOICE_STEP:
		here = &world.core[c.a];
		diagram_step(c.a);
		more = agreement_step(&here->agreement);
		break;
	case CHOICE_DIE:
		die(c.a);
		return;
	case CHOICE_VIEW:
		hear_of_view(c.a);
		break;
	case CHOICE_JOIN:
		join(c.a);
		break;
	}
	here->idle = !clear_unwanted() && !more;
	translations_gather();
}

void run_to_rest(void)
{
	struct choice c[CHOICES_MAX];

	while (!broken && choices(c, 0, 0)) {
		choice_apply(c[0]);
		check_state();
	}
	if (!broken)
		check_rest();
}
