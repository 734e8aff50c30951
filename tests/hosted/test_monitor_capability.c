// sources: monitor/capability.c monitor/clear.c monitor/gift.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What domains ask of the agreement. Above all: what is fetched from a domain is somewhere at every moment, and no slot is lost. */

#include "tests/hosted/capability_requests_world.h"

/* ---- Delete, revoke ---- */

static void test_a_deleted_capability_is_gone(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_DELETE)));
	assert_false(at_home());
	assert_int_equal(event.count, 0);
	own[agreement.cap.value] = (struct cap_identity){0};
	done(OK);
	assert_told(0, 0, 6);
	assert_false(at_home());
}

static void test_memory_that_a_delete_left_is_put_back(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_DELETE)));
	done(OK);
	assert_told(0, 1, 6);
	assert_true(at_home());
}

static void test_what_could_not_be_done_leaves_the_capability_where_it_was(void **state)
{
	(void)state;
	for (unsigned operation = CAPABILITY_DELETE; operation <= CAPABILITY_REVOKE; operation++) {
		assert_true(is_ok(ask(operation)));
		done(ERR(CORE_DEAD));
		assert_told(ERR_NUMBER_CORE_DEAD, 0, 6);
		assert_true(at_home());
		agreement.answer = ERR(LIMIT);
		assert_true(err_is(ask(operation), ERR_NUMBER_LIMIT));
		assert_true(at_home());
		agreement.answer = OK;
	}
	assert_int_equal(event.count, 0);
}

static void test_a_revoke_gives_the_capability_back(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_REVOKE)));
	assert_false(at_home());
	done(OK);
	assert_told(0, 0, 6);
	assert_true(at_home());
}

static void assert_told_with_reply(unsigned error, uint64_t value, uint64_t messages)
{
	assert_int_equal(event.count, 0);
	assert_null(m.awaited);
	assert_int_equal(m.reply.word[1], CAPABILITY_COMPLETED | value << 32);
	assert_int_equal(m.reply.word[2], error);
	assert_int_equal(m.reply.word[3], messages);
	m.reply = (struct platform_reply){0};
}

static void test_what_is_done_before_the_reply_is_told_with_it(void **state)
{
	(void)state;
	assert_true(is_ok(ask_and_wait(CAPABILITY_DELETE)));
	assert_int_equal(m.reply.word[1], 0);
	done(OK);
	assert_told_with_reply(0, 1, 6);
	assert_true(at_home());
	assert_true(is_ok(ask_and_wait(CAPABILITY_REVOKE)));
	done(ERR(CORE_DEAD));
	assert_told_with_reply(ERR_NUMBER_CORE_DEAD, 0, 6);
	agreement.answer = ERR(LIMIT);
	assert_true(err_is(ask_and_wait(CAPABILITY_REVOKE), ERR_NUMBER_LIMIT));
	assert_null(m.awaited);
	agreement.answer = OK;
}

static void test_another_s_reply_is_not_touched(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_REVOKE)));
	m.awaited = &m.work[CAPABILITY_WORKS_MAX - 1];
	done(OK);
	assert_told(0, 0, 6);
	assert_int_equal(m.reply.word[1], 0);
	assert_non_null(m.awaited);
	m.awaited = NULL;
}

static void test_control_is_needed(void **state)
{
	(void)state;
	space[HOME.value].rights = RIGHT_READ | RIGHT_WRITE;
	assert_true(err_is(ask(CAPABILITY_REVOKE), ERR_NUMBER_CAP_RIGHTS));
	assert_true(err_is(ask(CAPABILITY_RETYPE), ERR_NUMBER_CAP_RIGHTS));
	assert_int_equal(agreement.asked, 0);
	assert_true(at_home());
	assert_true(is_ok(ask(CAPABILITY_DELETE)));
	own[agreement.cap.value] = (struct cap_identity){0};
	done(OK);
}

static void test_bad_requests(void **state)
{
	const struct capability_request nothing = {.cap = CAP(1, 21).value, .operation = CAPABILITY_DELETE};

	(void)state;
	assert_true(err_is(ask(0), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(ask(CAPABILITY_MOVE + 1), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(capability_begin(&m, d, TAG, &nothing), ERR_NUMBER_CAP_EMPTY));
	m.peer = NULL; /* before the machine is known */
	assert_true(err_is(ask(CAPABILITY_DELETE), ERR_NUMBER_STATE));
	assert_true(at_home());
	assert_int_equal(agreement.asked, 0);
}

/* ---- The domain does something else meanwhile ---- */

static void test_a_slot_that_is_in_use_again_keeps_what_is_in_it(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_REVOKE)));
	has(HOME, CAP_Frame, BASE + MIB, PAGE_BYTES);
	done(OK);
	assert_told(0, 0, 6);
	assert_int_equal(space[HOME.value].type, CAP_Frame);
}

static void test_the_domain_ends(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_REVOKE)));
	d->phase = DOMAIN_STOPPING;
	done(OK);
	assert_int_equal(event.count, 0);
	/* it could be deleted at once: nobody has it any more */
}

static void test_what_is_left_over_needs_the_agreement_too(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_REVOKE)));
	d->phase = DOMAIN_STOPPING;
	delete_answer = ERR(NEEDS_AGREEMENT);
	done(OK);
	agreement.answer = ERR(LIMIT);
	assert_true(capability_step(&m));
	assert_int_equal(agreement.kind, OPERATION_DELETE);
	agreement.answer = OK;
	assert_false(capability_step(&m));
	own[agreement.cap.value] = (struct cap_identity){0};
	done(OK);
}

static void test_a_core_that_dies_does_not_keep_what_is_left_over(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_DELETE)));
	d->phase = DOMAIN_STOPPING;
	own[agreement.cap.value].flags = CAP_FLAG_FOREIGN;
	delete_answer = ERR(NEEDS_AGREEMENT);
	done(ERR(CORE_DEAD));
	assert_false(capability_step(&m));
	done(ERR(CORE_DEAD));
	assert_non_null(m.leftovers);
	assert_false(capability_step(&m));
	own[agreement.cap.value] = (struct cap_identity){0};
	done(OK);
	assert_int_equal(reports, 0);
}

static void test_what_is_private_to_monitors(void **state)
{
	struct object object = {.base = ROOT + 400 * MIB, .size = PAGE_BYTES, .type = CAP_Frame};

	(void)state;
	assert_true(agreement_is_private(&m.agreement, &object));
	object.base = ROOT + 300 * MIB;
	assert_true(agreement_is_private(&m.agreement, &object));
	object.type = CAP_RAM;
	assert_false(agreement_is_private(&m.agreement, &object));
	object = (struct object){.base = ROOT, .size = PAGE_BYTES, .type = CAP_Frame};
	assert_false(agreement_is_private(&m.agreement, &object));
}

static void test_memory_that_comes_back_is_cleared_first(void **state)
{
	cap_t ram;
	unsigned steps = 1;

	(void)state;
	assert_true(is_ok(cap_slot_alloc(&ram)));
	own[ram.value] = (struct cap_identity){.type = CAP_RAM, .base = BASE, .size = MIB + PAGE_BYTES};
	agreement_return_memory(&m.agreement, ram);
	while (capability_step(&m)) {
		assert_int_equal(adopted + returned, 0);
		steps++;
	}
	assert_int_equal(steps, 5);
	assert_int_equal(cleared, MIB + PAGE_BYTES);
	assert_int_equal(adopted, 1);
	assert_int_equal(returned, MIB + PAGE_BYTES);
}

/* Whoever serves what lies around it gets it, by way of the leader. */
static void test_memory_that_comes_back_goes_to_its_heir(void **state)
{
	cap_t ram;

	(void)state;
	somebody_else = 2;
	m.peers = 4;
	assert_true(is_ok(cap_slot_alloc(&ram)));
	own[ram.value] = (struct cap_identity){.type = CAP_RAM, .rights = RIGHT_READ, .base = BASE, .size = MIB};
	agreement_return_memory(&m.agreement, ram);
	assert_false(capability_step(&m));
	assert_int_equal(dropped, MIB);
	assert_int_equal(adopted + cleared + returned, 0);
	/* what can't be parted with stays */
	surrender_answer = ERR(OVERLAP);
	assert_true(is_ok(cap_slot_alloc(&ram)));
	own[ram.value] = (struct cap_identity){.type = CAP_RAM, .rights = RIGHTS_ALL, .base = BASE, .size = MIB};
	agreement_return_memory(&m.agreement, ram);
	while (capability_step(&m))
		;
	assert_int_equal(adopted, 1);
	assert_int_equal(dropped, MIB);
}

static void test_the_last_copy_of_memory_comes_back(void **state)
{
	(void)state;
	assert_true(is_ok(ask(CAPABILITY_REVOKE)));
	d->phase = DOMAIN_STOPPING;
	delete_answer = ERR(LAST_COPY);
	done(OK);
	while (capability_step(&m))
		;
	assert_int_equal(adopted, 1);
}

/* Whoever had it last may have had it to read only. */
static void test_memory_comes_back_with_all_rights(void **state)
{
	(void)state;
	space[HOME.value].rights = RIGHT_READ | RIGHT_CONTROL;
	assert_true(is_ok(ask(CAPABILITY_REVOKE)));
	d->phase = DOMAIN_STOPPING;
	delete_answer = ERR(LAST_COPY);
	done(OK);
	delete_answer = OK;
	while (capability_step(&m))
		;
	assert_int_equal(adopted, 1);
	assert_int_equal(reports, 0);
}

/* The domain uses the slot for something else at once: what becomes of the deletion does not concern it any more. */
static void test_what_nobody_waits_for_is_not_put_back(void **state)
{
	const struct capability_request r = {.cap = HOME.value, .operation = CAPABILITY_DELETE};

	(void)state;
	assert_true(is_ok(capability_begin(&m, d, 0, &r)));
	done(ERR(CORE_DEAD));
	assert_int_equal(space[HOME.value].type, CAP_Null);
	while (capability_step(&m))
		;
	assert_int_equal(event.count, 0);
}

static void test_the_end_of_a_domains_memory(void **state)
{
	cap_t block;

	(void)state;
	assert_true(is_ok(cap_slot_alloc(&block)));
	own[block.value] = (struct cap_identity){.type = CAP_RAM, .base = BASE, .size = MIB};
	assert_true(is_ok(capability_revoke_block(&m, d, block)));
	done(OK);
	assert_int_equal(revoked, NUMBER);
	own[block.value] = (struct cap_identity){0};
	cap_slot_free(block);
}

/* ---- Limits ---- */

static void test_one_domain_can_have_so_many_under_way(void **state)
{
	uint64_t tokens[CAPABILITY_WORKS_MAX];
	cap_t caps[CAPABILITY_WORKS_MAX];
	unsigned begun = 0;
	err_t e = OK;

	(void)state;
	for (unsigned i = 0; i < CAPABILITY_WORKS_MAX && is_ok(e); i++) {
		has(HOME, CAP_RAM, BASE, MIB);
		e = ask(CAPABILITY_DELETE);
		if (is_ok(e)) {
			tokens[begun] = agreement.token;
			caps[begun++] = agreement.cap;
		}
	}
	assert_true(err_is(e, ERR_NUMBER_LIMIT));
	assert_true(begun >= 8 && begun < CAPABILITY_WORKS_MAX / 2);
	for (unsigned i = 0; i < begun; i++)
		for (unsigned j = 0; j < i; j++)
			assert_true(tokens[i] != tokens[j]);
	/* when one is over there is room again */
	own[caps[0].value] = (struct cap_identity){0};
	agreement_done(&m.agreement, tokens[0], OPERATION_DELETE, OK, caps[0], 0);
	assert_true(is_ok(ask(CAPABILITY_DELETE)));
	own[agreement.cap.value] = (struct cap_identity){0};
	done(OK);
	for (unsigned i = 1; i < begun; i++) {
		own[caps[i].value] = (struct cap_identity){0};
		agreement_done(&m.agreement, tokens[i], OPERATION_DELETE, OK, caps[i], 0);
	}
}

/* ---- Retype ---- */

static err_t ask_retype(enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count)
{
	err_t e = capability_begin(&m, d, TAG,
	                           &(struct capability_request){.cap = HOME.value,
	                                                        .operation = CAPABILITY_RETYPE,
	                                                        .type = (uint8_t)type,
	                                                        .first = CAP(2, 33).value,
	                                                        .count = (uint16_t)count,
	                                                        .offset = offset,
	                                                        .bytes = bytes});

	m.awaited = NULL;
	return e;
}

static void test_retype(void **state)
{
	(void)state;
	has(CAP(ROOT_SELF, 2), CAP_CNode, BASE + 2 * MIB, CNODE_BYTES);
	assert_true(is_ok(ask_retype(CAP_Frame, PAGE_BYTES, 2 * PAGE_BYTES, 3)));
	assert_int_equal(agreement.base, BASE + PAGE_BYTES);
	assert_int_equal(agreement.bytes, 6 * PAGE_BYTES);
	assert_true(at_home()); /* the domain keeps it meanwhile */
	assert_int_equal(retyped, 0);
	done(OK);
	assert_int_equal(retyped, 1);
	assert_told(0, 0, 6);

	assert_true(is_ok(ask_retype(CAP_CNode, 0, 0, 1)));
	assert_int_equal(agreement.bytes, CNODE_BYTES);
	retype_answer = ERR(SLOT_IN_USE);
	done(OK);
	assert_told(ERR_NUMBER_SLOT_IN_USE, 0, 6);

	assert_true(is_ok(ask_retype(CAP_Frame, 0, PAGE_BYTES, 1)));
	done(ERR(OVERLAP));
	assert_int_equal(retyped, 2);
	assert_told(ERR_NUMBER_OVERLAP, 0, 6);
	assert_true(at_home());
}

static void test_retype_without_a_place_to_put_it(void **state)
{
	(void)state;
	assert_true(is_ok(ask_retype(CAP_Frame, 0, PAGE_BYTES, 1)));
	done(OK);
	assert_int_equal(retyped, 0);
	assert_told(ERR_NUMBER_CAP_EMPTY, 0, 6);
	assert_true(is_ok(ask_retype(CAP_Frame, 0, PAGE_BYTES, 1)));
	d->phase = DOMAIN_STOPPING;
	done(OK);
	assert_int_equal(retyped, 0);
	assert_int_equal(event.count, 0);
}

static void test_bad_retypes_ask_nobody(void **state)
{
	(void)state;
	assert_true(err_is(ask_retype(CAP_Null, 0, PAGE_BYTES, 1), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(ask_retype(CAP_TYPES, 0, PAGE_BYTES, 1), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(ask_retype(CAP_Frame, 0, PAGE_BYTES, 0), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(ask_retype(CAP_Frame, 0, PAGE_BYTES, CNODE_SLOTS + 1), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(ask_retype(CAP_Frame, 0, 0, 1), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(ask_retype(CAP_CNode, 0, PAGE_BYTES, 1), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(ask_retype(CAP_Kernel, 0, PAGE_BYTES, 1), ERR_NUMBER_RETYPE));
	assert_true(err_is(ask_retype(CAP_Frame, 1, PAGE_BYTES, 1), ERR_NUMBER_ALIGNMENT));
	assert_true(err_is(ask_retype(CAP_Frame, 0, 100, 1), ERR_NUMBER_ALIGNMENT));
	assert_true(err_is(ask_retype(CAP_Frame, MIB, PAGE_BYTES, 1), ERR_NUMBER_RANGE));
	assert_true(err_is(ask_retype(CAP_Frame, 0, MIB, 2), ERR_NUMBER_RANGE));
	assert_true(err_is(ask_retype(CAP_Frame, ~(PAGE_BYTES - 1), PAGE_BYTES, 2), ERR_NUMBER_RANGE));
	assert_true(err_is(ask_retype(CAP_Frame, 0, ~(PAGE_BYTES - 1), 2), ERR_NUMBER_RANGE));
	assert_int_equal(agreement.asked, 0);
	assert_true(at_home());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_deleted_capability_is_gone),
	    TEST(test_memory_that_a_delete_left_is_put_back),
	    TEST(test_what_could_not_be_done_leaves_the_capability_where_it_was),
	    TEST(test_a_revoke_gives_the_capability_back),
	    TEST(test_what_is_done_before_the_reply_is_told_with_it),
	    TEST(test_another_s_reply_is_not_touched),
	    TEST(test_control_is_needed),
	    TEST(test_bad_requests),
	    TEST(test_a_slot_that_is_in_use_again_keeps_what_is_in_it),
	    TEST(test_the_domain_ends),
	    TEST(test_what_is_left_over_needs_the_agreement_too),
	    TEST(test_a_core_that_dies_does_not_keep_what_is_left_over),
	    TEST(test_what_is_private_to_monitors),
	    TEST(test_memory_that_comes_back_is_cleared_first),
	    TEST(test_memory_that_comes_back_goes_to_its_heir),
	    TEST(test_the_last_copy_of_memory_comes_back),
	    TEST(test_memory_comes_back_with_all_rights),
	    TEST(test_what_nobody_waits_for_is_not_put_back),
	    TEST(test_the_end_of_a_domains_memory),
	    TEST(test_one_domain_can_have_so_many_under_way),
	    TEST(test_retype),
	    TEST(test_retype_without_a_place_to_put_it),
	    TEST(test_bad_retypes_ask_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
