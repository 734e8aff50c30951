// sources: monitor/span.c monitor/tickets.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Domains on several cores, in a world of several monitors: the real protocol, over queues that are delivered in any order between pairs,
 * with random requests, failures, ends and deaths of cores. What a monitor does to the machine is a few flags here. At rest there is a link
 * between any two members, the home knows exactly those that there are, everybody has had one answer, and of what has ended nothing is
 * left. */

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
#include "monitor/span.h"
#include "monitor/spawn.h"
#include "monitor/tickets.h"
#include "tests/hosted/random.h"

#define CORES     5
#define QUEUE_MAX 4096
#define WISHES    64
#define FIRST     1 /* the core of member 0 */

struct queued_message {
	unsigned type;
	union message message;
};

struct queue {
	struct queued_message at[QUEUE_MAX];
	unsigned read, filled;
};

struct wish {                    /* a link that is being bound */
	uint32_t domain, fellow; /* 0: none */
};

static struct monitor *world[CORES];
static bool dead[CORES], knows_dead[CORES][CORES];
static struct queue queues[CORES][CORES];
static struct wish wishes[WISHES];
static bool linked[CORES][CORES];
static uint32_t span;
static unsigned asked, answered, told; /* requests, their events, the end of the whole */
static enum end_cause told_cause;
static bool may_fail;

/* ---- What the protocol calls ---- */

struct domain *domain_find(struct monitor *m, uint32_t number)
{
	for (unsigned i = 0; i < DOMAINS_MAX && number != 0; i++)
		if (m->domain[i].number == number && m->domain[i].phase == DOMAIN_RUNNING)
			return &m->domain[i];
	return NULL;
}

static struct domain *make_domain(struct monitor *m, uint32_t of, unsigned member)
{
	struct domain *d = m->domain;

	while (d->phase != DOMAIN_FREE)
		d++;
	*d = (struct domain){.phase = DOMAIN_RUNNING, .number = m->core << 16 | ++m->domain_count, .member = (uint8_t)member};
	d->span = of != 0 ? of : d->number;
	strcpy(d->name, "span");
	return d;
}

err_t spawn_archived(struct monitor *m, const struct spawn_request *r, uint32_t *number)
{
	struct domain *d;

	assert_string_equal(r->text + sizeof(struct spawn_order), "span");
	if (may_fail && random_number() % 8 == 0)
		return ERR(NO_MEMORY);
	d = make_domain(m, r->span, r->member);
	d->leaving = true;
	*number = d->number;
	if (!may_fail || random_number() % 8 != 0)
		return OK;
	d->failure = ERR_NUMBER_NO_SLOT;
	domain_end(m, d, END_KILLED, 0);
	return ERR(NO_SLOT);
}

static void unlink_core(unsigned core)
{
	for (unsigned i = 0; i < CORES; i++)
		linked[core][i] = linked[i][core] = false;
}

void domain_end(struct monitor *m, struct domain *d, enum end_cause cause, uint64_t status)
{
	if (d->phase != DOMAIN_RUNNING)
		return;
	d->cause = cause;
	d->status = status;
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		if (m->ticket[i].kind != TICKET_FREE && m->ticket[i].domain == d->number) {
			answered += m->ticket[i].kind == TICKET_GROW || m->ticket[i].kind == TICKET_SHRINK;
			ticket_close(m, &m->ticket[i]);
		}
	d->phase = DOMAIN_STOPPING;
	span_member_ends(m, d);
	unlink_core(m->core);
}

void domain_over(struct monitor *m, struct domain *d)
{
	if (d->phase != DOMAIN_LINGERING || span_goes_on(d))
		return;
	d->phase = DOMAIN_FREE;
	if (d->member == 0) {
		told++;
		told_cause = d->cause;
	}
	span_member_gone(m, d);
}

void domain_event(struct monitor *m, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count)
{
	(void)m, (void)d, (void)words, (void)count;
	assert_true(event == EVENT_grown || event == EVENT_done);
	answered++;
}

static unsigned left_alone, taken;

void revocation_member_gone(struct domain *d, bool was_taken)
{
	assert_int_equal(d->member, 0);
	if (was_taken)
		taken++;
	else
		left_alone++;
}

err_t bind_link(struct monitor *m, struct domain *d, unsigned member, uint32_t fellow)
{
	(void)member;
	if (!mesh_alive(m, domain_core_of(fellow)))
		return ERR(CORE_DEAD);
	for (unsigned i = 0; i < WISHES; i++)
		if (wishes[i].domain == 0) {
			wishes[i] = (struct wish){d->number, fellow};
			return OK;
		}
	return ERR(LIMIT);
}

bool mesh_alive(const struct monitor *m, uint32_t core)
{
	return core < CORES && !knows_dead[m->core][core];
}

bool mesh_send(struct monitor *m, uint32_t core, unsigned type, const void *message)
{
	struct queue *q = &queues[m->core][core];

	if (!mesh_alive(m, core))
		return false;
	if (dead[core])
		return true; /* lost */
	assert_true(q->filled < QUEUE_MAX);
	q->at[(q->read + q->filled) % QUEUE_MAX].type = type;
	memcpy(&q->at[(q->read + q->filled++) % QUEUE_MAX].message, message, message_bytes(type));
	return true;
}

void domain_bound_failed(struct monitor *m, struct domain *d, uint32_t tag, err_t e)
{
	(void)m, (void)d, (void)tag, (void)e;
}

void connection_abandon(struct monitor *m, uint32_t number)
{
	(void)m, (void)number;
}

bool introduction_failed(struct monitor *m, const struct ticket *t, err_t e)
{
	(void)m, (void)t, (void)e;
	return false;
}

void platform_reply(const struct platform_reply *reply)
{
	(void)reply;
}

/* The messages' sizes, without the checks, which another test is about. */
unsigned message_bytes(unsigned type)
{
	switch (type) {
#define MESSAGE(name, number, fields)                                                                                                      \
	case number:                                                                                                                       \
		return sizeof(struct message_##name);
#include "monitor/messages.def"
#undef MESSAGE
	default:
		return 0;
	}
}

/* ---- The world's steps ---- */

static bool deliver(unsigned from, unsigned to)
{
	struct queue *q = &queues[from][to];
	struct queued_message m;

	if (q->filled == 0 || dead[to])
		return false;
	m = q->at[q->read];
	q->read = (q->read + 1) % QUEUE_MAX;
	q->filled--;
	if (knows_dead[to][from])
		return true;
	switch (m.type) {
#define HANDLE(name)                                                                                                                       \
	case MESSAGE_##name:                                                                                                               \
		handle_##name(world[to], from, &m.message.name);                                                                           \
		break
		HANDLE(grow);
		HANDLE(grown);
		HANDLE(enlist);
		HANDLE(fellow);
		HANDLE(enlisted);
		HANDLE(shrink);
		HANDLE(shrunk);
		HANDLE(dismiss);
		HANDLE(falls);
		HANDLE(gone);
	default:
		fail_msg("message %u", m.type);
	}
	return true;
}

static bool bind_one(unsigned i)
{
	const struct wish w = wishes[i];
	unsigned here = domain_core_of(w.domain), there = domain_core_of(w.fellow);
	struct domain *d, *fellow;
	err_t e = OK;

	if (w.domain == 0)
		return false;
	wishes[i].domain = 0;
	d = dead[here] ? NULL : domain_find(world[here], w.domain);
	fellow = dead[there] ? NULL : domain_find(world[there], w.fellow);
	if (d == NULL)
		return true;
	if (fellow == NULL)
		e = ERR(PEER_GONE);
	else if (may_fail && random_number() % 16 == 0)
		e = ERR(NO_MEMORY);
	else
		linked[here][there] = linked[there][here] = true;
	span_link_bound(world[here], d, e);
	return true;
}

/* The memory of a domain that ends is free. */
static bool finish_one(unsigned core, unsigned i)
{
	struct domain *d = &world[core]->domain[i];

	if (dead[core] || d->phase != DOMAIN_STOPPING)
		return false;
	d->phase = DOMAIN_LINGERING;
	domain_over(world[core], d);
	return true;
}

static bool learn(unsigned core, unsigned of)
{
	struct monitor *m = world[core];

	if (!dead[of] || dead[core] || knows_dead[core][of])
		return false;
	knows_dead[core][of] = true;
	for (unsigned i = 0; i < TICKETS_MAX; i++)
		if (m->ticket[i].kind != TICKET_FREE && m->ticket[i].core == of)
			ticket_fail(m, &m->ticket[i], ERR(CORE_DEAD));
	spans_lose_core(m, of);
	return true;
}

static bool step(void)
{
	switch (random_number() % 4) {
	case 0:
		return finish_one(random_number() % CORES, random_number() % 4);
	case 1:
		return bind_one(random_number() % WISHES);
	case 2:
		return learn(random_number() % CORES, random_number() % CORES);
	default:
		return deliver(random_number() % CORES, random_number() % CORES);
	}
}

static void settle(void)
{
	bool more;

	do {
		more = false;
		for (unsigned i = 0; i < CORES; i++)
			for (unsigned j = 0; j < CORES; j++)
				more |= learn(i, j) || deliver(i, j) || finish_one(i, j % DOMAINS_MAX);
		for (unsigned i = 0; i < WISHES; i++)
			more |= bind_one(i);
	} while (more);
}

static void make_world(void)
{
	memset(dead, 0, sizeof(dead));
	memset(knows_dead, 0, sizeof(knows_dead));
	memset(linked, 0, sizeof(linked));
	memset(wishes, 0, sizeof(wishes));
	memset(queues, 0, sizeof(queues));
	for (unsigned i = 0; i < CORES; i++) {
		world[i] = calloc(1, sizeof(*world[i]));
		assert_non_null(world[i]);
		world[i]->core = i;
		world[i]->peers = CORES;
	}
	asked = answered = told = 0;
	may_fail = false;
	span = make_domain(world[FIRST], 0, 0)->number;
}

static void end_world(void)
{
	for (unsigned i = 0; i < CORES; i++) {
		for (unsigned j = 0; j < DOMAINS_MAX; j++)
			free(world[i]->domain[j].others);
		free(world[i]);
	}
}

static struct domain *member_on(unsigned core)
{
	for (unsigned i = 0; i < DOMAINS_MAX && !dead[core]; i++)
		if (world[core]->domain[i].phase == DOMAIN_RUNNING)
			return &world[core]->domain[i];
	return NULL;
}

static void ask_grow(unsigned from, unsigned core)
{
	struct domain *d = member_on(from);

	if (d != NULL && d->links_due == 0)
		asked += is_ok(span_ask_grow(world[from], d, 1, core, 0));
}

static void ask_shrink(unsigned from, unsigned member)
{
	struct domain *d = member_on(from);

	if (d != NULL && d->links_due == 0)
		asked += is_ok(span_ask_shrink(world[from], d, 1, member));
}

static void kill_core(unsigned core)
{
	struct monitor *m = world[core];

	for (unsigned i = 0; i < TICKETS_MAX; i++)
		answered += m->ticket[i].kind == TICKET_GROW || m->ticket[i].kind == TICKET_SHRINK;
	dead[core] = true;
	unlink_core(core);
	for (unsigned i = 0; i < CORES; i++)
		queues[core][i].filled = queues[i][core].filled = 0;
}

static void check_rest(void)
{
	bool ended = dead[FIRST] || member_on(FIRST) == NULL;

	assert_int_equal(asked, answered);
	assert_true(dead[FIRST] ? told <= 1 : told == ended);
	for (unsigned i = 0; i < CORES; i++) {
		if (dead[i])
			continue;
		assert_true(!ended || member_on(i) == NULL);
		for (unsigned t = 0; t < TICKETS_MAX; t++)
			assert_int_equal(world[i]->ticket[t].kind, TICKET_FREE);
		for (unsigned j = 0; j < DOMAINS_MAX; j++)
			assert_true(world[i]->domain[j].phase == DOMAIN_FREE || world[i]->domain[j].phase == DOMAIN_RUNNING);
		for (unsigned j = 0; j < CORES; j++)
			assert_int_equal(linked[i][j], i != j && member_on(i) != NULL && member_on(j) != NULL);
	}
}

/* ---- Tests ---- */

static unsigned members(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CORES; i++)
		count += member_on(i) != NULL;
	return count;
}

static void grow_to_all(void)
{
	for (unsigned i = 0; i < CORES; i++)
		ask_grow(FIRST, i);
	settle();
	assert_int_equal(members(), CORES);
	check_rest();
}

static void test_to_all_and_back(void **state)
{
	(void)state;
	make_world();
	grow_to_all();
	for (unsigned i = 0; i < CORES; i++)
		ask_shrink(FIRST, i);
	settle();
	assert_int_equal(members(), 1);
	check_rest();
	end_world();
}

static void test_one_ends_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CORES; i++) {
		make_world();
		grow_to_all();
		domain_end(world[i], member_on(i), END_FAULT, i);
		settle();
		assert_int_equal(members(), 0);
		assert_int_equal(told, 1);
		assert_int_equal(told_cause, END_FAULT);
		check_rest();
		end_world();
	}
}

static void test_a_core_dies(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CORES; i++) {
		make_world();
		grow_to_all();
		kill_core(i);
		settle();
		assert_int_equal(members(), i == FIRST ? 0 : CORES - 1);
		check_rest();
		end_world();
	}
}

/* What can't be made is given up by itself; the others don't feel it. */
static void test_failures_hurt_nobody(void **state)
{
	(void)state;
	make_world();
	random_state = 1;
	may_fail = true;
	for (unsigned i = 0; i < 500; i++) {
		if (random_number() % 2 != 0)
			ask_grow(FIRST, random_number() % CORES);
		else
			ask_shrink(FIRST, random_number() % CORES);
		settle();
		assert_int_equal(told, 0);
		check_rest();
	}
	end_world();
}

static void act(void)
{
	unsigned core = random_number() % CORES;

	switch (random_number() % 40) {
	case 0:
		if (!dead[core])
			kill_core(core);
		break;
	case 1:
		if (member_on(core) != NULL)
			domain_end(world[core], member_on(core), END_EXIT, 3);
		break;
	case 2:
		if (member_on(FIRST) != NULL)
			(void)span_take(world[FIRST], member_on(FIRST));
		break;
	default:
		if (random_number() % 2 != 0)
			ask_grow(core, random_number() % CORES);
		else
			ask_shrink(core, random_number() % CORES);
	}
}

static void test_anything(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 3000; seed++) {
		unsigned actions;

		make_world();
		random_state = seed;
		actions = random_number() % 60;
		may_fail = seed % 2 == 0;
		while (actions > 0) {
			if (random_number() % 16 == 0) {
				act();
				actions--;
			} else {
				(void)step();
			}
		}
		settle();
		check_rest();
		end_world();
	}
}

static void test_others_may_not(void **state)
{
	const struct message_grow grow = {.ticket = 5, .span = 1, .core = 2};

	(void)state;
	make_world();
	handle_grow(world[FIRST], 3, &(struct message_grow){.ticket = 5, .span = span, .core = 2});
	handle_grow(world[FIRST], 3, &grow);
	handle_shrink(world[FIRST], 3, &(struct message_shrink){.ticket = 6, .span = span, .member = 1});
	handle_enlist(world[2], 3, &(struct message_enlist){.span = span, .member = 1, .name = "span"});
	handle_dismiss(world[FIRST], FIRST, &(struct message_dismiss){.span = span, .member = 0});
	handle_falls(world[FIRST], 3, &(struct message_falls){.span = span, .member = 0});
	handle_gone(world[FIRST], 3, &(struct message_gone){.span = span, .member = 0});
	settle();
	assert_int_equal(members(), 1);
	check_rest();
	end_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_to_all_and_back),      cmocka_unit_test(test_one_ends_all), cmocka_unit_test(test_a_core_dies),
	    cmocka_unit_test(test_failures_hurt_nobody), cmocka_unit_test(test_anything),     cmocka_unit_test(test_others_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
