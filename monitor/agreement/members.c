/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A new view: a core has died, or joined. The members bring the agreement into order together before anything new begins.
 *
 *   stage 1   everybody ── stage ──▶ everybody     what I said before this is of an older view, and will not be followed by more of that
 *   stage 2   everybody ── claim ──▶ leader        for each object here that a dead core owned
 *             everybody ── recount, still ... ──▶ everybody, what it has of theirs
 *             everybody ── stage ──▶ leader
 *             leader ── adopt ─────▶ new owner     the lowest that has the object; or who took it over just before the death
 *             leader ── settled ───▶ everybody     if nothing changes hands, that was all
 *   stage 3   everybody ── stage ──▶ everybody     what is mine is adopted
 *             leader ── new_owner ─▶ others that have it, before it says the same itself
 *   stage 4   new owner ── cover ──▶ everybody     the object needs what lies around it
 *             owner ── surround ───▶ new owner     of what does: the new owner keeps an anchor of it
 *             everybody ── stage ──▶ everybody     all questions are asked
 *   stage 5   everybody ── stage ──▶ everybody     all of them are answered
 *
 * Whoever has heard of all that they are at stage 5 goes on: operations that waited for a dead core end or are mended (NAME_mend in each
 * file), those that were about to begin do. Until then messages about what is under way are taken and answered, but no slice of
 * work is done (agreement_step), so what is claimed stays as it is.
 *
 * Stage 1 makes the views cleanly separate: when all have said it, nothing that was sent in an older view is on its way any more; until
 * then such messages are believed, but not those of the dead. A message of a later view than the receiver's own must wait outside until the
 * receiver is told of that view (agreement_view).
 *
 * Stages 3 to 5 are for "ancestors are where the owner is" (agreement.h): who inherits an object need not have what it was made from.
 *
 * Page tables and doorbells are not inherited. The memory of a dead core's table goes to somebody else some day, so the others take it out
 * of theirs now. A doorbell of a dead core's rings for nobody; who comes in that core's place may make another one of the same name.
 *
 * A core that has died may be back before that is settled. What it owned then is nobody's, and what was waiting for it waits in vain: until
 * the view is settled it counts as one that only joins, whom everybody speaks to but who was not there before. What its monitor and this one
 * have of each other by then is new, and no heritage (agreement_is_private).
 *
 * Whoever never answers is declared dead too: that is a new view, and everything begins anew. What was adopted meanwhile is claimed by its
 * new owner, who knows all that have it; nobody notes a new owner that has not adopted. */

#include "monitor/agreement/internal.h"

enum stage { STAGE_NONE, STAGE_ARRIVED, STAGE_CLAIMED, STAGE_ADOPTED, STAGE_COVERED, STAGE_SURROUNDED };

static void go_on(struct agreement *a);

bool is_member(const struct agreement *a, uint32_t core)
{
	return set_has(&a->alive, core) || set_has(&a->joining, core);
}

/* All others in the view. */
static struct core_set other_members(const struct agreement *a)
{
	struct core_set others = a->alive;

	for (unsigned i = 0; i < SET_WORDS; i++)
		others.word[i] |= a->joining.word[i];
	set_remove(&others, a->core);
	return others;
}

static uint32_t leader_of(const struct agreement *a)
{
	const struct core_set others = other_members(a);
	const uint32_t lowest = set_next(&others, 0);

	return lowest < a->core ? lowest : a->core;
}

/* ---- Stages ---- */

/* Whether all the others have said that they are as far. */
static bool all_at(const struct agreement *a, enum stage stage)
{
	const struct core_set others = other_members(a), *reached = &a->reached[stage - 1];

	for (unsigned i = 0; i < SET_WORDS; i++)
		if (others.word[i] & ~reached->word[i])
			return false;
	return true;
}

static void tell_stage(struct agreement *a, uint32_t to, enum stage stage)
{
	const struct subject nothing = {0};
	union agreement_message m = message_blank();

	m.stage.stage = stage;
	m.stage.recounts = a->recounts;
	say_about(a, &nothing, to, AGREEMENT_stage, &m);
}

static void tell_all(struct agreement *a, enum stage stage)
{
	const struct core_set others = other_members(a);

	SET_FOR_EACH (core, &others) {
		if (stage != STAGE_CLAIMED || core == leader_of(a))
			tell_stage(a, core, stage);
	}
}

static void enter_stage(struct agreement *a, enum stage stage)
{
	a->stage = (uint8_t)stage;
	tell_all(a, stage);
}

bool members_may_say(const struct agreement *a, uint32_t from, unsigned type, uint32_t view)
{
	if (view == a->view)
		return true;
	if (type >= AGREEMENT_claim)
		return false;
	return view < a->view && a->changing && !set_has(&a->reached[STAGE_ARRIVED - 1], from);
}

bool receive_stage(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_stage *m)
{
	(void)s;
	if (!a->changing || m->stage < STAGE_ARRIVED || m->stage > STAGE_SURROUNDED)
		return false;
	set_add(&a->reached[m->stage - 1], from);
	a->recounts |= m->recounts != 0; /* a core that has just joined knows of no death */
	go_on(a);
	return true;
}

/* ---- Claims ---- */

/* The leader writes them down in its table: the holders are those who claim, `moving_to` who owns it already. */
static void note_claim(struct agreement *a, const struct object *object, uint32_t dead, uint32_t core, bool is_owner)
{
	struct shared *s = shared_make(a, object, dead);

	if (s == NULL)
		return;
	if (s->owner == a->core) {
		if (core != a->core)
			set_add(&s->holders, core);
		s->adopted = true;
		return;
	}
	set_add(&s->holders, core);
	if (is_owner)
		s->moving_to = (uint16_t)(core + 1);
}

static void claim(struct agreement *a, const struct object *object, uint32_t dead, bool is_owner)
{
	const struct subject about = {*object, dead, 0};
	union agreement_message m = message_blank();

	if (leader_of(a) == a->core) {
		note_claim(a, object, dead, a->core, is_owner);
		return;
	}
	m.claim.is_owner = is_owner;
	m.claim.dead = dead;
	say_about(a, &about, leader_of(a), AGREEMENT_claim, &m);
}

bool receive_claim(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_claim *m)
{
	if (!a->changing || leader_of(a) != a->core || a->stage > STAGE_CLAIMED)
		return false;
	note_claim(a, &s->object, m->dead, from, m->is_owner != 0);
	return true;
}

/* Nothing of it stays. */
static void drop_foreign(struct agreement *a, const struct object *object)
{
	struct platform_obstacle o;
	cap_t cap;
	err_t e;

	if (is_err(handle_take(object, OWNER_OF_COPIES, RIGHTS_ALL, &cap)))
		return;
	do
		e = platform_sweep(cap, SWEEP_SHARED_TABLES, &o);
	while (err_is(e, ERR_NUMBER_AGAIN));
	anchors_forget(a, object);
	handle_drop(a, cap);
}

static void claim_foreign(struct agreement *a)
{
	struct platform_remote at = {.type = CAP_Null};

	while (platform_next_foreign(&at)) {
		const struct object object = {.base = at.base, .size = at.bytes, .type = at.type};

		if (set_has(&a->alive, at.owner) || agreement_is_private(a, &object))
			continue;
		if (keeps_owner(&object) && !(MUTANT(tables_inherited) && is_table(&object)))
			drop_foreign(a, &object);
		else if (at.owner < a->cores)
			claim(a, &object, at.owner, false);
	}
}

/* What this core owns since the last view, or took over from a core that could not tell everybody. */
static void claim_own(struct agreement *a)
{
	for (uint32_t i = 0; i < a->shared_count; i++) {
		const struct shared *s = &a->shared[i];
		const struct operation *busy = s->busy != 0 ? operation_at(a, s->busy) : NULL;
		const bool taken = busy != NULL && busy->kind == OPERATION_TRANSFER && !set_has(&a->alive, busy->core);

		if (s->owner == a->core && (s->adopted || taken))
			claim(a, &s->object, a->core, true);
	}
}

/* ---- Counting again ---- */

/* A sweep that ended with its owner's death has taken things along whose owners nobody told. Which, nobody knows any more, so everybody
 * says to all owners what of theirs is left here. */
static void recount(struct agreement *a)
{
	const struct core_set others = other_members(a);
	const struct subject nothing = {0};
	struct platform_remote at = {.type = CAP_Null};
	union agreement_message m = message_blank();

	SET_FOR_EACH (core, &others) {
		say_about(a, &nothing, core, AGREEMENT_recount, &m);
	}
	while (platform_next_foreign(&at)) {
		const struct subject about = {{.base = at.base, .size = at.bytes, .type = at.type}, at.owner, 0};

		if (at.owner < a->cores && set_has(&others, at.owner))
			say_about(a, &about, at.owner, AGREEMENT_still, &m);
	}
}

/* An object that is being given away keeps its holders: the new owner learns of each in the course of that. Those of what has been adopted
 * are known from claims. */
static bool is_counted(struct agreement *a, const struct shared *s)
{
	const struct operation *busy = s->busy != 0 ? operation_at(a, s->busy) : NULL;

	return s->owner == a->core && s->moving_to == 0 && !s->adopted && (busy == NULL || busy->kind != OPERATION_TRANSFER);
}

bool receive_recount(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_recount *m)
{
	(void)s, (void)m;
	if (!a->changing)
		return false;
	for (uint32_t i = 0; i < a->shared_count; i++)
		if (is_counted(a, &a->shared[i]))
			set_remove(&a->shared[i].holders, from);
	return true;
}

bool receive_still(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_still *m)
{
	struct shared *shared = shared_find(a, &s->object);

	(void)m;
	if (!a->changing)
		return false;
	if (shared != NULL && is_counted(a, shared))
		set_add(&shared->holders, from);
	return true;
}

/* ---- The decision ---- */

static void adopt(struct agreement *a, const struct object *object, const struct core_set *holders)
{
	struct core_set others = others_of(a, holders);
	struct shared *s = shared_make(a, object, a->core);
	cap_t cap;

	if (is_err(handle_take(object, OWNER_OF_COPIES, RIGHTS_ALL, &cap)))
		return;
	/* Without room to note who has it, it stays a dead core's: nobody can do anything with it that needs agreement. */
	if (s != NULL) {
		for (unsigned i = 0; i < SET_WORDS; i++)
			others.word[i] |= s->owner == a->core ? s->holders.word[i] : 0;
		s->owner = a->core;
		s->holders = others;
		s->moving_to = 0;
		s->marked = s->busy != 0 || !set_is_empty(&others);
		s->adopted = true;
		(void)!is_ok(mark_all(cap, s->marked, a->core));
	}
	handle_drop(a, cap);
}

bool receive_adopt(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_adopt *m)
{
	const struct core_set holders = {{m->holders0, m->holders1, m->holders2, m->holders3}};

	if (!a->changing || from != leader_of(a) || a->stage != STAGE_CLAIMED)
		return false;
	adopt(a, &s->object, &holders);
	return true;
}

static void note_owner(struct agreement *a, const struct object *object, uint32_t owner)
{
	struct shared *s = shared_find(a, object);
	struct object found;
	uint32_t before;
	unsigned flags;
	cap_t cap;

	if (is_err(handle_take(object, OWNER_OF_COPIES, RIGHTS_ALL, &cap)))
		return;
	if (is_ok(object_of(cap, &found, &before, &flags)) && before != a->core && !set_has(&a->alive, before)) {
		(void)!is_ok(mark_all(cap, false, owner));
		if (s != NULL)
			s->owner = owner;
	}
	handle_drop(a, cap);
}

bool members_new_owner(struct agreement *a, uint32_t from, const struct subject *s, uint32_t owner)
{
	if (!a->changing || from != leader_of(a) || owner == a->core || !is_member(a, owner))
		return false;
	note_owner(a, &s->object, owner);
	return true;
}

static void tell_adopt(struct agreement *a, const struct object *object, uint32_t owner, const struct core_set *holders)
{
	const struct subject about = {*object, owner, 0};
	union agreement_message m = message_blank();

	m.adopt.holders0 = holders->word[0];
	m.adopt.holders1 = holders->word[1];
	m.adopt.holders2 = holders->word[2];
	m.adopt.holders3 = holders->word[3];
	say_about(a, &about, owner, AGREEMENT_adopt, &m);
}
_Static_assert(SET_WORDS == 4, "as many as a message has");

static void tell_new_owner(struct agreement *a, const struct object *object, uint32_t owner, const struct core_set *others)
{
	const struct subject about = {*object, owner, 0};
	union agreement_message m = message_blank();

	m.new_owner.owner = owner;
	SET_FOR_EACH (core, others) {
		if (core == a->core)
			note_owner(a, object, owner);
		else
			say_about(a, &about, core, AGREEMENT_new_owner, &m);
	}
}

/* Tells the new owners. Whether there are any. */
static bool decide(struct agreement *a)
{
	bool any = false;

	for (uint32_t i = 0; i < a->shared_count; i++) {
		struct shared *s = &a->shared[i];

		any |= s->adopted;
		if (s->owner == a->core || set_is_empty(&s->holders))
			continue;
		any = true;
		if (s->moving_to == 0)
			s->moving_to = (uint16_t)(set_next(&s->holders, 0) + 1);
		if (s->moving_to - 1u == a->core)
			adopt(a, &s->object, &s->holders);
		else
			tell_adopt(a, &s->object, s->moving_to - 1u, &s->holders);
	}
	return any;
}

/* When they have adopted what is theirs, the others are told. What the leader wrote down is not needed any more. */
static void announce(struct agreement *a)
{
	for (uint32_t i = 0; i < a->shared_count;) {
		struct shared *s = &a->shared[i];
		struct core_set others = s->holders;

		if (s->owner == a->core) {
			if (s->adopted)
				tell_new_owner(a, &s->object, a->core, &others);
			i++;
			continue;
		}
		if (s->moving_to != 0) {
			set_remove(&others, s->moving_to - 1u);
			tell_new_owner(a, &s->object, s->moving_to - 1u, &others);
			s->moving_to = 0;
			s->holders = (struct core_set){0};
		}
		if (anchor_of(s).value == CAP_NULL.value)
			shared_remove(a, s);
		else
			i++;
	}
}

static void settle(struct agreement *a, bool any)
{
	const struct core_set others = other_members(a);
	const struct subject nothing = {0};
	union agreement_message m = message_blank();

	m.settled.any = any;
	SET_FOR_EACH (core, &others) {
		say_about(a, &nothing, core, AGREEMENT_settled, &m);
	}
}

/* ---- What lies around ---- */

static void ask_for_covers(struct agreement *a)
{
	const struct core_set others = other_members(a);
	union agreement_message m = message_blank();

	for (uint32_t i = 0; i < a->shared_count; i++) {
		const struct subject about = {a->shared[i].object, a->core, 0};

		if (a->shared[i].owner != a->core || !a->shared[i].adopted || MUTANT(heirs_not_surrounded))
			continue;
		SET_FOR_EACH (core, &others) {
			say_about(a, &about, core, AGREEMENT_cover, &m);
		}
	}
}

/* The new owner of something inside holds this object from now on. */
static void surround(struct agreement *a, struct shared *s, uint32_t core)
{
	const struct subject about = {s->object, a->core, 0};
	union agreement_message m = message_blank();
	cap_t cap;

	if (!s->marked && is_ok(handle_own(a, &s->object, RIGHTS_ALL, &cap))) {
		s->marked = is_ok(mark_all(cap, true, a->core));
		dispose(a, cap);
	}
	set_add(&s->holders, core);
	say_about(a, &about, core, AGREEMENT_surround, &m);
}

bool receive_cover(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_cover *m)
{
	(void)m;
	if (!a->changing || a->stage < STAGE_ADOPTED || s->owner != from)
		return false;
	for (uint32_t i = 0; i < a->shared_count; i++) {
		struct shared *outer = &a->shared[i];

		if (outer->owner == a->core && object_contains(&outer->object, s->object.base, s->object.size) &&
		    object_before(&outer->object, &s->object))
			surround(a, outer, from);
	}
	return true;
}

bool receive_surround(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_surround *m)
{
	struct platform_relations around = {0};
	struct shared *shared;
	cap_t cap;

	(void)m;
	if (!a->changing || s->owner != from || is_err(handle_take(&s->object, from, RIGHTS_ALL, &cap)))
		return false;
	platform_relate(cap, &around);
	shared = around.copies ? NULL : shared_make(a, &s->object, from);
	if (shared != NULL)
		shared->anchor = cap;
	else
		handle_drop(a, cap);
	return true;
}

/* ---- The end ---- */

/* What the operation is for has died with a core. That is noted now: another core of that number may be there soon. */
static void note_dead(const struct agreement *a, struct operation *op)
{
	const bool waits = op->phase == PHASE_BEGIN || op->phase == PHASE_LINE || op->phase == PHASE_TURN;
	const bool for_nobody = op->kind == OPERATION_OWNER && !set_has(&a->alive, op->core);
	const bool to_nobody = operation_role(op) == OPERATION_COPY && !set_has(&a->alive, op->to);

	op->answered |= for_nobody;
	if (waits && (for_nobody || to_nobody))
		op->error = ERR_NUMBER_CORE_DEAD;
}

static void mend(struct agreement *a, struct operation *op)
{
	sweep_mend(a, op);
	note_dead(a, op);
	if (op->phase == PHASE_ASKED && !set_has(&a->alive, op->core)) {
		op->error = ERR_NUMBER_CORE_DEAD;
		operation_end(a, op, CAP_NULL);
		return;
	}
	switch (operation_role(op)) {
	case OPERATION_COPY:
		copy_mend(a, op);
		break;
	case OPERATION_RETYPE:
		retype_mend(a, op);
		break;
	case OPERATION_REVOKE:
		revoke_mend(a, op);
		break;
	case OPERATION_DELETE:
	case OPERATION_TRANSFER:
		transfer_mend(a, op);
		break;
	default:
		break;
	}
}

static void finish(struct agreement *a)
{
	a->changing = false;
	a->stage = STAGE_NONE;
	a->recounts = false;
	for (uint32_t i = 0; i < a->shared_count; i++)
		a->shared[i].adopted = false;
	for (unsigned i = 0; i < STAGE_SURROUNDED; i++)
		a->reached[i] = (struct core_set){0};
	for (uint16_t i = 1; i <= OPERATIONS_MAX; i++)
		if (operation_at(a, i)->kind == OPERATION_HOLDER)
			holder_end_cancelled(a, operation_at(a, i));
	for (uint16_t i = 1; i <= OPERATIONS_MAX; i++)
		if (operation_at(a, i)->kind != OPERATION_NONE)
			mend(a, operation_at(a, i));
	for (unsigned i = 0; i < SET_WORDS; i++)
		a->alive.word[i] |= a->joining.word[i];
	a->joining = a->gone = (struct core_set){0};
}

bool receive_settled(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_settled *m)
{
	(void)s;
	if (!a->changing || from != leader_of(a) || a->stage != STAGE_CLAIMED)
		return false;
	platform_flush();
	if (m->any) {
		enter_stage(a, STAGE_ADOPTED);
		go_on(a);
	} else {
		finish(a);
	}
	return true;
}

/* The leader, when all claims have come. */
static void decide_all(struct agreement *a)
{
	const bool any = decide(a) || a->recounts;

	settle(a, any);
	platform_flush();
	if (any)
		a->stage = STAGE_ADOPTED; /* it says so when the others have adopted theirs */
	else
		finish(a);
}

static void begin_claims(struct agreement *a)
{
	if (a->recounts && !MUTANT(not_counted_again))
		recount(a);
	claim_foreign(a);
	claim_own(a);
	enter_stage(a, STAGE_CLAIMED);
}

static void begin_covers(struct agreement *a)
{
	if (leader_of(a) == a->core) {
		announce(a);
		tell_all(a, STAGE_ADOPTED);
	}
	ask_for_covers(a);
	enter_stage(a, STAGE_COVERED);
}

/* From the present stage to the next as often as all have come so far. */
static void go_on(struct agreement *a)
{
	if (a->stage == STAGE_ARRIVED && all_at(a, STAGE_ARRIVED))
		begin_claims(a);
	if (a->stage == STAGE_CLAIMED && leader_of(a) == a->core && (all_at(a, STAGE_CLAIMED) || MUTANT(claims_not_awaited)))
		decide_all(a);
	if (a->stage == STAGE_ADOPTED && all_at(a, STAGE_ADOPTED))
		begin_covers(a);
	if (a->stage == STAGE_COVERED && all_at(a, STAGE_COVERED))
		enter_stage(a, STAGE_SURROUNDED);
	if (a->stage == STAGE_SURROUNDED && all_at(a, STAGE_SURROUNDED))
		finish(a);
}

/* ---- The beginning ---- */

static void forget_dead(struct agreement *a)
{
	for (uint32_t i = 0; i < a->shared_count; i++) {
		struct shared *s = &a->shared[i];

		if (s->owner == a->core) {
			if (!MUTANT(dead_stays_holder))
				keep_alive(a, &s->holders);
		} else {
			s->holders = (struct core_set){0}; /* claims that an older view did not come to decide */
			s->moving_to = 0;
		}
	}
	for (uint16_t i = 1; i <= OPERATIONS_MAX; i++) {
		struct operation *op = operation_at(a, i);

		if (op->kind == OPERATION_HOLDER)
			holder_cancel(a, op);
		else if (op->phase == PHASE_NEW_OWNER && op->kind != OPERATION_TRANSFER && !set_has(&a->alive, op->core))
			transfer_lost(a, op);
	}
}

void agreement_view(struct agreement *a, uint32_t view, const struct core_set *alive)
{
	for (unsigned i = 0; i < SET_WORDS; i++) {
		a->gone.word[i] |= (a->alive.word[i] | a->joining.word[i]) & ~alive->word[i];
		a->recounts |= a->gone.word[i] != 0;
		a->alive.word[i] = alive->word[i] & ~a->gone.word[i];
		a->joining.word[i] = alive->word[i] & a->gone.word[i];
		a->alive.word[i] |= MUTANT(return_not_noticed) ? a->joining.word[i] : 0;
	}
	a->view = view;
	a->changing = true;
	for (unsigned i = 0; i < STAGE_SURROUNDED; i++)
		a->reached[i] = (struct core_set){0};
	forget_dead(a);
	enter_stage(a, STAGE_ARRIVED);
	go_on(a);
}
