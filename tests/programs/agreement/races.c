/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Operations at the same time. Each thread of the test asks one peer, or works on this core itself; who is first is left to the machine,
 * and moved a little from round to round. Whatever it is, the results are among those that the operations have one after the other. */

#include "tests/programs/agreement/checks.h"

#define ROUNDS  24
#define STEP_US 7

struct job {
	struct peer *peer; /* NULL: this domain itself */
	enum command command;
	uint64_t word[3];
	uint64_t delay; /* cycles */
	err_t result;
};

static err_t own(const struct job *j)
{
	const cap_t cap = {(uint16_t)j->word[0]};

	switch (j->command) {
	case PEER_REVOKE:
		return cap_revoke(cap);
	case PEER_DELETE:
		return cap_delete(cap);
	case PEER_RETYPE:
		return cap_retype(cap, (enum cap_type)(j->word[0] >> 32), j->word[1], j->word[2], 1, (cap_t){(uint16_t)(j->word[0] >> 16)});
	default:
		return ERR(ARGUMENT);
	}
}

static void work(void *argument)
{
	struct job *j = argument;
	uint64_t end = time_tsc() + j->delay;

	while (time_tsc() < end)
		thread_yield();
	j->result = j->peer == NULL ? own(j) : peer_do(j->peer, j->command, j->word[0], j->word[1], j->word[2]);
}

/* The first `round`s are early, the others late. */
static bool all_at_once(struct job *jobs, unsigned count, unsigned round)
{
	struct thread *threads[PEERS_MAX + 1];

	for (unsigned i = 0; i < count; i++) {
		unsigned steps = (i % 2 == 0) == (round % 2 == 0) ? round / 2 : 0;

		jobs[i].delay = (uint64_t)steps * STEP_US * (time_tsc_hz() / 1000000);
		if (is_err(thread_create(work, &jobs[i], 0, &threads[i])))
			return false;
	}
	for (unsigned i = 0; i < count; i++)
		if (is_err(thread_join(threads[i])))
			return false;
	return true;
}

static bool ok_or(err_t e, unsigned number)
{
	return is_ok(e) || e.number == number;
}

static uint64_t retype_word(cap_t source, cap_t to, enum cap_type type)
{
	return source.value | (uint64_t)to.value << 16 | (uint64_t)type << 32;
}

/* ---- Two revoke the same object: the second one's capability may be gone, but one of them keeps it ---- */

static const char *two_revoke(struct peer *a, struct peer *b, bool owner_too, unsigned round)
{
	cap_t ram, frame, at_a, at_b;
	struct job jobs[3];
	unsigned left;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(is_ok(hand_over(a, frame, RIGHTS_ALL, &at_a)) && is_ok(hand_over(b, frame, RIGHTS_ALL, &at_b)));
	jobs[0] = (struct job){a, PEER_REVOKE, {at_a.value}, 0, OK};
	jobs[1] = (struct job){b, PEER_REVOKE, {at_b.value}, 0, OK};
	jobs[2] = (struct job){NULL, PEER_REVOKE, {frame.value}, 0, OK};
	CHECK(all_at_once(jobs, owner_too ? 3 : 2, round));
	for (unsigned i = 0; i < (owner_too ? 3 : 2); i++)
		CHECK(ok_or(jobs[i].result, ERR_NUMBER_CAP_EMPTY));
	left = peer_has(a, at_a) + peer_has(b, at_b) + is_there(frame);
	CHECK(left == 1);
	CHECK(is_ok(cap_revoke(ram)));
	CHECK(!peer_has(a, at_a) && !peer_has(b, at_b) && !is_there(frame));
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_two_revoke(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = two_revoke(&peers[0], &peers[1], round % 3 == 0, round);
	return why;
}

/* The owner and a holder. */
static const char *owner_and_holder_revoke(struct peer *p, unsigned round)
{
	cap_t ram, frame, theirs;
	struct job jobs[2];

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(is_ok(hand_over(p, frame, RIGHTS_ALL, &theirs)));
	jobs[0] = (struct job){p, PEER_REVOKE, {theirs.value}, 0, OK};
	jobs[1] = (struct job){NULL, PEER_REVOKE, {frame.value}, 0, OK};
	CHECK(all_at_once(jobs, 2, round));
	CHECK(ok_or(jobs[0].result, ERR_NUMBER_CAP_EMPTY) && ok_or(jobs[1].result, ERR_NUMBER_CAP_EMPTY));
	CHECK(peer_has(p, theirs) != is_there(frame));
	CHECK(is_ok(cap_revoke(ram)));
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_owner_and_holder_revoke(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = owner_and_holder_revoke(&peers[0], round);
	return why;
}

/* Revokes of an object and of what it lies in. */
static const char *nested_revokes(struct peer *p, unsigned round)
{
	cap_t ram, frame, ram_there, frame_there;
	struct job jobs[2];

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(is_ok(hand_over(p, ram, RIGHTS_ALL, &ram_there)) && is_ok(hand_over(p, frame, RIGHTS_ALL, &frame_there)));
	jobs[0] = (struct job){p, PEER_REVOKE, {frame_there.value}, 0, OK};
	jobs[1] = (struct job){NULL, PEER_REVOKE, {ram.value}, 0, OK};
	CHECK(all_at_once(jobs, 2, round));
	CHECK(is_ok(jobs[1].result) && ok_or(jobs[0].result, ERR_NUMBER_CAP_EMPTY));
	CHECK(!peer_has(p, frame_there) && !peer_has(p, ram_there) && !is_there(frame));
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_nested_revokes(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = nested_revokes(&peers[0], round);
	return why;
}

/* ---- Retypes: of ranges that overlap exactly one ends well, of others all ---- */

static const char *all_retype(unsigned count, bool overlapping, unsigned round)
{
	cap_t ram, mine, theirs[PEERS_MAX], made[PEERS_MAX];
	struct job jobs[PEERS_MAX + 1];
	unsigned good = 0;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&mine)));
	for (unsigned i = 0; i < count; i++) {
		CHECK(is_ok(hand_over(&peers[i], ram, RIGHTS_ALL, &theirs[i])));
		made[i] = peer_slot(&peers[i]);
		jobs[i] = (struct job){&peers[i],
		                       PEER_RETYPE,
		                       {retype_word(theirs[i], made[i], CAP_Frame), overlapping ? 0 : (i + 1) * PAGE_BYTES, PAGE_BYTES},
		                       0,
		                       OK};
	}
	jobs[count] =
	    (struct job){NULL, PEER_RETYPE, {retype_word(ram, mine, CAP_RAM), 0, overlapping ? 2 * PAGE_BYTES : PAGE_BYTES}, 0, OK};
	CHECK(all_at_once(jobs, count + 1, round));
	for (unsigned i = 0; i <= count; i++) {
		CHECK(ok_or(jobs[i].result, ERR_NUMBER_OVERLAP));
		good += is_ok(jobs[i].result);
	}
	CHECK(good == (overlapping ? 1 : count + 1));
	for (unsigned i = 0; i < count; i++)
		CHECK(peer_has(&peers[i], made[i]) == is_ok(jobs[i].result));
	CHECK(is_there(mine) == is_ok(jobs[count].result));
	CHECK(is_ok(cap_revoke(ram)));
	cap_slot_free(mine);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_overlapping_retypes(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = all_retype(peer_count, true, round);
	return why;
}

static const char *check_disjoint_retypes(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS / 2 && why == NULL; round++)
		why = all_retype(peer_count, false, round);
	return why;
}

static const char *retype_and_revoke(struct peer *p, unsigned round)
{
	cap_t ram, theirs, made = peer_slot(p);
	struct job jobs[2];

	CHECK(make_ram(&ram) && is_ok(hand_over(p, ram, RIGHTS_ALL, &theirs)));
	jobs[0] = (struct job){p, PEER_RETYPE, {retype_word(theirs, made, CAP_Frame), 0, PAGE_BYTES}, 0, OK};
	jobs[1] = (struct job){NULL, PEER_REVOKE, {ram.value}, 0, OK};
	CHECK(all_at_once(jobs, 2, round));
	CHECK(is_ok(jobs[1].result) && ok_or(jobs[0].result, ERR_NUMBER_CAP_EMPTY));
	CHECK(!peer_has(p, theirs) && !peer_has(p, made));
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_retype_and_revoke(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = retype_and_revoke(&peers[0], round);
	return why;
}

/* ---- A copy on its way, and a revoke: when both are over only the one who revoked has it ---- */

static const char *copy_and_revoke(struct peer *giver, struct peer *revoker, unsigned round)
{
	const uint32_t tag = 1000 + round;
	cap_t ram, frame, at_giver, at_revoker, got;
	struct job jobs[2];

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(is_ok(hand_over(giver, frame, RIGHTS_ALL, &at_giver)) && is_ok(hand_over(revoker, frame, RIGHTS_ALL, &at_revoker)));
	CHECK(is_ok(cap_delete(frame)));
	jobs[0] = (struct job){giver, PEER_GIVE, {at_giver.value, RIGHTS_ALL, tag}, 0, OK};
	jobs[1] = (struct job){revoker, PEER_REVOKE, {at_revoker.value}, 0, OK};
	CHECK(all_at_once(jobs, 2, round));
	CHECK(is_ok(jobs[1].result) && ok_or(jobs[0].result, ERR_NUMBER_CAP_EMPTY));
	if (is_ok(ipc_take(giver->c, tag, time_tsc() + time_tsc_hz() / 1000, &got))) {
		CHECK(is_ok(jobs[0].result) && !is_there(got));
		cap_slot_free(got);
	}
	CHECK(!peer_has(giver, at_giver) && peer_has(revoker, at_revoker));
	CHECK(is_ok(peer_do(revoker, PEER_DELETE, at_revoker.value, 0, 0)));
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_copy_and_revoke(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = copy_and_revoke(&peers[round % 2], &peers[1 - round % 2], round);
	return why;
}

/* ---- A move and a delete: what has moved is there, and its memory is free when that goes too ---- */

static const char *move_and_delete(struct peer *p, unsigned round)
{
	const uint32_t tag = 2000 + round;
	cap_t ram, frame, theirs, got;
	struct job jobs[2];

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(is_ok(hand_over(p, frame, RIGHTS_ALL, &theirs)));
	jobs[0] = (struct job){p, PEER_MOVE, {theirs.value, RIGHTS_ALL, tag}, 0, OK};
	jobs[1] = (struct job){NULL, PEER_DELETE, {frame.value}, 0, OK};
	CHECK(all_at_once(jobs, 2, round));
	CHECK(is_ok(jobs[0].result) && is_ok(jobs[1].result));
	CHECK(!peer_has(p, theirs) && !is_there(frame));
	CHECK(is_ok(ipc_take(p->c, tag, time_tsc() + time_tsc_hz(), &got)) && is_there(got));
	CHECK(err_is(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame), ERR_NUMBER_OVERLAP));
	CHECK(is_ok(cap_delete(got)));
	cap_slot_free(got);
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_move_and_delete(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = move_and_delete(&peers[0], round);
	return why;
}

static const char *everybody_deletes(unsigned round)
{
	cap_t ram, frame, theirs[PEERS_MAX];
	struct job jobs[PEERS_MAX + 1];

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	for (unsigned i = 0; i < peer_count; i++) {
		CHECK(is_ok(hand_over(&peers[i], frame, RIGHTS_ALL, &theirs[i])));
		jobs[i] = (struct job){&peers[i], PEER_DELETE, {theirs[i].value}, 0, OK};
	}
	jobs[peer_count] = (struct job){NULL, PEER_DELETE, {frame.value}, 0, OK};
	CHECK(all_at_once(jobs, peer_count + 1, round));
	for (unsigned i = 0; i <= peer_count; i++)
		CHECK(is_ok(jobs[i].result));
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_everybody_deletes(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = everybody_deletes(round);
	return why;
}

static const char *delete_and_revoke(struct peer *p, unsigned round)
{
	cap_t ram, theirs;
	struct job jobs[2];

	CHECK(make_ram(&ram) && is_ok(hand_over(p, ram, RIGHTS_ALL, &theirs)));
	jobs[0] = (struct job){p, PEER_DELETE, {theirs.value}, 0, OK};
	jobs[1] = (struct job){NULL, PEER_REVOKE, {ram.value}, 0, OK};
	CHECK(all_at_once(jobs, 2, round));
	CHECK(is_ok(jobs[1].result) && ok_or(jobs[0].result, ERR_NUMBER_CAP_EMPTY));
	CHECK(!peer_has(p, theirs) && is_there(ram));
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_delete_and_revoke(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < ROUNDS && why == NULL; round++)
		why = delete_and_revoke(&peers[0], round);
	return why;
}

/* ---- A domain that ends while others use what is its ---- */

static const char *end_and_revoke(struct peer *p, unsigned round)
{
	struct peer guest;
	cap_t ram, theirs, made;
	struct job jobs[2];

	CHECK(make_ram(&ram) && peer_start(&guest, p->core, 600 + round));
	CHECK(is_ok(hand_over(&guest, ram, RIGHTS_ALL, &theirs)));
	made = peer_slot(&guest);
	CHECK(is_ok(peer_do(&guest, PEER_RETYPE, retype_word(theirs, made, CAP_Frame), 0, PAGE_BYTES)));
	jobs[0] = (struct job){&guest, PEER_END, {0}, 0, OK};
	jobs[1] = (struct job){NULL, PEER_REVOKE, {ram.value}, 0, OK};
	CHECK(all_at_once(jobs, 2, round));
	CHECK(is_ok(jobs[1].result));
	CHECK(end_ram(ram));
	ipc_close(guest.c);
	return NULL;
}

static const char *check_end_and_revoke(void)
{
	const char *why = NULL;

	for (unsigned round = 0; round < 6 && why == NULL; round++)
		why = end_and_revoke(&peers[0], round * 4);
	return why;
}

const struct check race_checks[] = {
    {"two_revoke", 2, check_two_revoke},
    {"owner_and_holder_revoke", 0, check_owner_and_holder_revoke},
    {"nested_revokes", 0, check_nested_revokes},
    {"overlapping_retypes", 0, check_overlapping_retypes},
    {"disjoint_retypes", 0, check_disjoint_retypes},
    {"retype_and_revoke", 0, check_retype_and_revoke},
    {"copy_and_revoke", 2, check_copy_and_revoke},
    {"move_and_delete", 0, check_move_and_delete},
    {"everybody_deletes", 0, check_everybody_deletes},
    {"delete_and_revoke", 0, check_delete_and_revoke},
    {"end_and_revoke", 0, check_end_and_revoke},
    {NULL, 0, NULL},
};
