// sources: monitor/listing.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The listing of a core's agreement, page by page, from the tables to the buffer of the domain that asked. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/balance.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/platform.h"
#include "monitor/tickets.h"

#define TICKET 7

/* ---- What surrounds it: what one core sends the same core receives ---- */

static struct monitor *m;
static struct ticket ticket;
static struct domain domain;
static _Alignas(PAGE_BYTES) uint8_t start[DOMAIN_START_BYTES];
static uint64_t done[4];
static unsigned dones, sent;

bool mesh_send(struct monitor *mm, uint32_t core, unsigned type, const void *message)
{
	assert_int_equal(core, 3);
	assert_int_equal(type, MESSAGE_agreement_listed);
	sent++;
	handle_agreement_listed(mm, 5, message);
	return true;
}

struct ticket *ticket_find(struct monitor *mm, uint32_t number, enum ticket_kind kind, uint32_t from)
{
	(void)mm;
	return number == TICKET && kind == TICKET_LIST && from == 5 && ticket.kind == TICKET_LIST ? &ticket : NULL;
}

void ticket_close(struct monitor *mm, struct ticket *t)
{
	(void)mm;
	t->kind = TICKET_FREE;
}

struct domain *domain_find(struct monitor *mm, uint32_t number)
{
	(void)mm;
	return number == domain.number ? &domain : NULL;
}

void domain_event(struct monitor *mm, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count)
{
	(void)mm;
	assert_ptr_equal(d, &domain);
	assert_int_equal(event, EVENT_done);
	assert_int_equal(count, 4);
	memcpy(done, words, sizeof(done));
	dones++;
}

static unsigned counted;

void balance_note(struct monitor *mm)
{
	(void)mm;
}

struct balance balance_now(struct monitor *mm)
{
	(void)mm;
	counted++;
	return (struct balance){.ram = 77 * PAGE_BYTES, .capabilities = 5, .channels = 3};
}

void platform_counters(uint64_t counters[CORE_COUNTERS])
{
	for (unsigned i = 0; i < CORE_COUNTERS; i++)
		counters[i] = 100 + i;
}

static int begin(void **state)
{
	(void)state;
	m = calloc(1, sizeof(*m));
	assert_non_null(m);
	domain = (struct domain){.number = 11, .start = start};
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(m);
	return 0;
}

/* The records of a page, in the domain's buffer. */
static const struct agreement_info *list(uint32_t first, unsigned *count)
{
	ticket = (struct ticket){.kind = TICKET_LIST, .domain = 11, .tag = 99};
	memset(start, 0, sizeof(start));
	dones = sent = 0;
	handle_list_agreement(m, 3, &(struct message_list_agreement){.ticket = TICKET, .first = first});
	assert_int_equal(dones, 1);
	assert_int_equal(done[0], 99);
	assert_int_equal(done[1], ERR_NUMBER_OK);
	assert_int_equal(ticket.kind, TICKET_FREE);
	*count = (unsigned)done[2];
	assert_int_equal(sent, *count + 1);
	return (const struct agreement_info *)(start + PAGE_BYTES);
}

/* ---- Tests ---- */

#define NUMBERS (ASKED_KINDS + 2) /* one of traffic, one for each kind that domains ask for, the load, the balance */

static void an_idle_core_tells_its_numbers(void **state)
{
	const struct agreement_info *r;
	unsigned count;

	(void)state;
	m->agreement.view = 4;
	m->ram.total = 99 * PAGE_BYTES;
	m->agreement.statistics.sent = 10;
	m->agreement.statistics.received = 20;
	m->agreement.statistics.refused = 30;
	m->cost[ASKED_REVOKE] = (struct agreement_cost){2, 9, 5000, 3000};
	r = list(0, &count);
	assert_int_equal(count, NUMBERS);
	assert_int_equal(done[3], NUMBERS);
	assert_int_equal(r[0].kind, AGREEMENT_INFO_TRAFFIC);
	assert_int_equal(r[0].base, 4);
	assert_int_equal(r[0].word[0], 10);
	assert_int_equal(r[0].word[1], 20);
	assert_int_equal(r[0].word[2], 30);
	assert_int_equal(r[ASKED_REVOKE].kind, AGREEMENT_INFO_COST);
	assert_int_equal(r[ASKED_REVOKE].detail, ASKED_REVOKE);
	assert_int_equal(r[ASKED_REVOKE].word[0], 2);
	assert_int_equal(r[ASKED_REVOKE].word[1], 9);
	assert_int_equal(r[ASKED_REVOKE].word[2], 5000);
	assert_int_equal(r[ASKED_REVOKE].word[3], 3000);
	assert_int_equal(r[ASKED_KINDS].kind, AGREEMENT_INFO_LOAD);
	assert_int_equal(r[ASKED_KINDS].base, 100 + COUNTER_SENT);
	assert_int_equal(r[ASKED_KINDS].size, 100 + COUNTER_RECEIVED);
	assert_int_equal(r[ASKED_KINDS].word[0], 100 + COUNTER_BUSY);
	assert_int_equal(r[ASKED_KINDS].word[1], 100 + COUNTER_WAKE_UPS);
	assert_int_equal(r[ASKED_KINDS].word[2], 100 + COUNTER_FAULTS);
	assert_int_equal(r[ASKED_KINDS].word[3], 100 + COUNTER_CALLS);
	assert_int_equal(r[ASKED_KINDS + 1].kind, AGREEMENT_INFO_BALANCE);
	assert_int_equal(r[ASKED_KINDS + 1].base, 77 * PAGE_BYTES);
	assert_int_equal(r[ASKED_KINDS + 1].size, 99 * PAGE_BYTES);
	assert_int_equal(r[ASKED_KINDS + 1].word[0], 5);
	assert_int_equal(r[ASKED_KINDS + 1].word[1], 3);
}

static void operations_and_objects_are_told_as_they_are(void **state)
{
	struct operation *o = &m->agreement.operation[OPERATIONS_MAX - 1];
	struct shared *s = &m->agreement.shared[SHARED_MAX - 1];
	const struct agreement_info *r;
	unsigned count;

	(void)state;
	*o = (struct operation){.kind = OPERATION_REVOKE, .core = 6, .object = {0x1000, 0x2000, CAP_Frame, 0}, .messages = 12, .phase = 2};
	set_add(&o->left, 1);
	set_add(&o->left, 200);
	*s = (struct shared){.object = {0x4000, 0x1000, CAP_RAM, 0}, .owner = 5, .anchor = CAP(1, 2), .busy = 1};
	set_add(&s->holders, 63);
	set_add(&s->holders, 255);
	r = list(0, &count);
	assert_int_equal(count, NUMBERS + 2);
	r += NUMBERS;
	assert_int_equal(r->kind, AGREEMENT_INFO_OPERATION);
	assert_int_equal(r->detail, ASKED_REVOKE);
	assert_int_equal(r->type, CAP_Frame);
	assert_int_equal(r->core, 6);
	assert_int_equal(r->base, 0x1000);
	assert_int_equal(r->size, 0x2000);
	assert_int_equal(r->word[0], 12);
	assert_int_equal(r->word[1], 2);
	assert_int_equal(r->word[3], 2);
	r++;
	assert_int_equal(r->kind, AGREEMENT_INFO_OBJECT);
	assert_int_equal(r->type, CAP_RAM);
	assert_int_equal(r->core, 5);
	assert_int_equal(r->detail, AGREEMENT_ANCHORED | AGREEMENT_BUSY);
	assert_int_equal(r->word[0], UINT64_C(1) << 63);
	assert_int_equal(r->word[3], UINT64_C(1) << 63);
}

/* Every record comes once, and no page is longer than the buffer. */
static void a_long_listing_comes_in_pages(void **state)
{
	const unsigned objects = 3 * AGREEMENT_PAGE;
	unsigned seen = 0, count;

	(void)state;
	for (unsigned i = 0; i < objects; i++)
		m->agreement.shared[2 * i].object = (struct object){.base = i * PAGE_BYTES, .size = PAGE_BYTES, .type = CAP_Frame};
	counted = 0;
	for (uint32_t first = 0; first < NUMBERS + objects; first += count) {
		const struct agreement_info *r = list(first, &count);

		assert_int_equal(done[3], NUMBERS + objects);
		assert_in_range(count, 1, AGREEMENT_PAGE);
		for (unsigned i = 0; i < count; i++)
			if (r[i].kind == AGREEMENT_INFO_OBJECT)
				assert_int_equal(r[i].base, seen++ * PAGE_BYTES);
	}
	assert_int_equal(seen, objects);
	assert_int_equal(counted, 1); /* it takes its time, so only for the page that has it */
	(void)list(NUMBERS + objects, &count);
	assert_int_equal(count, 0);
}

/* A peer that goes on and on fills no more than the buffer; one that answers what nobody asked changes nothing. */
static void a_talkative_peer_is_cut_short(void **state)
{
	struct message_agreement_listed record = {.ticket = TICKET, .kind = AGREEMENT_INFO_OBJECT, .base = UINT64_MAX};

	(void)state;
	memset(start, 0, sizeof(start));
	ticket = (struct ticket){.kind = TICKET_LIST, .domain = 11};
	for (unsigned i = 0; i < 10 * AGREEMENT_PAGE; i++)
		handle_agreement_listed(m, 5, &record);
	for (size_t i = PAGE_BYTES + AGREEMENT_PAGE * sizeof(record); i < sizeof(start); i++)
		assert_int_equal(start[i], 0);
	memset(start, 0, sizeof(start));
	handle_agreement_listed(m, 4, &record);
	for (size_t i = 0; i < sizeof(start); i++)
		assert_int_equal(start[i], 0);
	dones = 0;
	domain.number = 12; /* the one that asked has ended */
	record.kind = AGREEMENT_INFO_END;
	handle_agreement_listed(m, 5, &record);
	assert_int_equal(dones, 0);
	assert_int_equal(ticket.kind, TICKET_FREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_idle_core_tells_its_numbers, begin, end),
	    cmocka_unit_test_setup_teardown(operations_and_objects_are_told_as_they_are, begin, end),
	    cmocka_unit_test_setup_teardown(a_long_listing_comes_in_pages, begin, end),
	    cmocka_unit_test_setup_teardown(a_talkative_peer_is_cut_short, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
