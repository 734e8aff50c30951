/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Messages that no honest monitor sends, about the objects that are really being agreed on. Each is given to the real agreement in the
 * state that is being looked at, and must change nothing:
 *
 *   malformed    a type that does not exist, fields out of their ranges
 *   out of view  any message, said to be of another view
 *   replayed     an answer to an operation of a generation that is over
 *   not asked    an answer to an operation under way, from a core that it asked nothing
 *   hearsay      "core x has lost it", from a core that has nothing to do with it
 *
 * A peer that is right about the operation and the view, and lies about itself, is not found out: it can harm what it holds. */

#include "tests/explore/world.h"

#include <string.h>

#include "tests/explore/invariants.h"

static const uint16_t all_types[] = {
#define AGREEMENT(name, number, fields) AGREEMENT_##name,
#include "monitor/agreement/messages.def"
#undef AGREEMENT
};
#define TYPES (sizeof all_types / sizeof all_types[0])

/* Messages that name an operation of the core that they go to. */
static const uint16_t answers[] = {AGREEMENT_installed, AGREEMENT_copied, AGREEMENT_found,   AGREEMENT_retype_answer, AGREEMENT_taken_over,
                                   AGREEMENT_noted,     AGREEMENT_swept,  AGREEMENT_flushed, AGREEMENT_revoked};
#define ANSWERS (sizeof answers / sizeof answers[0])

static union agreement_message message_about(const struct agreement *a, const struct object *o, uint32_t owner, uint32_t number)
{
	union agreement_message m;

	memset(&m, 0, sizeof m);
	m.head.operation = number;
	m.head.view = a->view;
	m.head.object = o->base | (uint64_t)owner << AGREEMENT_OWNER_SHIFT | o->type;
	m.head.size = o->size;
	return m;
}

/* Whether it was refused. */
static bool refuses(struct agreement *a, uint32_t from, unsigned type, const union agreement_message *m)
{
	const uint64_t before = a->statistics.refused;

	agreement_receive(a, from, type, m->words);
	return a->statistics.refused == before + 1;
}

static void forge_any(struct agreement *a, uint32_t from, const struct object *o, uint32_t owner)
{
	union agreement_message m = message_about(a, o, owner, 1), garbage;

	m.head.view++;
	for (unsigned k = 0; k < TYPES; k++)
		if (!refuses(a, from, all_types[k], &m))
			BREAK(forged);
	m.head.view--;
	memset(&garbage, 0xff, sizeof garbage);
	garbage.head = m.head;
	garbage.head.size++;
	if (!refuses(a, from, AGREEMENT_FIRST - 1, &m) || !refuses(a, from, AGREEMENT_copy, &garbage))
		BREAK(forged);
}

static void forge_answers(struct agreement *a, uint32_t from, const struct operation *op, uint32_t index)
{
	const uint32_t number = (index + 1) | (uint32_t)op->generation << 16;
	const bool asked = from == op->core || from == op->owner || (from == op->to && op->phase != 0) || set_has(&op->left, from) ||
	                   set_has(&op->flush, from);
	const union agreement_message stale = message_about(a, &op->object, op->owner, number ^ 1 << 16);
	const union agreement_message not_asked = message_about(a, &op->object, op->owner, number);

	for (unsigned k = 0; k < ANSWERS; k++)
		if (!refuses(a, from, answers[k], &stale) || (!asked && !refuses(a, from, answers[k], &not_asked)))
			BREAK(forged);
}

/* The old owner passes on what it hears, and may be believed; so only who never was a part of it is tried. */
static void forge_hearsay(struct agreement *a, uint32_t from, const struct shared *s)
{
	union agreement_message m = message_about(a, &s->object, s->owner, 0);

	if (set_has(&s->holders, from) || s->busy || s->moving_to)
		return;
	m.gone.core = set_next(&s->holders, 0);
	if (m.gone.core < world.cores)
		agreement_receive(a, from, AGREEMENT_gone, m.words);
}

static void forge_to(struct core *c, uint32_t from)
{
	struct agreement *a = &c->agreement;
	const uint64_t refused = a->statistics.refused;

	here = c;
	for (unsigned k = 0; k < SHARED_MAX; k++)
		if (a->shared[k].object.type != CAP_Null) {
			forge_any(a, from, &a->shared[k].object, a->shared[k].owner);
			forge_hearsay(a, from, &a->shared[k]);
		}
	for (unsigned k = 0; k < OPERATIONS_MAX; k++)
		if (a->operation[k].kind != OPERATION_NONE)
			forge_answers(a, from, &a->operation[k], k);
	a->statistics.refused = refused;
}

void check_forged(void)
{
	const struct hash before = state_hash();
	struct hash after;

	for (unsigned to = 0; to < world.cores; to++)
		for (unsigned from = 0; from < world.cores; from++)
			if (from != to && !world.core[to].dead && !world.core[from].dead && !broken)
				forge_to(&world.core[to], from);
	after = state_hash();
	if (!broken && (after.word[0] != before.word[0] || after.word[1] != before.word[1]))
		BREAK(forged);
}
