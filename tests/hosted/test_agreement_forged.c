// sources: monitor/agreement/agreement.c monitor/agreement/anchors.c monitor/agreement/copy.c monitor/agreement/course.c
// sources: monitor/agreement/delete.c monitor/agreement/members.c monitor/agreement/messages.c monitor/agreement/retype.c
// sources: monitor/agreement/revoke.c monitor/agreement/shared.c monitor/agreement/sweep.c monitor/agreement/transfer.c
// flags: -DSHARED_MAX=8 -DOPERATIONS_MAX=16
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Messages that a peer must not send, or not now: nothing may change but the count of what was refused. */

#include "tests/hosted/agreement_world.h"

#define VIEW 3

static const uint32_t three[] = {1, 2, 3};

/* A message about core 0's frame of page 16. */
static union agreement_message about_frame(uint32_t number, uint32_t owner)
{
	union agreement_message m;

	memset(&m, 0, sizeof(m));
	m.head.operation = number;
	m.head.view = VIEW;
	m.head.object = 16 * PAGE | owner << AGREEMENT_OWNER_SHIFT | CAP_Frame;
	m.head.size = 2 * PAGE;
	return m;
}

static struct core before;

/* The message does nothing to core `to`, and is counted. */
static void refused(uint32_t from, uint32_t to, unsigned type, const union agreement_message *m)
{
	const uint64_t count = on(to)->agreement.statistics.refused;
	const unsigned messages = in_flight;

	before = *here;
	agreement_receive(&here->agreement, from, type, m->words);
	if (here->agreement.statistics.refused != count + 1)
		fail_msg("%s of core %u was not refused", agreement_name(type), from);
	assert_int_equal(in_flight, messages);
	before.agreement.statistics = here->agreement.statistics;
	assert_memory_equal(here, &before, sizeof(before));
}

/* Whether the same may also come from that core: several are asked. */
static bool is_awaited(const struct sent *s, uint32_t from)
{
	const uint16_t index = (uint16_t)s->message.head.operation;

	return index != 0 && index <= OPERATIONS_MAX && set_has(&core[s->to].agreement.operation[index - 1].left, from);
}

/* The genuine message of that kind, in the middle of an operation, with one thing wrong; at last as it was. */
static void only_as_it_was(const struct sent *s)
{
	union agreement_message m = s->message;

	for (uint32_t from = 0; from < CORES + 2; from++)
		if (from != s->from && !is_awaited(s, from))
			refused(from, s->to, s->type, &m);
	m.head.operation ^= 1u << 16; /* another generation */
	refused(s->from, s->to, s->type, &m);
	m.head.operation = s->message.head.operation + 1;
	refused(s->from, s->to, s->type, &m);
	m = s->message;
	m.head.view++;
	refused(s->from, s->to, s->type, &m);
	m.head.view -= 2;
	refused(s->from, s->to, s->type, &m);
	m = s->message;
	m.head.size += PAGE;
	refused(s->from, s->to, s->type, &m);
	m = s->message;
	m.head.object += PAGE;
	refused(s->from, s->to, s->type, &m);

	deliver(s);
	refused(s->from, s->to, s->type, &s->message); /* once is enough */
}

/* ---- Answers ---- */

static cap_t begin(uint32_t number, enum cap_type type)
{
	return fetch(number, users_of(number, type, 16), true);
}

static void check_answers(const unsigned *types, unsigned count)
{
	for (unsigned k = 0; k < count; k++) {
		const struct sent s = run_until(types[k]);

		only_as_it_was(&s);
	}
	run();
	assert_quiet();
}
#define CHECK_ANSWERS(...) check_answers((const unsigned[]){__VA_ARGS__}, sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void test_answers_to_a_copy(void **state)
{
	(void)state;
	assert_true(is_ok(agreement_copy(&on(1)->agreement, 1, begin(1, CAP_Frame), RIGHTS_ALL, 2, RECIPIENT_USER, false)));
	CHECK_ANSWERS(AGREEMENT_installed, AGREEMENT_copied);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
}

static void test_answers_to_a_retype(void **state)
{
	(void)state;
	to_retype.slot = CAP(1, SLOTS - 1);
	assert_true(is_ok(agreement_retype(&on(1)->agreement, 1, begin(1, CAP_Frame), 16 * PAGE, PAGE)));
	CHECK_ANSWERS(AGREEMENT_found, AGREEMENT_found, AGREEMENT_retype_answer, AGREEMENT_retyped);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
}

static void test_answers_to_a_transfer(void **state)
{
	(void)state;
	assert_true(is_ok(agreement_delete(&on(0)->agreement, 1, begin(0, CAP_Frame))));
	CHECK_ANSWERS(AGREEMENT_taken_over, AGREEMENT_noted, AGREEMENT_noted, AGREEMENT_complete);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
}

static void test_answers_to_a_revoke(void **state)
{
	(void)state;
	assert_true(is_ok(agreement_revoke(&on(1)->agreement, 1, begin(1, CAP_Frame))));
	CHECK_ANSWERS(AGREEMENT_swept, AGREEMENT_swept, AGREEMENT_revoked);
	assert_int_equal(only_result()->error, ERR_NUMBER_OK);
}

static void test_only_the_asker_keeps(void **state)
{
	(void)state;
	assert_true(is_ok(agreement_revoke(&on(1)->agreement, 1, begin(1, CAP_Frame))));
	for (;;) {
		struct sent s = run_until(AGREEMENT_swept);

		if (s.from == 1 || s.to != 0) {
			deliver(&s);
			continue;
		}
		union agreement_message m = s.message;

		m.swept.kept = 1;
		refused(s.from, s.to, s.type, &m);
		deliver(&s);
		break;
	}
	run();
	assert_quiet();
}

static void test_result_before_the_sweep(void **state)
{
	(void)state;
	assert_true(is_ok(agreement_revoke(&on(1)->agreement, 1, begin(1, CAP_Frame))));
	const struct sent s = run_until(AGREEMENT_revoke);
	union agreement_message m = about_frame(s.message.head.operation, 0);

	m.revoked.owner = 1;
	refused(0, 1, AGREEMENT_revoked, &m); /* nothing has been swept here */
	m.revoked.error = ERR_NUMBER_CAP_EMPTY;
	m.revoked.owner = 2;
	refused(0, 1, AGREEMENT_revoked, &m); /* a third core */
	deliver(&s);
	run();
	assert_quiet();
}

/* ---- Questions ---- */

static void test_questions_of_who_does_not_own_it(void **state)
{
	union agreement_message m = about_frame(17, 2);

	(void)state;
	m.install.rights = RIGHTS_ALL;
	m.find.base = 16 * PAGE;
	refused(3, 1, AGREEMENT_install, &m); /* it names another owner than itself */
	m = about_frame(17, 2);
	m.find.base = 16 * PAGE;
	m.find.bytes = PAGE;
	refused(3, 1, AGREEMENT_find, &m);
	m = about_frame(17, 3);
	refused(3, 1, AGREEMENT_take_over, &m); /* core 1 knows that core 0 owns it */
	m.new_owner.owner = 2;
	refused(3, 1, AGREEMENT_new_owner, &m);
	m.new_owner.owner = 1;
	refused(0, 1, AGREEMENT_new_owner, &m); /* that is said in another way */
	m = about_frame(17, 3);
	refused(3, 1, AGREEMENT_sweep, &m);
	m = about_frame(17, 0);
	refused(3, 0, AGREEMENT_sweep, &m); /* the owner is not swept by others */
	m.sweep_asker.asker = 17;
	refused(0, 1, AGREEMENT_sweep_asker, &m); /* it has not asked */
}

static void test_loss_of_somebody_else(void **state)
{
	union agreement_message m = about_frame(0, 0);

	(void)state;
	m.gone.core = 2;
	refused(1, 0, AGREEMENT_gone, &m);
	refused(3, 0, AGREEMENT_gone, &m);
	assert_true(set_has(&entry(0, CAP_Frame, 16)->holders, 2));
}

static void test_lost_without_having_it(void **state)
{
	union agreement_message m = about_frame(0, 0);

	(void)state;
	m.head.object += 64 * PAGE;
	m.gone.core = 1;
	on(0);
	before = *here;
	agreement_receive(&here->agreement, 1, AGREEMENT_gone, m.words); /* a revoke may have overtaken it: no fault, no effect */
	before.agreement.statistics = here->agreement.statistics;
	assert_memory_equal(here, &before, sizeof(before));
	assert_int_equal(here->agreement.statistics.refused, 0);
}

static void test_members_business_without_a_change(void **state)
{
	static const unsigned types[] = {AGREEMENT_claim, AGREEMENT_adopt, AGREEMENT_cover, AGREEMENT_surround, AGREEMENT_still};
	static const unsigned about_nothing[] = {AGREEMENT_stage, AGREEMENT_settled, AGREEMENT_recount};
	union agreement_message m = about_frame(0, 0);

	(void)state;
	for (unsigned k = 0; k < sizeof types / sizeof types[0]; k++)
		refused(0, 1, types[k], &m);
	m.new_owner.owner = 2;
	refused(0, 1, AGREEMENT_new_owner, &m); /* the leader's has no number */
	memset(&m, 0, sizeof(m));
	m.head.view = VIEW;
	m.stage.stage = 1;
	for (unsigned k = 0; k < sizeof about_nothing / sizeof about_nothing[0]; k++)
		refused(0, 1, about_nothing[k], &m);
}

static void test_requests_of_who_has_nothing(void **state)
{
	union agreement_message m = about_frame(17, 0);

	(void)state;
	m.head.object += 64 * PAGE;
	m.copy.to = 2;
	agreement_receive(&on(0)->agreement, 1, AGREEMENT_copy, m.words);
	const struct sent copied = take();

	assert_int_equal(copied.type, AGREEMENT_copied);
	assert_int_equal(copied.message.copied.error, ERR_NUMBER_NOT_OWNER);
	assert_int_equal(copied.message.head.operation, 17);
	set_remove(&core[0].agreement.shared[0].holders, 1);
	m = about_frame(17, 0);
	agreement_receive(&on(0)->agreement, 1, AGREEMENT_revoke, m.words);
	assert_int_equal(take().message.revoked.error, ERR_NUMBER_CAP_EMPTY);
	m.retype.base = 16 * PAGE;
	m.retype.bytes = 3 * PAGE;
	refused(2, 0, AGREEMENT_retype, &m); /* more than the object */
	m.retype.bytes = 0;
	refused(2, 0, AGREEMENT_retype, &m);
	m = about_frame(17, 0);
	m.copy.rights = RIGHTS_ALL + 1;
	refused(2, 0, AGREEMENT_copy, &m);
}

/* ---- Malformed ones ---- */

static void test_malformed(void **state)
{
	const union agreement_message good = about_frame(1, 0);
	union agreement_message m = good;

	(void)state;
	for (unsigned type = 0; type < AGREEMENT_TYPES + 3; type++)
		if (agreement_bytes(type) == 0) {
			assert_string_equal(agreement_name(type), "unknown");
			refused(1, 0, type, &m);
		}
	assert_true(err_is(agreement_check(AGREEMENT_gone, 24, &m, CORES), ERR_NUMBER_MESSAGE));
	assert_true(is_ok(agreement_check(AGREEMENT_gone, 32, &m, CORES)));
	m.head.size = 0;
	refused(1, 0, AGREEMENT_gone, &m);
	m.head.size = UINT64_MAX - PAGE + 1;
	refused(1, 0, AGREEMENT_gone, &m);
	m.head.size = PAGE + 1;
	refused(1, 0, AGREEMENT_gone, &m);
	m = good;
	m.head.object = UINT64_MAX << 12 | CAP_Frame;
	refused(1, 0, AGREEMENT_gone, &m);
	m.head.object = 16 * PAGE | CAP_CNode; /* belongs to one core */
	refused(1, 0, AGREEMENT_gone, &m);
	m.head.object = 16 * PAGE | 15;
	refused(1, 0, AGREEMENT_gone, &m);
	m.head.object = 16 * PAGE | CORES << AGREEMENT_OWNER_SHIFT | CAP_Frame;
	refused(1, 0, AGREEMENT_gone, &m);
	m.head.object = 16 * PAGE | CAP_PageTable1; /* has one size */
	m.head.size = PAGE;
	refused(1, 0, AGREEMENT_gone, &m);
	m = good;
	m.gone.core = CORES;
	refused(1, 0, AGREEMENT_gone, &m);
	m = good;
	m.installed.holds = 2;
	refused(1, 0, AGREEMENT_installed, &m);
	m = good;
	m.copied.error = 256;
	refused(1, 0, AGREEMENT_copied, &m);
	refused(1, 0, AGREEMENT_settled, &good); /* is about no object */
}

static int set_up(void **state)
{
	(void)state;
	world_begin();
	shared_frame(0, 16, three, 3);
	for (uint32_t i = 0; i < CORES; i++)
		core[i].agreement.view = VIEW;
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_answers_to_a_copy),
	    TEST(test_answers_to_a_retype),
	    TEST(test_answers_to_a_transfer),
	    TEST(test_answers_to_a_revoke),
	    TEST(test_only_the_asker_keeps),
	    TEST(test_result_before_the_sweep),
	    TEST(test_questions_of_who_does_not_own_it),
	    TEST(test_loss_of_somebody_else),
	    TEST(test_lost_without_having_it),
	    TEST(test_members_business_without_a_change),
	    TEST(test_requests_of_who_has_nothing),
	    TEST(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
