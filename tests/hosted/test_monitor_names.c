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
#include "monitor/whereabouts.h"

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

uint32_t domain_lives_on(const struct monitor *mm, uint32_t number)
{
	(void)mm;
	return domain_core_of(number);
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

void voice_begin(struct monitor *mm, struct domain *console, uint32_t service)
{
	(void)mm, (void)console, (void)service;
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
		offer(1, DOMAIN(1, 1 + i / SERVICES_EACH), name, ERR_NUMBER_OK);
	}
	offer(1, DOMAIN(1, 1 + NAMES_MAX), "more", ERR_NUMBER_LIMIT);
}

static void test_too_many_names_of_one_domain(void **state)
{
	char name[SERVICE_NAME_BYTES];

	(void)state;
	for (unsigned i = 0; i < SERVICES_EACH; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		offer(1, DOMAIN(1, 1), name, ERR_NUMBER_OK);
	}
	offer(1, DOMAIN(1, 1), "more", ERR_NUMBER_LIMIT);
	offer(1, DOMAIN(1, 1), "n3", ERR_NUMBER_EXISTS);
	offer(1, DOMAIN(1, 2), "more", ERR_NUMBER_OK);
	handle_withdraw(&m, 1, &(struct message_withdraw){.ticket = 5, .domain = DOMAIN(1, 1), .name = "n3"});
	offer(1, DOMAIN(1, 1), "n3", ERR_NUMBER_OK);
}

/* The server knows a service by a number of its own. */
static void test_which_service_it_is(void **state)
{
	struct message_offer one = {.domain = DOMAIN(1, 5), .service = 8, .name = "one"};
	struct message_offer two = {.domain = DOMAIN(1, 5), .service = 17, .name = "two"};

	(void)state;
	resolve(2, 9, DOMAIN(2, 1), "two");
	handle_offer(&m, 1, &one);
	sents = 0;
	handle_offer(&m, 1, &two);
	assert_int_equal(sents, 2); /* who has waited; who offers */
	assert_int_equal(sent[0].message.resolved.service, 17);
	resolve(2, 10, DOMAIN(2, 1), "one");
	assert_int_equal(sent[0].message.resolved.server, DOMAIN(1, 5));
	assert_int_equal(sent[0].message.resolved.service, 8);
}

#define SPOKEN UINT64_C(0xd00df00d12345678)

/* The first sent message answers a question. */
static void assert_resolved(uint32_t core, uint32_t ticket, enum err_number error)
{
	assert_int_equal(sents, 1);
	assert_int_equal(sent[0].type, MESSAGE_resolved);
	assert_int_equal(sent[0].core, core);
	assert_int_equal(sent[0].message.resolved.ticket, ticket);
	assert_int_equal(sent[0].message.resolved.error, error);
}

static void ask_for(uint32_t ticket, const char *name, uint64_t interface, bool now)
{
	struct message_resolve r = {.ticket = ticket, .domain = DOMAIN(2, 1), .interface = interface, .now = now};

	strcpy(r.name, name);
	sents = 0;
	handle_resolve(&m, 2, &r);
}

static void test_who_asks_for_an_interface_gets_no_other(void **state)
{
	struct message_offer typed = {.ticket = 1, .domain = DOMAIN(1, 5), .interface = SPOKEN, .name = "typed"};

	(void)state;
	ask_for(7, "typed", SPOKEN + 1, false);
	assert_int_equal(sents, 0);
	handle_offer(&m, 1, &typed);
	assert_int_equal(sents, 2);
	sents = 1; /* the answer to who has waited; then comes the one to who offers */
	assert_resolved(2, 7, ERR_NUMBER_INTERFACE);
	offer(1, DOMAIN(1, 6), "untyped", ERR_NUMBER_OK);
	ask_for(8, "typed", SPOKEN, false);
	assert_resolved(2, 8, ERR_NUMBER_OK);
	ask_for(9, "typed", 0, false);
	assert_resolved(2, 9, ERR_NUMBER_OK);
	ask_for(10, "typed", SPOKEN + 1, true);
	assert_resolved(2, 10, ERR_NUMBER_INTERFACE);
	ask_for(11, "untyped", SPOKEN, false);
	assert_resolved(2, 11, ERR_NUMBER_INTERFACE);
}

static void test_who_does_not_wait_hears_at_once(void **state)
{
	(void)state;
	ask_for(7, "never", 0, true);
	assert_resolved(2, 7, ERR_NUMBER_NOT_FOUND);
	assert_null(m.name_waiters);
}

static void test_one_question_is_forgotten_the_others_stay(void **state)
{
	struct message_offer late = {.ticket = 1, .domain = DOMAIN(0, 3), .name = "late"};

	(void)state;
	ask_for(7, "late", 0, false);
	ask_for(8, "late", 0, false);
	handle_forget(&m, 1, &(struct message_forget){.domain = DOMAIN(2, 1), .ticket = 8}); /* not its domain's core */
	handle_forget(&m, 2, &(struct message_forget){.domain = DOMAIN(2, 1), .ticket = 7});
	sents = 0;
	handle_offer(&m, 0, &late);
	assert_int_equal(sents, 2);
	sents = 1;
	assert_resolved(2, 8, ERR_NUMBER_OK);
}

static void withdraw(uint32_t from, uint32_t domain, const char *name, enum err_number expected)
{
	struct message_withdraw w = {.ticket = 5, .domain = domain};

	strcpy(w.name, name);
	sents = 0;
	handle_withdraw(&m, from, &w);
	assert_int_equal(sents, 1);
	assert_int_equal(sent[0].type, MESSAGE_offered);
	assert_int_equal(sent[0].message.offered.ticket, 5);
	assert_int_equal(sent[0].message.offered.error, expected);
}

static void test_a_server_withdraws_its_own_names(void **state)
{
	(void)state;
	offer(1, DOMAIN(1, 5), "one", ERR_NUMBER_OK);
	offer(1, DOMAIN(1, 5), "two", ERR_NUMBER_OK);
	withdraw(1, DOMAIN(1, 6), "one", ERR_NUMBER_NOT_FOUND);
	withdraw(2, DOMAIN(1, 5), "one", ERR_NUMBER_NOT_FOUND);
	withdraw(1, DOMAIN(1, 5), "three", ERR_NUMBER_NOT_FOUND);
	withdraw(1, DOMAIN(1, 5), "one", ERR_NUMBER_OK);
	withdraw(1, DOMAIN(1, 5), "one", ERR_NUMBER_NOT_FOUND);
	ask_for(9, "two", 0, true);
	assert_resolved(2, 9, ERR_NUMBER_OK);
	offer(2, DOMAIN(2, 5), "one", ERR_NUMBER_OK);
}

static void test_names_are_listed(void **state)
{
	const struct message_name_listed *record = &sent[0].message.name_listed;
	struct message_offer typed = {.ticket = 1, .domain = DOMAIN(1, 5), .interface = SPOKEN, .name = "typed"};

	(void)state;
	handle_offer(&m, 1, &typed);
	sents = 0;
	handle_list_names(&m, 3, &(struct message_list_names){.ticket = 4});
	assert_int_equal(sents, 2);
	assert_int_equal(record->ticket, 4);
	assert_int_equal(record->domain, DOMAIN(1, 5));
	assert_true(record->interface == SPOKEN);
	assert_string_equal(record->name, "typed");
	assert_int_equal(record->last, 0);
	assert_int_equal(sent[1].message.name_listed.last, 1);
	assert_int_equal(sent[1].message.name_listed.next, 0);
	sents = 0;
	handle_list_names(&m, 3, &(struct message_list_names){.ticket = 4, .first = UINT32_MAX});
	assert_int_equal(sents, 1);
	assert_int_equal(record->last, 1);
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
	    cmocka_unit_test_setup(test_too_many_names_of_one_domain, begin),
	    cmocka_unit_test_setup(test_which_service_it_is, begin),
	    cmocka_unit_test_setup(test_who_asks_for_an_interface_gets_no_other, begin),
	    cmocka_unit_test_setup(test_who_does_not_wait_hears_at_once, begin),
	    cmocka_unit_test_setup(test_one_question_is_forgotten_the_others_stay, begin),
	    cmocka_unit_test_setup(test_a_server_withdraws_its_own_names, begin),
	    cmocka_unit_test_setup(test_names_are_listed, begin),
	    cmocka_unit_test_setup(test_only_who_was_asked_may_answer, begin),
	    cmocka_unit_test_setup(test_an_old_answer_does_not_fit_a_new_question, begin),
	    cmocka_unit_test_setup(test_failures_reach_who_asked, begin),
	    cmocka_unit_test_setup(test_too_many_tickets, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
