// sources: monitor/agreement/agreement.c monitor/agreement/anchors.c monitor/agreement/copy.c monitor/agreement/course.c
// sources: monitor/agreement/delete.c monitor/agreement/members.c monitor/agreement/messages.c monitor/agreement/retype.c
// sources: monitor/agreement/revoke.c monitor/agreement/shared.c monitor/agreement/sweep.c monitor/agreement/transfer.c
// flags: -DSHARED_MAX=8 -DOPERATIONS_MAX=16
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/agreement/internal.h"
#include "tests/hosted/agreement_world.h"

static const uint32_t two[] = {1, 2}, three[] = {1, 2, 3};

static err_t copy(uint32_t from, cap_t cap, uint32_t to, uint64_t recipient, bool move)
{
	return agreement_copy(&on(from)->agreement, 7, cap, RIGHT_READ | RIGHT_CONTROL, to, recipient, move);
}

/* ---- Copy, move ---- */

static void test_first_copy_shares_the_object(void **state)
{
	const cap_t frame = user(0, 0, CAP_Frame, 16, 2, 0), cap = fetch(0, frame, false);

	(void)state;
	assert_true(is_ok(copy(0, cap, 1, RECIPIENT_USER, false)));
	run();
	const struct result *r = only_result();

	assert_int_equal(r->error, ERR_NUMBER_OK);
	assert_int_equal(r->token, 7);
	assert_int_equal(r->cap.value, cap.value);
	assert_int_equal(r->messages, 2);
	assert_int_equal(held(1, CAP_Frame, 16, 2), 1);
	assert_int_equal(core[1].slot[USERS].what.rights, RIGHT_READ | RIGHT_CONTROL);
	assert_int_equal(core[1].slot[USERS].flags, CAP_FLAG_FOREIGN);
	assert_int_equal(core[0].slot[USERS].flags, CAP_FLAG_REMOTE);
	assert_true(set_has(&entry(0, CAP_Frame, 16)->holders, 1));
	assert_quiet();
}

static void test_holder_copies_through_the_owner(void **state)
{
	(void)state;
	shared_frame(0, 16, two, 1);
	const cap_t cap = fetch(1, users_of(1, CAP_Frame, 16), false);

	assert_true(is_ok(copy(1, cap, 3, RECIPIENT_USER, false)));
	run();
	assert_int_equal(only_result()->messages, 4);
	assert_int_equal(held(3, CAP_Frame, 16, 2), 1);
	assert_true(set_has(&entry(0, CAP_Frame, 16)->holders, 3));
	assert_int_equal(sent_of(AGREEMENT_install), 1);
	assert_quiet();
}

static void test_copy_to_the_owner_itself(void **state)
{
	(void)state;
	shared_frame(0, 16, two, 1);
	const cap_t cap = fetch(1, users_of(1, CAP_Frame, 16), false);

	assert_true(is_ok(copy(1, cap, 0, RECIPIENT_USER, false)));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(held(0, CAP_Frame, 16, 2), 2);
	assert_int_equal(sent_of(AGREEMENT_install), 0);
	assert_quiet();
}

static void test_copy_that_nobody_takes_leaves_no_holder(void **state)
{
	const cap_t frame = user(0, 0, CAP_Frame, 16, 2, 0), cap = fetch(0, frame, false);

	(void)state;
	core[0].again = 2;
	assert_true(is_ok(copy(0, cap, 1, RECIPIENT_FULL, false)));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_SLOT_IN_USE);
	assert_int_equal(held(1, CAP_Frame, 16, 2), 0);
	assert_int_equal(core[0].slot[USERS].flags, 0);
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_receiver_without_a_slot(void **state)
{
	const cap_t frame = user(0, 0, CAP_Frame, 16, 2, 0), cap = fetch(0, frame, false);

	(void)state;
	core[1].refuse_slots = 1;
	assert_true(is_ok(copy(0, cap, 1, RECIPIENT_USER, false)));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_NO_SLOT);
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_errors_at_the_beginning(void **state)
{
	const cap_t frame = fetch(0, user(0, 0, CAP_Frame, 16, 2, 0), false), node = fetch(0, user(0, 1, CAP_CNode, 32, 4, 0), false);
	struct agreement *a = &on(0)->agreement;
	struct core_set alive = a->alive;

	(void)state;
	assert_true(err_is(copy(0, node, 1, RECIPIENT_USER, false), ERR_NUMBER_CAP_TYPE));
	assert_true(err_is(copy(0, frame, CORES, RECIPIENT_USER, false), ERR_NUMBER_CORE_UNKNOWN));
	assert_true(err_is(copy(0, CAP(1, 20), 1, RECIPIENT_USER, false), ERR_NUMBER_CAP_EMPTY));
	assert_true(err_is(agreement_delete(a, 1, CAP(1, 20)), ERR_NUMBER_CAP_EMPTY));
	assert_true(err_is(agreement_retype(a, 1, CAP(1, 20), 0, PAGE), ERR_NUMBER_CAP_EMPTY));
	assert_true(err_is(agreement_revoke(a, 1, CAP(1, 20)), ERR_NUMBER_CAP_EMPTY));
	set_remove(&a->alive, 2);
	assert_true(err_is(copy(0, frame, 2, RECIPIENT_USER, false), ERR_NUMBER_CORE_DEAD));
	a->alive = alive;
	at(frame)->what.rights = RIGHT_READ;
	assert_true(err_is(agreement_revoke(a, 1, frame), ERR_NUMBER_CAP_RIGHTS));
	for (unsigned k = 0; k < OPERATIONS_MAX / 2; k++)
		assert_true(is_ok(copy(0, frame, 1, RECIPIENT_USER, false)));
	assert_true(err_is(copy(0, frame, 1, RECIPIENT_USER, false), ERR_NUMBER_LIMIT));
	run();
	assert_int_equal(result_count, OPERATIONS_MAX / 2);
	assert_quiet();
}

static void test_table_of_shared_objects_is_full(void **state)
{
	(void)state;
	for (unsigned k = 0; k < SHARED_MAX - SHARED_RESERVED; k++)
		shared_frame(k, 16 + 2 * k, two, 1);
	const cap_t cap = fetch(0, user(0, SHARED_MAX, CAP_Frame, 64, 2, 0), false);

	assert_true(is_ok(copy(0, cap, 1, RECIPIENT_USER, false)));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_LIMIT);
	assert_quiet();
}

static void test_move_takes_the_source_along(void **state)
{
	const cap_t cap = fetch(0, user(0, 0, CAP_Frame, 16, 2, 0), true);

	(void)state;
	assert_true(is_ok(copy(0, cap, 1, RECIPIENT_USER, true)));
	run();
	const struct result *r = only_result();

	assert_int_equal(r->error, ERR_NUMBER_OK);
	assert_int_equal(r->kind, OPERATION_MOVE);
	assert_int_equal(held(0, CAP_Frame, 16, 2), 0);
	assert_int_equal(core[1].slot[USERS].flags, 0); /* the only one left owns it */
	assert_int_equal(core[1].slot[USERS].what.owner, 1);
	assert_quiet();
}

/* ---- Retype ---- */

static void retype(uint32_t number, cap_t cap, unsigned page)
{
	to_retype.type = CAP_RAM;
	to_retype.slot = CAP(1, SLOTS - 1);
	assert_true(is_ok(agreement_retype(&on(number)->agreement, 9, cap, page * PAGE, PAGE)));
	run();
}

static void test_retype_asks_every_holder(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	retype(0, fetch(0, frame, false), 16);
	assert_int_equal(only_result()->messages, 6);
	assert_int_equal(sent_of(AGREEMENT_find), 3);
	result_count = log_length = 0;
	retype(1, fetch(1, users_of(1, CAP_Frame, 16), false), 17);
	assert_int_equal(sent_of(AGREEMENT_find), 2);
	assert_int_equal(sent_of(AGREEMENT_retyped), 1);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_quiet();
}

static void test_retype_meets_what_was_made(void **state)
{
	const cap_t frame = shared_frame(0, 16, two, 2);

	(void)state;
	user(2, 9, CAP_Frame, 17, 1, 2);
	retype(1, fetch(1, users_of(1, CAP_Frame, 16), false), 17);
	assert_int_equal(only_result()->error, ERR_NUMBER_OVERLAP);
	retype(0, fetch(0, frame, false), 17);
	assert_int_equal(only_result()->error, ERR_NUMBER_OVERLAP);
	clear(&core[2].slot[USERS + 9]);
	user(0, 9, CAP_Frame, 17, 1, 0); /* the owner's own */
	retype(1, fetch(1, users_of(1, CAP_Frame, 16), false), 17);
	assert_int_equal(only_result()->error, ERR_NUMBER_OVERLAP);
	retype(1, fetch(1, users_of(1, CAP_Frame, 16), false), 18);
	assert_int_equal(only_result()->error, ERR_NUMBER_RANGE);
	assert_quiet();
}

static void test_granted_retype_keeps_the_turn(void **state)
{
	(void)state;
	shared_frame(0, 16, two, 2);
	const cap_t first = fetch(1, users_of(1, CAP_Frame, 16), false), second = fetch(2, users_of(2, CAP_Frame, 16), false);

	assert_true(is_ok(agreement_retype(&on(1)->agreement, 1, first, 16 * PAGE, PAGE)));
	const struct sent retyped = run_until(AGREEMENT_retyped);

	to_retype.type = CAP_Null;
	result_count = log_length = 0;
	assert_true(is_ok(agreement_retype(&on(2)->agreement, 2, second, 16 * PAGE, PAGE)));
	run();
	assert_int_equal(result_count, 0);
	assert_int_equal(sent_of(AGREEMENT_find), 0);
	deliver(&retyped);
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_quiet();
}

/* ---- Delete ---- */

static void delete_user(uint32_t number, cap_t from)
{
	assert_true(is_ok(agreement_delete(&on(number)->agreement, 3, fetch(number, from, true))));
	run();
	const struct result *r = only_result();

	assert_int_equal(r->error, ERR_NUMBER_OK);
	on(number);
	if (at(r->cap)->what.type == CAP_Null)
		cap_slot_free(r->cap);
}

static void test_last_foreign_copy_goes(void **state)
{
	(void)state;
	shared_frame(0, 16, two, 2);
	delete_user(1, users_of(1, CAP_Frame, 16));
	assert_int_equal(sent_of(AGREEMENT_gone), 1);
	assert_false(set_has(&entry(0, CAP_Frame, 16)->holders, 1));
	delete_user(2, users_of(2, CAP_Frame, 16));
	assert_null(entry(0, CAP_Frame, 16));
	assert_int_equal(core[0].slot[USERS].flags, 0);
	assert_quiet();
}

static void test_anchor_of_a_holder(void **state)
{
	(void)state;
	shared_frame(0, 16, two, 1);
	user(1, 9, CAP_Frame, 16, 1, 1);
	delete_user(1, users_of(1, CAP_Frame, 16)); /* the first in the slots: of two pages */
	assert_int_equal(sent_of(AGREEMENT_gone), 0);
	assert_int_equal(held(1, CAP_Frame, 16, 2), 1);
	assert_non_null(entry(1, CAP_Frame, 16));
	clear(&core[1].slot[USERS + 9]);
	run();
	assert_int_equal(sent_of(AGREEMENT_gone), 1);
	assert_null(entry(1, CAP_Frame, 16));
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_owner_that_is_covered_keeps_an_anchor(void **state)
{
	const cap_t frame = shared_frame(0, 16, two, 1);

	(void)state;
	user(0, 9, CAP_RAM, 16, 8, 0);
	delete_user(0, frame);
	assert_int_equal(sent_of(AGREEMENT_take_over), 0);
	assert_int_equal(held(0, CAP_Frame, 16, 2), 1);
	delete_user(1, users_of(1, CAP_Frame, 16));
	assert_int_equal(held(0, CAP_Frame, 16, 2), 0);
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_page_table_keeps_its_owner(void **state)
{
	const cap_t table = user(0, 0, CAP_PageTable1, 16, 2, 0), cap = fetch(0, table, false);

	(void)state;
	assert_true(is_ok(copy(0, cap, 1, RECIPIENT_USER, false)));
	run();
	give_back(0, cap);
	result_count = 0;
	delete_user(0, table);
	assert_int_equal(sent_of(AGREEMENT_take_over), 0);
	assert_int_equal(held(0, CAP_PageTable1, 16, 2), 1);
	assert_quiet();
}

static void share_table_with(uint32_t number)
{
	const cap_t cap = fetch(0, user(0, 0, CAP_PageTable1, 32, 2, 0), false);

	assert_true(is_ok(copy(0, cap, number, RECIPIENT_USER, false)));
	run();
	give_back(0, cap);
	result_count = log_length = 0;
	core[0].mapped_content = 32 * PAGE;
}

/* What a container holds may be the last of its object: it goes when nobody uses the mapping any more, not before. */
static void test_content_of_a_container_goes_when_all_have_flushed(void **state)
{
	const cap_t node = user(0, 1, CAP_CNode, 40, 4, 0);

	(void)state;
	share_table_with(3);
	assert_true(is_ok(agreement_delete(&on(0)->agreement, 3, fetch(0, node, true))));
	const struct sent flushed = run_until(AGREEMENT_flushed);

	assert_int_equal(result_count, 0);
	assert_int_equal(held(0, CAP_CNode, 40, 4), 1);
	deliver(&flushed);
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(held(0, CAP_CNode, 40, 4), 0);
	assert_int_equal(sent_of(AGREEMENT_flush), 1);
	assert_quiet();
}

static void test_sweep_pauses_for_content_of_a_container(void **state)
{
	const cap_t ram = user(0, 2, CAP_RAM, 36, 12, 0);

	(void)state;
	user(0, 1, CAP_CNode, 40, 4, 0);
	share_table_with(3);
	assert_true(is_ok(agreement_revoke(&on(0)->agreement, 3, fetch(0, ram, true))));
	const struct sent flushed = run_until(AGREEMENT_flushed);

	assert_int_equal(result_count, 0);
	assert_int_equal(held(0, CAP_CNode, 40, 4), 1);
	deliver(&flushed);
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(held(0, CAP_CNode, 40, 4), 0);
	assert_quiet();
}

static void test_nothing_is_lost_without_room_for_operations(void **state)
{
	const cap_t ram = user(0, 5, CAP_RAM, 16, 8, 0);
	struct agreement *a = &on(0)->agreement;
	uint32_t before;

	(void)state;
	shared_frame(0, 16, two, 1);
	delete_user(0, users_of(0, CAP_Frame, 16)); /* it is covered: an anchor */
	before = on(0)->agreement.operation_count;
	a->operation_count = OPERATIONS_MAX;
	dispose(a, fetch(0, CAP(1, entry(0, CAP_Frame, 16)->anchor.value & 0xff), false));
	dispose(a, fetch(0, ram, false));
	assert_int_equal(held(0, CAP_Frame, 16, 2), 1);
	assert_int_equal(held(0, CAP_RAM, 16, 8), 1);
	dispose(a, fetch(0, ram, true)); /* the last one */
	assert_int_equal(entry(0, CAP_RAM, 16)->owner, 0);
	a->operation_count = before;
	delete_user(1, users_of(1, CAP_Frame, 16));
	assert_int_equal(held(0, CAP_Frame, 16, 2), 0);
	assert_int_equal(core[0].returned, 1);
	assert_quiet();
}

/* Whom it wakes doesn't change; when nobody else has it, nothing is left of the sharing. */
static void test_doorbell_keeps_its_owner(void **state)
{
	const cap_t whole = user(0, 1, CAP_Doorbell, 16, 4, 0), bell = user(0, 0, CAP_Doorbell, 16, 1, 0);

	(void)state;
	user(0, 9, CAP_Dispatcher, 16, 4, 0);
	assert_true(err_is(copy(0, fetch(0, whole, false), 1, RECIPIENT_USER, false), ERR_NUMBER_CAP_TYPE));
	assert_true(is_ok(copy(0, fetch(0, bell, false), 1, RECIPIENT_USER, false)));
	run();
	give_back(0, only_result()->cap);
	delete_user(0, bell);
	assert_int_equal(sent_of(AGREEMENT_take_over), 0);
	assert_int_equal(held(0, CAP_Doorbell, 16, 1), 1);
	delete_user(1, users_of(1, CAP_Doorbell, 16));
	assert_int_equal(held(0, CAP_Doorbell, 16, 1), 0);
	assert_null(entry(0, CAP_Doorbell, 16));
	assert_quiet();
}

static void test_anchor_that_is_the_last_gives_the_memory_back(void **state)
{
	const cap_t frame = shared_frame(0, 16, two, 1);

	(void)state;
	user(0, 9, CAP_RAM, 16, 8, 0);
	delete_user(0, frame);
	clear(&core[0].slot[USERS + 9]); /* what covered it is gone */
	delete_user(1, users_of(1, CAP_Frame, 16));
	assert_int_equal(core[0].returned + core[1].returned, 1);
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_mapping_in_a_shared_table(void **state)
{
	const cap_t table = user(0, 0, CAP_PageTable1, 32, 2, 0), cap = fetch(0, table, false), frame = user(0, 1, CAP_Frame, 16, 2, 0);

	(void)state;
	assert_true(is_ok(copy(0, cap, 1, RECIPIENT_USER, false)));
	run();
	give_back(0, cap);
	result_count = log_length = 0;
	user(0, 2, CAP_Frame, 16, 2, 0);
	core[0].slot[USERS + 2].table = 32 * PAGE;
	delete_user(0, CAP(1, USERS + 2));
	assert_int_equal(core[1].flushes, 1);
	assert_int_equal(sent_of(AGREEMENT_flush), 1);
	on(0);
	assert_int_equal(at(frame)->flags, 0);
	assert_quiet();
}

/* ---- Transfer ---- */

static void test_owner_gives_the_object_away(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	delete_user(0, frame);
	assert_int_equal(held(0, CAP_Frame, 16, 2), 0);
	assert_null(entry(0, CAP_Frame, 16));
	assert_int_equal(core[1].slot[USERS].flags, CAP_FLAG_REMOTE);
	assert_int_equal(core[2].slot[USERS].what.owner, 1);
	assert_int_equal(core[3].slot[USERS].what.owner, 1);
	assert_int_equal(set_count(&entry(1, CAP_Frame, 16)->holders), 2);
	assert_int_equal(sent_of(AGREEMENT_new_owner), 2);
	assert_quiet();
}

static void test_holder_without_room_declines(void **state)
{
	const cap_t frame = shared_frame(0, 16, two, 2);

	(void)state;
	core[1].refuse_slots = 1;
	delete_user(0, frame);
	assert_int_equal(sent_of(AGREEMENT_take_over), 2);
	assert_int_equal(core[1].slot[USERS].what.owner, 2);
	assert_true(set_has(&entry(2, CAP_Frame, 16)->holders, 1));
	assert_quiet();
}

static void test_holder_that_has_just_lost_it_declines(void **state)
{
	const cap_t frame = shared_frame(0, 16, two, 2);

	(void)state;
	assert_true(is_ok(agreement_delete(&on(0)->agreement, 3, fetch(0, frame, true))));
	const struct sent take_over = run_until(AGREEMENT_take_over);

	assert_int_equal(take_over.to, 1);
	clear(&core[1].slot[USERS]);
	deliver(&take_over);
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(core[2].slot[USERS].what.owner, 2);
	assert_int_equal(core[2].slot[USERS].flags, 0);
	assert_quiet();
}

static void test_loss_during_a_transfer_is_passed_on(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	assert_true(is_ok(agreement_delete(&on(0)->agreement, 3, fetch(0, frame, true))));
	const struct sent new_owner = run_until(AGREEMENT_new_owner);

	assert_int_equal(new_owner.to, 2);
	assert_true(is_ok(agreement_delete(&on(2)->agreement, 4, fetch(2, users_of(2, CAP_Frame, 16), true))));
	step_all(); /* it still says `gone` to the old owner */
	deliver(&new_owner);
	run();
	assert_int_equal(sent_of(AGREEMENT_gone), 2);
	assert_int_equal(set_count(&entry(1, CAP_Frame, 16)->holders), 1);
	assert_quiet();
}

/* ---- Revoke ---- */

static void test_owner_revokes(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3), cap = fetch(0, frame, true);

	(void)state;
	core[0].again = core[2].again = 1;
	assert_true(is_ok(agreement_revoke(&on(0)->agreement, 5, cap)));
	run();
	assert_int_equal(only_result()->messages, 6);
	for (uint32_t i = 1; i < CORES; i++)
		assert_int_equal(held(i, CAP_Frame, 16, 2), 0);
	on(0);
	assert_int_equal(at(cap)->flags, 0);
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_holder_revokes_and_owns_it_then(void **state)
{
	(void)state;
	shared_frame(0, 16, three, 3);
	const cap_t cap = fetch(2, users_of(2, CAP_Frame, 16), true);

	assert_true(is_ok(agreement_revoke(&on(2)->agreement, 5, cap)));
	run();
	const struct result *r = only_result();

	assert_int_equal(r->error, ERR_NUMBER_OK);
	assert_true(r->messages <= 4 * 3 + 2);
	assert_int_equal(held(0, CAP_Frame, 16, 2) + held(1, CAP_Frame, 16, 2) + held(3, CAP_Frame, 16, 2), 0);
	on(2);
	assert_int_equal(at(cap)->what.owner, 2);
	assert_int_equal(at(cap)->flags, 0);
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_owner_that_is_covered_stays_the_owner(void **state)
{
	(void)state;
	shared_frame(0, 16, two, 2);
	user(0, 9, CAP_RAM, 16, 8, 0);
	const cap_t cap = fetch(1, users_of(1, CAP_Frame, 16), true);

	assert_true(is_ok(agreement_revoke(&on(1)->agreement, 5, cap)));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	on(1);
	assert_int_equal(at(cap)->what.owner, 0);
	assert_true(set_has(&entry(0, CAP_Frame, 16)->holders, 1));
	assert_int_equal(held(0, CAP_Frame, 16, 2), 1);
	assert_quiet();
}

static void test_second_revoke_finds_itself_revoked(void **state)
{
	(void)state;
	shared_frame(0, 16, two, 2);
	const cap_t first = fetch(1, users_of(1, CAP_Frame, 16), true), second = fetch(2, users_of(2, CAP_Frame, 16), true);

	assert_true(is_ok(agreement_revoke(&on(1)->agreement, 1, first)));
	assert_true(is_ok(agreement_revoke(&on(2)->agreement, 2, second)));
	run();
	assert_int_equal(result_count, 2);
	for (unsigned k = 0; k < 2; k++)
		assert_int_equal(results[k].error, results[k].token == 1 ? ERR_NUMBER_OK : ERR_NUMBER_CAP_EMPTY);
	assert_int_equal(held(1, CAP_Frame, 16, 2), 1);
	assert_int_equal(held(2, CAP_Frame, 16, 2), 0);
	assert_quiet();
}

static void test_shared_object_inside_is_revoked_too(void **state)
{
	const cap_t ram = user(0, 20, CAP_RAM, 16, 8, 0);

	(void)state;
	shared_frame(0, 16, two, 2);
	assert_true(is_ok(agreement_revoke(&on(0)->agreement, 5, fetch(0, ram, true))));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	for (uint32_t i = 0; i < CORES; i++)
		assert_int_equal(held(i, CAP_Frame, 16, 2), 0);
	assert_null(entry(0, CAP_Frame, 16));
	assert_quiet();
}

static void test_holder_without_room_is_asked_again(void **state)
{
	const cap_t frame = shared_frame(0, 16, three, 3);

	(void)state;
	core[1].refuse_slots = 2;
	assert_true(is_ok(agreement_revoke(&on(0)->agreement, 5, fetch(0, frame, true))));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(sent_of(AGREEMENT_sweep_later), 2);
	for (uint32_t i = 1; i < CORES; i++)
		assert_int_equal(held(i, CAP_Frame, 16, 2), 0);
	assert_quiet();
}

static void test_revoke_flushes_who_uses_the_table(void **state)
{
	const cap_t table = user(0, 0, CAP_PageTable1, 32, 2, 0), cap = fetch(0, table, false), frame = user(0, 1, CAP_Frame, 16, 2, 0);

	(void)state;
	assert_true(is_ok(copy(0, cap, 3, RECIPIENT_USER, false)));
	run();
	give_back(0, cap);
	result_count = 0;
	user(0, 2, CAP_Frame, 16, 2, 0);
	core[0].slot[USERS + 2].table = 32 * PAGE;
	assert_true(is_ok(agreement_revoke(&on(0)->agreement, 5, fetch(0, frame, true))));
	const struct sent flushed = run_until(AGREEMENT_flushed);

	assert_int_equal(result_count, 0);
	deliver(&flushed);
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	assert_int_equal(core[3].flushes, 1);
	assert_quiet();
}

/* What can neither be deleted, nor noted, nor be begun with is not forgotten. */
static void test_no_room_for_anything(void **state)
{
	struct agreement *a = &on(1)->agreement;
	const cap_t cap = fetch(1, user(1, 20, CAP_Frame, 400, 1, 0), true);

	(void)state;
	a->operation_count = OPERATIONS_MAX;
	for (a->shared_count = 0; a->shared_count < SHARED_MAX; a->shared_count++)
		a->shared[a->shared_count].object = (struct object){.base = a->shared_count * PAGE, .size = PAGE, .type = CAP_Frame};
	dispose(a, cap);
	assert_int_equal(put_off.value, cap.value);
	a->operation_count = 0;
	memset(a->shared, 0, sizeof(a->shared));
	a->shared_count = 0;
	assert_true(is_ok(agreement_delete(a, 1, cap)));
	run();
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
	give_back(1, cap);
	assert_quiet();
}

static int set_up(void **state)
{
	(void)state;
	world_begin();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_first_copy_shares_the_object),
	    TEST(test_holder_copies_through_the_owner),
	    TEST(test_copy_to_the_owner_itself),
	    TEST(test_copy_that_nobody_takes_leaves_no_holder),
	    TEST(test_receiver_without_a_slot),
	    TEST(test_errors_at_the_beginning),
	    TEST(test_table_of_shared_objects_is_full),
	    TEST(test_move_takes_the_source_along),
	    TEST(test_retype_asks_every_holder),
	    TEST(test_retype_meets_what_was_made),
	    TEST(test_granted_retype_keeps_the_turn),
	    TEST(test_last_foreign_copy_goes),
	    TEST(test_anchor_of_a_holder),
	    TEST(test_owner_that_is_covered_keeps_an_anchor),
	    TEST(test_page_table_keeps_its_owner),
	    TEST(test_nothing_is_lost_without_room_for_operations),
	    TEST(test_content_of_a_container_goes_when_all_have_flushed),
	    TEST(test_sweep_pauses_for_content_of_a_container),
	    TEST(test_doorbell_keeps_its_owner),
	    TEST(test_anchor_that_is_the_last_gives_the_memory_back),
	    TEST(test_mapping_in_a_shared_table),
	    TEST(test_owner_gives_the_object_away),
	    TEST(test_holder_without_room_declines),
	    TEST(test_holder_that_has_just_lost_it_declines),
	    TEST(test_loss_during_a_transfer_is_passed_on),
	    TEST(test_owner_revokes),
	    TEST(test_holder_revokes_and_owns_it_then),
	    TEST(test_owner_that_is_covered_stays_the_owner),
	    TEST(test_second_revoke_finds_itself_revoked),
	    TEST(test_shared_object_inside_is_revoked_too),
	    TEST(test_holder_without_room_is_asked_again),
	    TEST(test_no_room_for_anything),
	    TEST(test_revoke_flushes_who_uses_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
