// sources: monitor/names.c monitor/tickets.c monitor/messages.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The first monitor's names and the tickets of questions, with a mesh that only remembers what was sent. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/bind.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/names.h"
#include "monitor/span.h"
#include "monitor/tickets.h"
#include "monitor/voice.h"

/* ---- What surrounds them ---- */

static struct monitor m;
static struct peer peers[4];

static struct {
	uint32_t core;
	enum message_type type;
	union message message;
} sent[16];
static unsigned sents;
static struct platform_reply replied;
static unsigned replies, abandoned, events;
static enum monitor_event last_event;
static uint64_t last_words[CHANNEL_WORDS];

bool mesh_send(struct monitor *mm, uint32_t core, enum message_type type, const void *message)
{
	(void)mm;
	assert_true(sents < 16);
	sent[sents].core = core;
	sent[sents].type = type;
	memcpy(&sent[sents].message, message, message_bytes(type) ? message_bytes(type) : sizeof(union message));
	sents++;
	return true;
}


bool introduction_failed(struct monitor *mm, const struct ticket *t, err_t e)
{
	(void)mm, (void)t, (void)e;
	return false;
}

struct domain *domain_find(struct monitor *mm, uint32_t number)
{
	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		if (number != 0 && mm->domain[i].number == number)
			return &mm->domain[i];
	return NULL;
}

void domain_event(struct monitor *mm, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count)
{
	(void)mm, (void)d;
	events++;
	last_event = event;
	memset(last_words, 0, sizeof(last_words));
	memcpy(last_words, words, count * sizeof(uint64_t));
}

void domain_bound_failed(struct monitor *mm, struct domain *d, uint32_t tag, err_t e)
{
	domain_event(mm, d, EVENT_bound, (uint64_t[]){tag, e.number}, 2);
}

void span_link_bound(struct monitor *mm, struct domain *d, err_t e)
{
	(void)mm, (void)d, (void)e;
}

void connection_abandon(struct monitor *mm, uint32_t number)
{
	(void)mm, (void)number;
	abandoned++;
}

void platform_reply(const struct platform_reply *reply)
{
	replied = *reply;
	replies++;
}

void voice_begin(struct monitor *mm, struct domain *console)
{
	(void)mm, (void)console;
}

static int begin(void **state)
{
	(void)state;
	names_forget_core(&m, 0);
	names_forget_core(&m, 1);
	names_forget_core(&m, 2);
	memset(&m, 0, sizeof(m));
	memset(peers, 0, sizeof(peers));
	m.peer = peers;
	m.peers = 4;
	sents = replies = abandoned = events = 0;
	return 0;
}

#define DOMAIN(core, n) ((uint32_t)(core) << 16 | (n))

static void offer(uint32_t from, uint32_t domain, const char *name, enum err_number expected)
{
	struct message_offer o = {.ticket = 77, .domain = domain};

	strcpy(o.name, name);
	sents = 0;
	handle_offer(&m, from, &o);
	assert_int_equal(sent[sents - 1].type, MESSAGE_offered);
	assert_int_equal(sent[sents - 1].core, from);
	assert_int_equal(sent[sents - 1].message.offered.ticket, 77);
	assert_int_equal(sent[sents - 1].message.offered.error, expected);
}

static void resolve(uint32_t from, uint32_t ticket, uint32_t domain, const char *name)
{
	struct message_resolve r = {.ticket = ticket, .domain = domain};

	strcpy(r.name, name);
	sents = 0;
	handle_resolve(&m, from, &r);
}

/* ---- Names ---- */

static void test_offer_and_resolve(void **state)
{
	(void)state;
	offer(1, DOMAIN(1, 5), "service", ERR_NUMBER_OK);
	offer(2, DOMAIN(2, 1), "service", ERR_NUMBER_EXISTS);
	resolve(2, 9, DOMAIN(2, 1), "service");
	assert_int_equal(sents, 1);
	assert_int_equal(sent[0].message.resolved.server, DOMAIN(1, 5));
	assert_int_equal(sent[0].message.resolved.ticket, 9);
	handle_withdraw(&m, 1, &(struct message_withdraw){.domain = DOMAIN(1, 5)});
	resolve(2, 10, DOMAIN(2, 1), "service");
	assert_int_equal(sents, 0);
}

static void test_a_core_speaks_only_for_its_own_domains(void **state)
{
	(void)state;
	offer(2, DOMAIN(1, 5), "service", ERR_NUMBER_PERMISSION);
	offer(1, DOMAIN(1, 5), "service", ERR_NUMBER_OK);
	handle_withdraw(&m, 2, &(struct message_withdraw){.domain = DOMAIN(1, 5)});
	resolve(2, 9, DOMAIN(2, 1), "service");
	assert_int_equal(sents, 1);
}

static void test_clients_may_come_first(void **state)
{
	struct message_offer o = {.ticket = 1, .domain = DOMAIN(0, 3), .name = "late"};

	(void)state;
	resolve(1, 11, DOMAIN(1, 1), "late");
	resolve(2, 12, DOMAIN(2, 1), "late");
	resolve(2, 13, DOMAIN(2, 2), "never");
	resolve(2, 14, DOMAIN(2, 3), "late");
	handle_forget(&m, 2, &(struct message_forget){.domain = DOMAIN(2, 3)});
	sents = 0;
	handle_offer(&m, 0, &o);
	assert_int_equal(sents, 3);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(sent[i].type, MESSAGE_resolved);
		assert_int_equal(sent[i].message.resolved.server, DOMAIN(0, 3));
		assert_int_equal(sent[i].message.resolved.ticket, sent[i].core == 1 ? 11 : 12);
	}
	assert_int_not_equal(sent[0].core, sent[1].core);
}

static void test_a_lost_core_takes_its_names_along(void **state)
{
	(void)state;
	offer(1, DOMAIN(1, 5), "one", ERR_NUMBER_OK);
	offer(2, DOMAIN(2, 5), "two", ERR_NUMBER_OK);
	names_forget_core(&m, 1);
	resolve(0, 9, DOMAIN(0, 1), "two");
	assert_int_equal(sents, 1);
	offer(2, DOMAIN(2, 6), "one", ERR_NUMBER_OK);
}

static void test_too_many_names(void **state)
{
	char name[SERVICE_NAME_BYTES];

	(void)state;
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		offer(1, DOMAIN(1, 1), name, ERR_NUMBER_OK);
	}
	offer(1, DOMAIN(1, 1), "more", ERR_NUMBER_LIMIT);
}

/* ---- Tickets ---- */

static void test_only_who_was_asked_may_answer(void **state)
{
	struct ticket *t;
	uint32_t number;

	(void)state;
	m.domain[0].number = DOMAIN(0, 1);
	number = ticket_open(&m, TICKET_SPAWN, 2, DOMAIN(0, 1), 5, &t);
	assert_int_not_equal(number, 0);
	assert_int_equal(m.domain[0].tickets, 1);
	assert_null(ticket_find(&m, number, TICKET_SPAWN, 1));
	assert_null(ticket_find(&m, number, TICKET_WAIT, 2));
	assert_null(ticket_find(&m, number + 1, TICKET_SPAWN, 2));
	assert_null(ticket_find(&m, number ^ 1 << 16, TICKET_SPAWN, 2));
	assert_null(ticket_find(&m, UINT32_MAX, TICKET_SPAWN, 2));
	assert_ptr_equal(ticket_find(&m, number, TICKET_SPAWN, 2), t);
	ticket_close(&m, t);
	assert_null(ticket_find(&m, number, TICKET_SPAWN, 2));
	assert_int_equal(m.domain[0].tickets, 0);
}

static void test_an_old_answer_does_not_fit_a_new_question(void **state)
{
	struct ticket *t;
	uint32_t first, second;

	(void)state;
	first = ticket_open(&m, TICKET_KILL, 1, 0, 0, &t);
	ticket_close(&m, t);
	second = ticket_open(&m, TICKET_KILL, 1, 0, 0, &t);
	assert_int_not_equal(first, second);
	assert_null(ticket_find(&m, first, TICKET_KILL, 1));
	first = second;
	second = ticket_renew(&m, t, TICKET_KILL, 3);
	assert_null(ticket_find(&m, first, TICKET_KILL, 1));
	assert_non_null(ticket_find(&m, second, TICKET_KILL, 3));
}

static void test_failures_reach_who_asked(void **state)
{
	struct ticket *t;

	(void)state;
	m.domain[0].number = DOMAIN(0, 1);
	(void)ticket_open(&m, TICKET_WAIT, 1, DOMAIN(0, 1), 5, &t);
	t->value = DOMAIN(1, 9);
	ticket_fail(&m, t, ERR(CORE_DEAD));
	assert_int_equal(last_event, EVENT_ended);
	assert_int_equal(last_words[0], 5);
	assert_int_equal(last_words[1], ERR_NUMBER_OK);
	assert_int_equal(last_words[2], DOMAIN(1, 9));
	assert_int_equal(last_words[4], END_CORE);

	(void)ticket_open(&m, TICKET_OFFER, 1, DOMAIN(0, 1), 0, &t);
	t->token = 42;
	ticket_fail(&m, t, ERR(CORE_DEAD));
	assert_int_equal(replies, 1);
	assert_int_equal(replied.token, 42);
	assert_int_equal(replied.word[0], ERR_NUMBER_CORE_DEAD);

	(void)ticket_open(&m, TICKET_CONNECT, 1, DOMAIN(0, 1), 6, &t);
	ticket_fail(&m, t, ERR(LIMIT));
	assert_int_equal(abandoned, 1);
	assert_int_equal(last_event, EVENT_bound);
	assert_int_equal(last_words[1], ERR_NUMBER_LIMIT);

	events = 0;
	(void)ticket_open(&m, TICKET_SPAWN, 1, DOMAIN(0, 77), 6, &t); /* has ended */
	ticket_fail(&m, t, ERR(LIMIT));
	assert_int_equal(events, 0);
}

static void test_too_many_tickets(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		assert_int_not_equal(ticket_open(&m, TICKET_LIST, 1, 0, 0, NULL), 0);
	assert_int_equal(ticket_open(&m, TICKET_LIST, 1, 0, 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_offer_and_resolve, begin),
	    cmocka_unit_test_setup(test_a_core_speaks_only_for_its_own_domains, begin),
	    cmocka_unit_test_setup(test_clients_may_come_first, begin),
	    cmocka_unit_test_setup(test_a_lost_core_takes_its_names_along, begin),
	    cmocka_unit_test_setup(test_too_many_names, begin),
	    cmocka_unit_test_setup(test_only_who_was_asked_may_answer, begin),
	    cmocka_unit_test_setup(test_an_old_answer_does_not_fit_a_new_question, begin),
	    cmocka_unit_test_setup(test_failures_reach_who_asked, begin),
	    cmocka_unit_test_setup(test_too_many_tickets, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
