/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Delta debugging (A. Zeller, R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002): leave out one half of
 * the events, or the other, then quarters, and so on, as long as the same invariant is broken without them.
 *
 * An event that is not possible any more when others are missing (a message that was never sent can't arrive) is passed over, and what is
 * left undone at the end is done in a fixed order. So a shorter script is always a whole story again, and what has really happened in it
 * is what the next one is made from. First only what users ask for, monitors give and cores that die are left out, which takes much else
 * along; then everything is tried. */

#include "tests/explore/shrink.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_TO_REST 20000
#define STEPS_IN_ALL  3000000 /* less than a minute */

static size_t steps_left;

void walk_begin(unsigned cores)
{
	world_begin(cores);
	world.tables = true;
}

static void apply(const struct event *e, struct script *happened)
{
	if (!event_apply(e))
		return;
	script_add(happened, e);
	if (e->kind != EVENT_CHOICE)
		return;
	steps_left -= steps_left > 0;
	if (!broken)
		check_state();
}

void script_run(const struct script *script, unsigned cores, struct script *happened)
{
	struct choice c[CHOICES_MAX];

	walk_begin(cores);
	for (size_t k = 0; k < script_length(script) && !broken; k++)
		apply(script_event(script, k), happened);
	for (unsigned steps = 0; !broken && choices(c, 0, 0); steps++) {
		if (steps == STEPS_TO_REST)
			BREAK(ends);
		else
			apply(&(struct event){.kind = EVENT_CHOICE, .choice = c[0]}, happened);
	}
	if (!broken)
		check_forged();
	if (!broken)
		check_rest();
}

/* Whether it breaks the same without these events; then it is what happened instead. */
static bool leave_out(struct script *script, unsigned cores, enum invariant breaks, size_t from, size_t to, bool inputs_only)
{
	struct script less = {{0}}, happened = {{0}};
	bool breaks_too;

	for (size_t k = 0; k < script_length(script); k++)
		if (k < from || k >= to || (inputs_only && !event_is_input(script_event(script, k))))
			script_add(&less, script_event(script, k));
	if (script_length(&less) == script_length(script)) {
		free(less.events.at);
		return false;
	}
	script_run(&less, cores, &happened);
	breaks_too = broken == breaks && script_length(&happened) < script_length(script);
	free(less.events.at);
	if (breaks_too) {
		free(script->events.at);
		*script = happened;
	} else {
		free(happened.events.at);
	}
	return breaks_too;
}

/* Each part of that many events, from the end on: the beginning is what the rest is about. Whether any could be left out. */
static bool leave_out_parts(struct script *script, unsigned cores, enum invariant breaks, size_t part, bool inputs_only)
{
	bool any = false;

	for (size_t to = script_length(script); to > 0 && steps_left > 0;) {
		const size_t from = to > part ? to - part : 0;

		any |= leave_out(script, cores, breaks, from, to, inputs_only);
		to = from < script_length(script) ? from : script_length(script);
	}
	return any;
}

static void shrink_by(struct script *script, unsigned cores, enum invariant breaks, bool inputs_only)
{
	for (size_t part = (script_length(script) + 1) / 2; part > 0 && steps_left > 0;)
		if (!leave_out_parts(script, cores, breaks, part, inputs_only) || part > script_length(script))
			part = part > script_length(script) ? script_length(script) : part / 2;
}

void shrink(struct script *script, unsigned cores, enum invariant breaks)
{
	size_t before;

	steps_left = STEPS_IN_ALL;
	do {
		before = script_length(script);
		shrink_by(script, cores, breaks, true);
		shrink_by(script, cores, breaks, false);
	} while (script_length(script) < before && steps_left > 0);
}
