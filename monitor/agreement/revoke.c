/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Revoke: every other copy and every descendant goes, on all cores.
 *
 *   asker ── revoke ──────▶ owner ── sweep ───────▶ holders, down a tree
 *                           owner ── sweep_asker ─▶ asker                    all but the capability that it revokes with
 *                           owner ◀─ swept ──────── asker, holders, up the tree
 *   asker ◀─ revoked ────── owner
 *
 * The owner, if it isn't the asker, sweeps its own core too. Then only the asker has the object, and gets it from the owner, unless that
 * has to stay one (delete.c says when). A holder with no room for the operation sends the sweep back (sweep_later), and gets it again.
 *
 * The tree: whoever sends to n cores sends the first of them one half of the others to care for, and goes on with the other half. So
 * nobody sends more than log2(n) messages, and the last core is swept after as many hops.
 *
 *   asker    BEGIN ──▶ ASKED ──▶ SWEEP ──▶ ASKED ──▶ done
 *                                sweep_asker    revoked
 *   owner    BEGIN ──▶ LINE ──▶ TURN ──▶ SWEEP ──▶ END ──▶ done, or `revoked`
 *                                        own part swept, all heads of the tree answered
 *   holder   SWEEP ──▶ `swept`
 *
 * A revoke that meets a shared object inside begins one of its own for that (sweep.c), which keeps nothing. Whoever waited in the object's
 * line with a capability that is now gone is told so.
 *
 * A holder that never answers keeps the line until it is declared dead: then what it held is gone with it. */

#include "monitor/agreement/internal.h"

/* ---- The tree ---- */

static struct core_set set_of(const uint64_t words[SET_WORDS])
{
	struct core_set s;

	for (unsigned i = 0; i < SET_WORDS; i++)
		s.word[i] = words[i];
	return s;
}

static void send_sweep(struct agreement *a, struct operation *op, uint32_t to, const struct core_set *below)
{
	union agreement_message m = message_blank();

	m.sweep.cores0 = below->word[0];
	m.sweep.cores1 = below->word[1];
	m.sweep.cores2 = below->word[2];
	m.sweep.cores3 = below->word[3];
	op->messages++;
	say(a, op, to, AGREEMENT_sweep, operation_number(a, op), &m);
}
_Static_assert(SET_WORDS == 4, "as many as a message has");

/* Moves the first `count` members to another set. */
static struct core_set split(struct core_set *set, unsigned count)
{
	struct core_set part = {0};

	for (uint32_t core = set_next(set, 0); count > 0; core = set_next(set, core), count--) {
		set_remove(set, core);
		set_add(&part, core);
	}
	return part;
}

static void send_tree(struct agreement *a, struct operation *op, struct core_set cores)
{
	while (!set_is_empty(&cores)) {
		struct core_set part = split(&cores, (set_count(&cores) + 1) / 2);
		uint32_t head = set_next(&part, 0);

		set_remove(&part, head);
		set_add(&op->left, head);
		send_sweep(a, op, head, &part);
	}
}

bool receive_sweep_later(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_sweep_later *m)
{
	struct operation *op = operation_named(a, s);
	struct core_set below = set_of((const uint64_t[]){m->cores0, m->cores1, m->cores2, m->cores3});

	if (op == NULL || op->phase != PHASE_SWEEP || !set_has(&op->left, from))
		return false;
	send_sweep(a, op, from, &below);
	return true;
}

/* ---- A holder ---- */

static void send_later(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_sweep *m)
{
	union agreement_message answer = message_blank();

	answer.sweep_later.cores0 = m->cores0;
	answer.sweep_later.cores1 = m->cores1;
	answer.sweep_later.cores2 = m->cores2;
	answer.sweep_later.cores3 = m->cores3;
	say_about(a, s, from, AGREEMENT_sweep_later, &answer);
}

bool receive_sweep(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_sweep *m)
{
	struct core_set below = set_of((const uint64_t[]){m->cores0, m->cores1, m->cores2, m->cores3});
	struct operation *op;
	cap_t cap = CAP_NULL;
	err_t e;

	if (s->owner == a->core || !set_has(&a->alive, s->owner))
		return false;
	if (m->head.view != a->view)
		return true; /* the owner begins anew in the new view */
	e = handle_take(&s->object, s->owner, RIGHTS_ALL, &cap);
	if (err_is(e, ERR_NUMBER_STATE))
		return false; /* another core owns it */
	op = err_is(e, ERR_NUMBER_NO_SLOT) || err_is(e, ERR_NUMBER_NO_MEMORY) ? NULL : operation_new(a, OPERATION_HOLDER, &s->object);
	if (op == NULL) {
		if (is_ok(e))
			handle_drop(a, cap);
		send_later(a, from, s, m);
		return true;
	}
	op->owner = s->owner;
	op->core = from;
	op->number = s->number;
	op->cap = cap; /* none if something else is in the way: then the object can't be here */
	op->phase = PHASE_SWEEP;
	set_remove(&below, s->owner);
	set_remove(&below, from);
	if (!MUTANT(sweep_not_forwarded))
		send_tree(a, op, others_of(a, &below));
	operation_run(a, op);
	return true;
}

static void holder_end(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();

	if (op->cap.value != CAP_NULL.value)
		handle_drop(a, op->cap);
	op->messages++;
	m.swept.messages = op->messages;
	say(a, op, op->core, AGREEMENT_swept, op->number, &m);
	operation_free(a, op);
}

/* A handle may be swept by somebody who takes apart what lies around the object; that is no reason to leave the rest. A caller's capability
 * that is gone is not replaced. */
static err_t have_handle(struct agreement *a, struct operation *op)
{
	err_t e = operation_cap(op);

	if (is_ok(e) || (op->kind == OPERATION_REVOKE && !op->internal))
		return e;
	cap_slot_free(op->cap);
	op->cap = CAP_NULL;
	if (op->kind == OPERATION_HOLDER)
		return handle_take(&op->object, op->owner, RIGHTS_ALL, &op->cap);
	return handle_own(a, &op->object, RIGHTS_ALL, &op->cap);
}

/* Goes on with this core's part. Whether it is done. If the owner has died nothing more goes: all have counted what they have of whom. */
static bool own_part(struct agreement *a, struct operation *op)
{
	enum progress progress = PROGRESS_DONE;

	if (op->children > 0 || !sweep_resumes(op))
		return false;
	if (!op->swept && op->error == ERR_NUMBER_OK && op->cap.value != CAP_NULL.value &&
	    !(MUTANT(owner_not_swept) && op->kind == OPERATION_OWNER) && is_ok(have_handle(a, op)))
		progress = sweep_slice(a, op);
	if (progress == PROGRESS_MORE)
		operation_due(a, op);
	if (progress == PROGRESS_MORE || progress == PROGRESS_WAITS)
		return false;
	return sweep_finish(a, op) == PROGRESS_DONE;
}

void holder_run(struct agreement *a, struct operation *op)
{
	if (op->answered && op->children == 0)
		operation_free(a, op);
	else if (!op->answered && own_part(a, op) && (set_is_empty(&op->left) || MUTANT(swept_not_awaited)))
		holder_end(a, op);
}

/* ---- The asker ---- */

static void ask(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();

	op->phase = PHASE_ASKED;
	op->messages++;
	say(a, op, op->core, AGREEMENT_revoke, operation_number(a, op), &m);
}

static struct operation *asked(struct agreement *a, uint32_t from, const struct subject *s)
{
	struct operation *op = operation_named(a, s);

	if (op == NULL || op->kind != OPERATION_REVOKE || op->core != from)
		return NULL;
	return op->phase == PHASE_ASKED || op->phase == PHASE_SWEEP ? op : NULL;
}

bool receive_sweep_asker(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_sweep_asker *m)
{
	const struct subject mine = {s->object, s->owner, m->asker};
	struct operation *op = asked(a, from, &mine);

	if (op == NULL)
		return false;
	if (op->phase == PHASE_SWEEP) { /* it is at it, since before a core died: no copy has come since */
		op->number = s->number;
		return true;
	}
	if (is_err(operation_look(a, op))) /* an outer revoke took it, but may have missed a copy that came later */
		return receive_sweep(a, from, s, &(const struct agreement_sweep){.head = m->head});
	op->number = s->number;
	op->phase = PHASE_SWEEP;
	op->swept = false;
	operation_run(a, op);
	return true;
}

/* This core's copies and descendants are gone but for the one. */
static void asker_swept(struct agreement *a, struct operation *op)
{
	union agreement_message m = message_blank();

	m.swept.kept = is_ok(operation_look(a, op));
	op->phase = PHASE_ASKED;
	say(a, op, op->core, AGREEMENT_swept, op->number, &m);
}

bool receive_revoked(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_revoked *m)
{
	struct operation *op = asked(a, from, s);

	if (op == NULL || op->phase != PHASE_ASKED || (m->owner != from && m->owner != a->core) ||
	    (m->error == ERR_NUMBER_OK && !op->swept))
		return false;
	op->messages += m->messages;
	if (asker_tries_again(a, op, m->error))
		return true;
	op->error = (uint8_t)m->error;
	if (op->error == ERR_NUMBER_OK && m->owner == a->core && !MUTANT(owner_not_told)) {
		err_t e = platform_mark(op->cap, false, a->core); /* one capability: there is no AGAIN */

		op->error = (uint8_t)e.number;
	}
	operation_end(a, op, CAP_NULL);
	return true;
}

/* ---- The owner ---- */

bool receive_revoke(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_revoke *m)
{
	struct operation *op = owner_serve(a, from, s, OPERATION_REVOKE);

	(void)m;
	if (op != NULL && op->phase == PHASE_TURN)
		operation_run(a, op);
	return true;
}

static void begin_sweep(struct agreement *a, struct operation *op, struct shared *s)
{
	union agreement_message m = message_blank();
	struct core_set holders = others_of(a, &s->holders);

	op->phase = PHASE_SWEEP;
	set_remove(&holders, op->core);
	send_tree(a, op, holders);
	if (op->kind != OPERATION_OWNER)
		return;
	if (op->answered)
		return;
	m.sweep_asker.asker = op->number;
	set_add(&op->left, op->core);
	op->messages += 2;
	say(a, op, op->core, AGREEMENT_sweep_asker, operation_number(a, op), &m);
}

static void take_turn(struct agreement *a, struct operation *op, struct shared *s)
{
	err_t e;

	if (op->kind != OPERATION_OWNER)
		e = have_handle(a, op);
	else if (owner_asker_holds(a, op))
		e = handle_own(a, &op->object, RIGHTS_ALL, &op->cap);
	else
		e = ERR(CAP_EMPTY);
	if (is_err(e)) {
		operation_fail(a, op, e);
		return;
	}
	begin_sweep(a, op, s);
	operation_run(a, op);
}

bool receive_swept(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_swept *m)
{
	struct operation *op = operation_named(a, s);

	if (op == NULL || op->phase != PHASE_SWEEP || !set_has(&op->left, from))
		return false;
	if (m->kept && (op->kind != OPERATION_OWNER || from != op->core))
		return false;
	set_remove(&op->left, from);
	op->messages += m->messages;
	op->kept |= m->kept != 0;
	if (set_is_empty(&op->left))
		operation_due(a, op);
	return true;
}

/* The object goes to the asker, who has the only other capability. */
static bool give_away(struct agreement *a, struct operation *op, struct shared *s)
{
	if (is_err(platform_mark(op->cap, false, op->core)) || is_err(platform_surrender(op->cap)))
		return false;
	cap_slot_free(op->cap);
	op->cap = CAP_NULL;
	op->owner = op->core;
	line_break(a, s);
	shared_remove(a, s);
	return true;
}

/* Everything is swept on all cores. */
static void revoke_end(struct agreement *a, struct operation *op)
{
	struct shared *s = line_turn(a, op);
	struct platform_relations around;

	if (s == NULL) {
		owner_end(a, op);
		return;
	}
	if (!MUTANT(revoked_stays_holder))
		s->holders = (struct core_set){0};
	line_refuse(a, s, ERR(CAP_EMPTY));
	if (op->kind == OPERATION_OWNER ? !op->kept : is_err(operation_look(a, op)))
		op->error = ERR_NUMBER_CAP_EMPTY; /* somebody else's revoke took it, which needed no agreement, or began further out */
	if (op->kept) {
		set_add(&s->holders, op->core);
		platform_relate(op->cap, &around);
		if (around.covered || around.contents || keeps_owner(&op->object) || !give_away(a, op, s)) {
			s->anchor = op->cap; /* an older one was swept */
			op->cap = CAP_NULL;
		}
	}
	owner_end(a, op);
}

/* ---- Its way ---- */

static void run_sweep(struct agreement *a, struct operation *op)
{
	const bool asker = op->kind == OPERATION_REVOKE && op->core != a->core;

	if (!own_part(a, op))
		return;
	if (asker && op->error != ERR_NUMBER_OK)
		operation_end(a, op, CAP_NULL);
	else if (asker)
		asker_swept(a, op);
	else if (set_is_empty(&op->left))
		revoke_end(a, op);
}

static err_t look(struct agreement *a, struct operation *op)
{
	return op->internal ? have_handle(a, op) : operation_look(a, op);
}

void revoke_run(struct agreement *a, struct operation *op)
{
	static const struct course course = {.look = look, .ask = ask, .turn = take_turn};

	if (op->phase == PHASE_SWEEP)
		run_sweep(a, op);
	else
		course_run(a, op, &course);
}

/* ---- A new view ---- */

/* Whoever was below a dead core in the tree may not have heard: the owner begins anew, and nobody answers for the old tree. */
void holder_cancel(struct agreement *a, struct operation *op)
{
	op->answered = true;
	op->left = (struct core_set){0};
	a->flushing -= !set_is_empty(&op->flush);
	op->flush = (struct core_set){0};
	if (op->rescued.value != CAP_NULL.value)
		dispose(a, op->rescued);
	op->rescued = CAP_NULL;
	if (op->cap.value != CAP_NULL.value)
		handle_drop(a, op->cap);
	op->cap = CAP_NULL;
}

void holder_end_cancelled(struct agreement *a, struct operation *op)
{
	if (op->answered && op->children == 0 && !op->due)
		operation_free(a, op);
}

void revoke_mend(struct agreement *a, struct operation *op)
{
	const bool asker = op->kind == OPERATION_REVOKE && op->core != a->core;
	struct shared *s = line_turn(a, op);

	if (op->phase != PHASE_SWEEP)
		return;
	keep_alive(a, &op->left);
	if (asker && !set_has(&a->alive, op->core))
		op->error = ERR_NUMBER_CORE_DEAD;
	if (!asker && s != NULL && !MUTANT(sweep_not_begun_anew)) {
		op->generation++; /* answers to the old one do not count */
		op->left = (struct core_set){0};
		op->kept = op->swept = op->pausing = false;
		a->flushing -= !set_is_empty(&op->flush);
		op->flush = (struct core_set){0};
		begin_sweep(a, op, s);
	}
	operation_due(a, op);
}
