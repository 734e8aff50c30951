// sources: monitor/revocation.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a domain is asked to give back, with one domain, a clock that the test turns, and an agreement that takes its time. Blocks are
 * numbers, and who asks is told once. Above all: what comes back is what the books say, in the order that is promised, and nothing is left
 * over. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/bind.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/clear.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/revocation.h"
#include "monitor/span.h"
#include "monitor/tickets.h"
#include "tests/hosted/random.h"

#define PARENT 0x10009
#define CHILD  0x20001
#define BLOCKS 6
#define BLOCK  0x100000u
#define FIRST  0x400000u /* bytes of the first block */
#define GRACE  500000u

static struct monitor *m;
static struct domain *d;
static uint64_t clock_us;
static unsigned answers, rings, returned, revoking, others, leaving;
static struct message_reclaimed answer;
static struct {
	enum monitor_event event;
	uint64_t words[5];
} told[64];
static unsigned tellings;

static uint64_t base_of(unsigned block)
{
	return 0x10000000 + block * UINT64_C(0x1000000);
}

/* ---- What the file calls ---- */

struct domain *domain_find(struct monitor *mm, uint32_t number)
{
	(void)mm;
	return number == CHILD && d->phase == DOMAIN_RUNNING ? d : NULL;
}

struct domain *domain_departing(struct monitor *mm, uint32_t number)
{
	(void)mm, (void)number;
	return NULL;
}

struct domain *domain_arriving(struct monitor *mm, uint32_t number)
{
	(void)mm, (void)number;
	return NULL;
}

uint32_t domain_lives_on(const struct monitor *mm, uint32_t number)
{
	(void)mm;
	return number >> 16;
}

void domain_event(struct monitor *mm, struct domain *to, enum monitor_event event, const uint64_t *words, unsigned count)
{
	(void)mm, (void)to;
	assert_true(tellings < sizeof(told) / sizeof(told[0]) && count <= 5);
	told[tellings].event = event;
	memcpy(told[tellings++].words, words, count * sizeof(words[0]));
}

void domain_end(struct monitor *mm, struct domain *who, enum end_cause cause, uint64_t status)
{
	who->cause = cause;
	who->status = status;
	who->phase = DOMAIN_STOPPING;
	revocation_domain_ends(mm, who);
}

uint64_t platform_now(void)
{
	return clock_us;
}

uint64_t platform_ticks(uint64_t microseconds)
{
	return microseconds;
}

void platform_ring(cap_t doorbell)
{
	(void)doorbell;
	rings++;
}

err_t capability_revoke_grant(struct monitor *mm, const struct domain *of, cap_t cap)
{
	(void)mm, (void)of, (void)cap;
	assert_int_equal(revoking, 0); /* one at a time */
	if (random_number() % 8 == 0)
		return ERR(LIMIT);
	revoking++;
	return OK;
}

err_t clear_slice(const struct block *b, uint64_t *cleared)
{
	*cleared += b->bytes / 2;
	return OK;
}

void block_give(struct monitor *mm, struct block *b)
{
	(void)mm;
	assert_true(b->bytes != 0);
	returned++;
	*b = (struct block){0};
}

err_t bind_close(struct monitor *mm, struct domain *of, uint32_t connection)
{
	struct connection *c = &mm->connection[connection & 0xffff];

	assert_int_equal(c->state, CONNECTION_OPEN);
	revocation_closes(of, c);
	c->state = CONNECTION_CLOSING;
	c->domain = 0;
	return OK;
}

unsigned span_others(const struct domain *of)
{
	(void)of;
	return others;
}

bool span_take(struct monitor *mm, struct domain *of)
{
	(void)mm, (void)of;
	if (others == 0)
		return false;
	others--;
	leaving++;
	return true;
}

bool span_is_taken(const struct domain *of)
{
	(void)of;
	return leaving > 0;
}

bool mesh_alive(const struct monitor *mm, uint32_t core)
{
	(void)mm;
	return core != 3;
}

bool mesh_send(struct monitor *mm, uint32_t core, enum message_type type, const void *message)
{
	(void)mm, (void)core;
	assert_int_equal(type, MESSAGE_reclaimed);
	memcpy(&answer, message, sizeof(answer));
	answers++;
	return true;
}

uint32_t ticket_open(struct monitor *mm, enum ticket_kind kind, uint32_t core, uint32_t domain, uint32_t tag, struct ticket **out)
{
	(void)mm, (void)kind, (void)core, (void)domain, (void)tag, (void)out;
	return 0;
}

struct ticket *ticket_find(struct monitor *mm, uint32_t number, enum ticket_kind kind, uint32_t from)
{
	(void)mm, (void)number, (void)kind, (void)from;
	return NULL;
}

void ticket_close(struct monitor *mm, struct ticket *t)
{
	(void)mm, (void)t;
	fail();
}

void report_line(struct monitor *mm, const char *format, ...)
{
	(void)mm, (void)format;
}

/* ---- The world ---- */

static int begin(void **state)
{
	(void)state;
	m = calloc(1, sizeof(*m));
	m->peers = 4;
	m->peer = calloc(4, sizeof(*m->peer));
	d = m->domain;
	*d = (struct domain){.phase = DOMAIN_RUNNING, .number = CHILD, .span = CHILD, .parent = PARENT, .block = {0x1000, FIRST, CAP_NULL}};
	for (unsigned i = 0; i < BLOCKS; i++)
		d->grant_of[i] = (struct grant){.block = {base_of(i), BLOCK, CAP(1, i)}, .order = ++d->granted};
	for (unsigned i = 0; i < BLOCKS; i++)
		m->connection[i] = (struct connection){.state = CONNECTION_OPEN,
		                                       .number = 0x10000 | i,
		                                       .domain = CHILD,
		                                       .peer_domain = PARENT,
		                                       .order = i,
		                                       .link = i == 5}; /* between members: nobody's to ask for */
	answers = rings = returned = revoking = leaving = tellings = 0;
	others = 3;
	clock_us = 1000;
	random_state = 1;
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	free(m->peer);
	free(m);
	return 0;
}

static void reclaim(enum revocation_kind kind, uint64_t amount, uint32_t ms)
{
	handle_reclaim(
	    m, 1, &(struct message_reclaim){.ticket = 7, .domain = CHILD, .by = PARENT, .kind = kind, .deadline_ms = ms, .amount = amount});
}

static bool step(void)
{
	bool more = false;
	uint64_t due = revocations_step(m, clock_us, &more);

	if (revoking > 0 && random_number() % 2 == 0) {
		revoking = 0;
		revocation_revoked(m, CHILD, OK);
		more = true;
	}
	return more || due != 0 || revoking > 0;
}

static void settle(void)
{
	for (unsigned i = 0; i < 200; i++) {
		if (m->revocations == 0 && revoking == 0)
			return;
		(void)step();
	}
}

static void assert_refused(unsigned error)
{
	assert_int_equal(answers, 1);
	assert_int_equal(answer.error, error);
	assert_int_equal(answer.ticket, 7);
	answers = 0;
	tellings = 0;
}

static void assert_result(uint64_t given, uint64_t taken)
{
	assert_int_equal(answers, 1);
	assert_int_equal(answer.error, ERR_NUMBER_OK);
	assert_int_equal(answer.given, given);
	assert_int_equal(answer.taken, taken);
	assert_int_equal(d->revocation.kind, REVOKE_NOTHING);
}

/* The blocks that the domain heard it loses, in that order. */
static void assert_taken(unsigned at, enum revocation_kind kind, uint64_t what)
{
	assert_true(at < tellings);
	assert_int_equal(told[at].event, EVENT_taken);
	assert_int_equal(told[at].words[2], kind);
	assert_int_equal(told[at].words[3], what);
}

/* ---- Tests ---- */

static void test_what_nobody_may_ask(void **state)
{
	const struct message_reclaim stranger = {.ticket = 7, .domain = CHILD, .by = 0x30001, .kind = REVOKE_MEMORY, .amount = 1};
	const struct message_reclaim nobody = {.ticket = 7, .domain = 77, .by = PARENT, .kind = REVOKE_MEMORY, .amount = 1};

	(void)state;
	handle_reclaim(m, 1, &stranger);
	assert_refused(ERR_NUMBER_PERMISSION);
	handle_reclaim(m, 1, &nobody);
	assert_refused(ERR_NUMBER_NOT_FOUND);
	reclaim(REVOKE_NOTHING, 1, 1);
	assert_refused(ERR_NUMBER_ARGUMENT);
	reclaim(REVOCATION_KINDS, 1, 1);
	assert_refused(ERR_NUMBER_ARGUMENT);
	reclaim(REVOKE_MEMORY, 0, 1);
	assert_refused(ERR_NUMBER_ARGUMENT);
	reclaim(REVOKE_MEMORY, 1, REVOCATION_DEADLINE_MS + 1);
	assert_refused(ERR_NUMBER_ARGUMENT);
	reclaim(REVOKE_MEMORY, FIRST + BLOCKS * BLOCK + 1, 1);
	assert_refused(ERR_NUMBER_RANGE);
	reclaim(REVOKE_CORES, 4, 1);
	assert_refused(ERR_NUMBER_RANGE);
	reclaim(REVOKE_CHANNELS, 6, 1);
	assert_refused(ERR_NUMBER_RANGE);
	m->acpi = CHILD;
	reclaim(REVOKE_MEMORY, 1, 1);
	assert_refused(ERR_NUMBER_PERMISSION);
	assert_int_equal(rings, 0);
}

static void test_who_complies_loses_nothing(void **state)
{
	(void)state;
	reclaim(REVOKE_MEMORY, 2 * BLOCK, 100);
	assert_int_equal(told[0].event, EVENT_revoke);
	assert_int_equal(rings, 1);
	assert_true(is_ok(revocation_give_back(m, d, REVOKE_MEMORY, base_of(1))));
	settle();
	assert_int_equal(answers, 0);
	assert_int_equal(returned, 1); /* at once, not only when all is there */
	assert_true(is_ok(revocation_give_back(m, d, REVOKE_MEMORY, base_of(4))));
	settle();
	assert_result(2 * BLOCK, 0);
	assert_int_equal(returned, 2);
	assert_int_equal(tellings, 1);
}

static void test_lies(void **state)
{
	(void)state;
	assert_true(err_is(revocation_given_back(d), ERR_NUMBER_STATE));
	reclaim(REVOKE_MEMORY, 2 * BLOCK, 100);
	assert_true(err_is(revocation_give_back(m, d, REVOKE_MEMORY, d->block.base), ERR_NUMBER_NOT_FOUND));
	assert_true(err_is(revocation_give_back(m, d, REVOKE_MEMORY, base_of(1) + PAGE_BYTES), ERR_NUMBER_NOT_FOUND));
	assert_true(err_is(revocation_give_back(m, d, REVOKE_CORES, 1), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(revocation_give_back(m, d, REVOKE_CHANNELS, 0x10000), ERR_NUMBER_NOT_FOUND));
	assert_true(is_ok(revocation_give_back(m, d, REVOKE_MEMORY, base_of(1))));
	assert_true(err_is(revocation_give_back(m, d, REVOKE_MEMORY, base_of(1)), ERR_NUMBER_STATE));
	assert_true(is_ok(revocation_given_back(d)));
	(void)step();
	assert_taken(1, REVOKE_MEMORY, base_of(5)); /* it is not waited for */
	clock_us += GRACE;
	settle();
	assert_result(BLOCK, BLOCK);
	assert_int_equal(returned, 2);
}

static void test_what_is_taken_first_and_last(void **state)
{
	(void)state;
	assert_true(is_ok(revocation_keep(d, base_of(5))));
	assert_true(is_ok(revocation_keep(d, base_of(2))));
	assert_true(err_is(revocation_keep(d, base_of(BLOCKS)), ERR_NUMBER_NOT_FOUND));
	reclaim(REVOKE_MEMORY, BLOCKS * BLOCK, 100);
	clock_us += 99999;
	(void)step();
	assert_int_equal(tellings, 1);
	clock_us += 1;
	(void)step();
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_taken(i + 1, REVOKE_MEMORY, base_of((const unsigned[]){4, 3, 1, 0, 5, 2}[i]));
	clock_us += GRACE;
	settle();
	assert_result(0, BLOCKS * BLOCK);
	assert_int_equal(returned, BLOCKS);
	assert_int_equal(d->phase, DOMAIN_RUNNING);
}

static void test_grace_goes_on_while_it_forgets(void **state)
{
	(void)state;
	reclaim(REVOKE_MEMORY, 2 * BLOCK, 0);
	(void)step();
	clock_us += GRACE - 1;
	assert_true(is_ok(revocation_give_back(m, d, REVOKE_MEMORY, base_of(4))));
	clock_us += GRACE - 1;
	(void)step();
	assert_int_equal(d->grant_of[5].state, GRANT_WARNED);
	clock_us += 1;
	settle();
	assert_result(0, 2 * BLOCK);
}

static void test_everything_is_its_end(void **state)
{
	(void)state;
	reclaim(REVOKE_MEMORY, FIRST + BLOCKS * BLOCK, 0);
	(void)step();
	assert_int_equal(d->phase, DOMAIN_STOPPING);
	assert_int_equal(d->cause, END_REVOKED);
	assert_int_equal(answers, 0); /* it is not back yet */
	revocation_domain_over(m, d);
	assert_result(0, FIRST + BLOCKS * BLOCK);
}

static void test_who_dies_gives_all(void **state)
{
	(void)state;
	reclaim(REVOKE_MEMORY, BLOCK, 100);
	reclaim(REVOKE_CHANNELS, 1, 100);
	assert_refused(ERR_NUMBER_REVOKING);
	domain_end(m, d, END_EXIT, 0);
	assert_refused(ERR_NUMBER_PEER_GONE);
	revocation_domain_over(m, d);
	settle();
	assert_int_equal(answers, 0);
}

static void test_cores(void **state)
{
	(void)state;
	reclaim(REVOKE_CORES, 3, 50);
	others--;
	revocation_member_gone(d, false);
	clock_us += 50000;
	(void)step();
	assert_int_equal(leaving, 2);
	(void)step();
	assert_int_equal(answers, 0);
	leaving = 0;
	revocation_member_gone(d, true);
	revocation_member_gone(d, true);
	settle();
	assert_result(1, 2);
}

static void test_connections(void **state)
{
	(void)state;
	reclaim(REVOKE_CHANNELS, 3, 50);
	m->connection[6] =
	    (struct connection){.state = CONNECTION_OPEN, .number = 0x10006, .domain = CHILD, .peer_domain = PARENT, .order = 9};
	assert_true(is_ok(bind_close(m, d, 0x10006))); /* was not there when it was asked: does not count */
	assert_true(is_ok(bind_close(m, d, 0x10004)));
	assert_true(is_ok(revocation_given_back(d)));
	(void)step();
	assert_taken(1, REVOKE_CHANNELS, 0x10003);
	assert_taken(2, REVOKE_CHANNELS, 0x10002);
	assert_true(is_ok(revocation_give_back(m, d, REVOKE_CHANNELS, 0x10003)));
	(void)step();
	assert_int_equal(answers, 0);
	clock_us += GRACE;
	settle();
	assert_result(1, 2);
	assert_int_equal(m->connection[5].state, CONNECTION_OPEN);
	assert_int_equal(m->connection[1].state, CONNECTION_OPEN);
	assert_false(m->connection[1].asked);
}

/* A block that nobody has asked for. */
static void test_a_gift(void **state)
{
	(void)state;
	assert_true(is_ok(revocation_give_back(m, d, REVOKE_MEMORY, base_of(0))));
	settle();
	assert_int_equal(returned, 1);
	assert_int_equal(answers, 0);
}

static void test_a_core_dies_meanwhile(void **state)
{
	(void)state;
	reclaim(REVOKE_MEMORY, BLOCK, 0);
	(void)step();
	clock_us += GRACE;
	while (revoking == 0)
		(void)revocations_step(m, clock_us, &(bool){false});
	assert_true(revocation_busy(d));
	revoking = 0;
	revocation_revoked(m, CHILD, ERR(CORE_DEAD));
	assert_int_equal(d->grant_of[5].state, GRANT_GIVEN); /* once more */
	settle();
	assert_result(0, BLOCK);
}

static void act(void)
{
	const unsigned n = random_number() % BLOCKS;

	switch (random_number() % 12) {
	case 0:
		if (random_number() % 2 != 0)
			reclaim(REVOKE_MEMORY, 1 + random_number() % (4 * BLOCK), random_number() % 3);
		else
			reclaim(random_number() % 2 != 0 ? REVOKE_CORES : REVOKE_CHANNELS, 1 + random_number() % 3, random_number() % 3);
		break;
	case 1:
		(void)!is_ok(revocation_give_back(m, d, REVOKE_MEMORY, base_of(n)));
		break;
	case 2:
		(void)!is_ok(revocation_given_back(d));
		break;
	case 3:
		if (m->connection[n].state == CONNECTION_OPEN)
			(void)!is_ok(bind_close(m, d, m->connection[n].number));
		break;
	case 4:
		(void)!is_ok(revocation_give_back(m, d, REVOKE_CHANNELS, 0x10000 | n));
		break;
	case 5:
		(void)!is_ok(revocation_keep(d, base_of(n)));
		break;
	case 6:
		for (; leaving > 0; leaving--)
			revocation_member_gone(d, true);
		break;
	case 7:
		clock_us += random_number() % GRACE;
		break;
	default:
		(void)step();
	}
}

/* Whatever is done: who has asked hears once, blocks are free or the domain's, and at rest nothing is half-way. */
static void test_anything(void **state)
{
	for (unsigned seed = 1; seed <= 2000; seed++) {
		unsigned held = 0, gone = 0;

		end_world(state);
		begin(state);
		random_state = seed;
		for (unsigned i = 0; i < 60 && d->phase == DOMAIN_RUNNING; i++) {
			unsigned before = answers;
			bool asked = d->revocation.kind != REVOKE_NOTHING;

			act();
			assert_true(answers <= before + 1);
			assert_true(answers == before || asked || answer.error != ERR_NUMBER_OK);
		}
		for (unsigned i = 0; i < 8 && d->phase == DOMAIN_RUNNING; i++) {
			clock_us += GRACE;
			leaving = 0;
			settle();
		}
		for (unsigned i = 0; i < BLOCKS; i++) {
			gone += d->grant_of[i].block.bytes == 0;
			held += d->grant_of[i].block.bytes != 0;
			assert_true(d->phase != DOMAIN_RUNNING || d->grant_of[i].state == GRANT_HELD);
		}
		assert_int_equal(gone, returned);
		assert_int_equal(gone + held, BLOCKS);
		assert_true(d->phase != DOMAIN_RUNNING || d->revocation.kind == REVOKE_NOTHING);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_nobody_may_ask),
	    TEST(test_who_complies_loses_nothing),
	    TEST(test_lies),
	    TEST(test_what_is_taken_first_and_last),
	    TEST(test_grace_goes_on_while_it_forgets),
	    TEST(test_everything_is_its_end),
	    TEST(test_who_dies_gives_all),
	    TEST(test_cores),
	    TEST(test_connections),
	    TEST(test_a_gift),
	    TEST(test_a_core_dies_meanwhile),
	    TEST(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
