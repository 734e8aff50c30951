// sources: monitor/capability.c monitor/clear.c monitor/gift.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What domains ask of the agreement: an agreement that does what the test says, and capability spaces that are tables. Above all: what is
 * fetched from a domain is somewhere at every moment, and no slot is lost. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/bind.h"
#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/domain.h"
#include "monitor/gift.h"
#include "monitor/mesh.h"
#include "monitor/report.h"

#define HOME     CAP(1, 20) /* where the domain has its capability */
#define NUMBER   0x10001
#define ROOT     (1 * GIB)
#define BASE     (ROOT + 4 * MIB)
#define TAG      77
#define PEER     5 /* its number at the peer's end */
#define GIVE_TAG 9

static struct monitor m;
static struct peer peers[4];
static struct cap_identity own[1 << 16], space[1 << 16]; /* this monitor's, the domain's */
static unsigned slots_out;
static struct domain *d = &m.domain[3];
static struct connection connection, other_end;
static struct domain server = {.phase = DOMAIN_RUNNING, .number = 0x10009, .dispatcher_base = 7 * MIB};

static struct {
	unsigned asked;
	enum operation_kind kind;
	uint64_t token, base, bytes, recipient;
	cap_t cap;
	uint32_t to;
	uint16_t rights;
	bool move;
	err_t answer; /* to the next question */
} agreement;
static struct {
	unsigned count;
	uint64_t word[CHANNEL_WORDS];
} event;
static err_t delete_answer, retype_answer, give_answer, introduce_answer;
static unsigned given, introduced, retyped, adopted, cleared, reports;
static uint64_t returned; /* bytes that the leader was told of */
static uint32_t revoked;

/* ---- What surrounds it ---- */

err_t cap_slot_alloc(cap_t *out)
{
	static uint16_t next = 0x300;

	*out = (cap_t){next++};
	slots_out++;
	return OK;
}

void cap_slot_free(cap_t slot)
{
	assert_int_equal(own[slot.value].type, CAP_Null);
	assert_true(slots_out-- > 0);
}

err_t cap_identify(cap_t cap, struct cap_identity *out)
{
	*out = own[cap.value];
	return out->type == CAP_Null ? ERR(CAP_EMPTY) : OK;
}

err_t cap_delete(cap_t cap)
{
	if (own[cap.value].type == CAP_Null)
		return ERR(CAP_EMPTY);
	if (is_ok(delete_answer))
		own[cap.value] = (struct cap_identity){0};
	return delete_answer;
}

const char *cap_type_name(enum cap_type type)
{
	(void)type;
	return "capability";
}

err_t platform_fetch(cap_t dispatcher, uint64_t address, bool move, cap_t slot)
{
	assert_int_equal(dispatcher.value, d->dispatcher.value);
	if (space[address].type == CAP_Null)
		return ERR(CAP_EMPTY);
	own[slot.value] = space[address];
	if (move)
		space[address] = (struct cap_identity){0};
	return OK;
}

err_t platform_deliver(cap_t cap, cap_t dispatcher, uint64_t address)
{
	assert_int_equal(dispatcher.value, d->dispatcher.value);
	if (space[address].type != CAP_Null)
		return ERR(SLOT_IN_USE);
	space[address] = own[cap.value];
	own[cap.value] = (struct cap_identity){0};
	return OK;
}

err_t platform_rescue(const struct platform_obstacle *o, cap_t slot)
{
	own[slot.value] = (struct cap_identity){.type = o->type, .rights = RIGHTS_ALL, .base = o->base, .size = o->size};
	return OK;
}

err_t platform_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	(void)type, (void)offset, (void)bytes, (void)count;
	assert_int_equal(own[source.value].base, BASE);
	assert_int_equal(first.value & 0xff, 33);
	retyped++;
	return retype_answer;
}

static err_t asked(enum operation_kind kind, uint64_t token, cap_t cap)
{
	agreement.asked++;
	agreement.kind = kind;
	agreement.token = token;
	agreement.cap = cap;
	assert_int_not_equal(own[cap.value].type, CAP_Null);
	return agreement.answer;
}

err_t agreement_delete(struct agreement *a, uint64_t token, cap_t cap)
{
	(void)a;
	return asked(OPERATION_DELETE, token, cap);
}

err_t agreement_revoke(struct agreement *a, uint64_t token, cap_t cap)
{
	(void)a;
	return asked(OPERATION_REVOKE, token, cap);
}

err_t agreement_retype(struct agreement *a, uint64_t token, cap_t cap, uint64_t base, uint64_t bytes)
{
	(void)a;
	agreement.base = base;
	agreement.bytes = bytes;
	return asked(OPERATION_RETYPE, token, cap);
}

err_t agreement_copy(struct agreement *a, uint64_t token, cap_t cap, uint16_t rights, uint32_t to, uint64_t recipient, bool move)
{
	(void)a;
	agreement.rights = rights;
	agreement.to = to;
	agreement.recipient = recipient;
	agreement.move = move;
	return asked(OPERATION_COPY, token, cap);
}

struct domain *domain_find(struct monitor *mm, uint32_t number)
{
	(void)mm;
	return d->phase == DOMAIN_RUNNING && number == d->number ? d : NULL;
}

struct domain *domain_of_dispatcher(struct monitor *mm, uint64_t base)
{
	(void)mm;
	return base == server.dispatcher_base ? &server : NULL;
}

bool domain_has_memory(const struct monitor *mm, uint64_t base, uint64_t bytes)
{
	(void)mm, (void)bytes;
	return base >= BASE && base < BASE + 4 * MIB;
}

void domain_revoked(struct monitor *mm, uint32_t number, err_t e)
{
	(void)mm, (void)e;
	revoked = number;
}

void domain_event(struct monitor *mm, struct domain *to, enum monitor_event kind, const uint64_t *words, unsigned count)
{
	(void)mm;
	assert_ptr_equal(to, d);
	assert_int_equal(kind, EVENT_done);
	event.count++;
	memcpy(event.word, words, count * sizeof(*words));
}

struct connection *connection_of(struct monitor *mm, const struct domain *who, uint32_t number)
{
	(void)mm;
	if (who == d && number == connection.number)
		return &connection;
	return number == other_end.number ? &other_end : NULL;
}

bool connection_has_ring(const struct monitor *mm, uint64_t base)
{
	(void)mm;
	return base == ROOT + 300 * MIB;
}

err_t connection_give(struct monitor *mm, struct connection *c, cap_t cap, unsigned rights, uint32_t tag)
{
	(void)mm, (void)rights;
	assert_ptr_equal(c, &other_end);
	assert_int_not_equal(own[cap.value].type, CAP_Null);
	assert_int_equal(tag, GIVE_TAG);
	given += is_ok(give_answer);
	return give_answer;
}

err_t connection_deliver(struct monitor *mm, uint32_t from, uint32_t number, cap_t cap, uint32_t tag)
{
	(void)mm, (void)cap;
	return from == 2 && number == PEER && tag == GIVE_TAG ? OK : ERR(PEER_GONE);
}

err_t connection_introduce(struct monitor *mm, struct domain *giver, uint32_t tag, const struct connection *c, const struct domain *to,
                           uint32_t gift)
{
	(void)mm;
	assert_true(giver == d && tag == TAG && c == &connection && to == &server && gift == GIVE_TAG);
	introduced += is_ok(introduce_answer);
	return introduce_answer;
}

err_t view_open(const struct block *b, uint64_t offset, uint64_t bytes, struct view *out)
{
	(void)b;
	assert_int_equal(offset, cleared);
	out->at = malloc(bytes);
	memset(out->at, 0xff, bytes);
	cleared += bytes;
	return OK;
}

void view_close(struct view *v)
{
	assert_int_equal(v->at[0], 0);
	free(v->at);
}

err_t block_adopt(struct monitor *mm, cap_t ram)
{
	(void)mm;
	assert_int_equal(own[ram.value].rights, RIGHTS_ALL);
	own[ram.value] = (struct cap_identity){0};
	slots_out--;
	adopted++;
	return OK;
}

void estate_tell_returned(struct monitor *mm, uint64_t base, uint64_t bytes)
{
	(void)mm;
	assert_int_equal(base, BASE);
	returned += bytes;
}

uint64_t platform_now(void)
{
	return 1;
}

bool mesh_send(struct monitor *mm, uint32_t core, unsigned type, const void *message)
{
	(void)mm, (void)core, (void)type, (void)message;
	return true;
}

void report_line(struct monitor *mm, const char *format, ...)
{
	(void)mm, (void)format;
	reports++;
}

/* ---- Helpers ---- */

static void has(cap_t where, enum cap_type type, uint64_t base, uint64_t size)
{
	space[where.value] = (struct cap_identity){.type = type, .rights = RIGHTS_ALL, .owner = 1, .base = base, .size = size};
}

static int begin(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	memset(own, 0, sizeof(own));
	memset(space, 0, sizeof(space));
	memset(&agreement, 0, sizeof(agreement));
	memset(&event, 0, sizeof(event));
	m.peer = peers;
	m.peers = 4;
	m.core = 1;
	m.roots = 1;
	m.root[0].base = ROOT;
	m.root[0].bytes = 64 * MIB;
	d->phase = DOMAIN_RUNNING;
	d->number = NUMBER;
	d->dispatcher = CAP(3, 3);
	connection = (struct connection){.number = 0x20001, .peer_core = 2, .peer_number = PEER};
	other_end = (struct connection){.number = PEER};
	has(HOME, CAP_RAM, BASE, 1 * MIB);
	delete_answer = retype_answer = give_answer = introduce_answer = OK;
	given = introduced = retyped = adopted = cleared = reports = slots_out = revoked = 0;
	returned = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(slots_out, 0);
	assert_null(m.leftovers);
	return 0;
}

static err_t ask(enum capability_operation operation)
{
	return capability_begin(&m, d, TAG, &(struct capability_request){.cap = HOME.value, .operation = (uint8_t)operation});
}

static err_t ask_gift(enum capability_operation operation, cap_t cap)
{
	return capability_begin(&m, d, TAG,
	                        &(struct capability_request){.cap = cap.value,
	                                                     .operation = (uint8_t)operation,
	                                                     .offset = connection.number | (uint64_t)GIVE_TAG << 32,
	                                                     .bytes = RIGHT_READ});
}

static void done(err_t e)
{
	agreement_done(&m.agreement, agreement.token, agreement.kind, e, agreement.cap, 6);
}

static void assert_told(unsigned error, uint64_t value, uint64_t messages)
{
	assert_int_equal(event.count, 1);
	assert_int_equal(event.word[0], TAG);
	assert_int_equal(event.word[1], error);
	assert_int_equal(event.word[2], value);
	assert_int_equal(event.word[3], messages);
	event.count = 0;
}

static bool at_home(void)
{
	return space[HOME.value].type != CAP_Null;
}

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
	return capability_begin(&m, d, TAG,
	                        &(struct capability_request){.cap = HOME.value,
	                                                     .operation = CAPABILITY_RETYPE,
	                                                     .type = (uint8_t)type,
	                                                     .first = CAP(2, 33).value,
	                                                     .count = (uint16_t)count,
	                                                     .offset = offset,
	                                                     .bytes = bytes});
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

/* ---- Gifts ---- */

static void test_a_copy_for_another_core(void **state)
{
	(void)state;
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	assert_int_equal(agreement.to, 2);
	assert_int_equal(agreement.rights, RIGHT_READ);
	assert_int_equal(agreement.recipient, (uint64_t)PEER << 32 | GIVE_TAG);
	assert_false(agreement.move);
	assert_true(at_home());
	done(OK);
	assert_told(0, 0, 6);
	assert_true(at_home());
}

static void test_a_move_to_another_core(void **state)
{
	(void)state;
	assert_true(is_ok(ask_gift(CAPABILITY_MOVE, HOME)));
	assert_true(agreement.move);
	assert_false(at_home());
	done(ERR(NO_SLOT));
	assert_told(ERR_NUMBER_NO_SLOT, 0, 6);
	assert_true(at_home());
	assert_true(is_ok(ask_gift(CAPABILITY_MOVE, HOME)));
	own[agreement.cap.value] = (struct cap_identity){0};
	done(OK);
	assert_told(0, 0, 6);
	assert_false(at_home());
}

static void test_gifts_on_the_same_core(void **state)
{
	(void)state;
	connection.peer_core = 1;
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	assert_told(0, 0, 0);
	assert_true(given == 1 && at_home());
	give_answer = ERR(NO_SLOT);
	assert_true(err_is(ask_gift(CAPABILITY_MOVE, HOME), ERR_NUMBER_NO_SLOT));
	assert_true(at_home());
	give_answer = OK;
	assert_true(is_ok(ask_gift(CAPABILITY_MOVE, HOME)));
	assert_told(0, 0, 0);
	assert_true(given == 2 && !at_home());
	assert_int_equal(agreement.asked, 0);
}

static void test_somebody_elses_connection(void **state)
{
	const struct capability_request r = {.cap = HOME.value, .operation = CAPABILITY_MOVE, .offset = 0x30001};

	(void)state;
	assert_true(err_is(capability_begin(&m, d, TAG, &r), ERR_NUMBER_NOT_FOUND));
	assert_true(at_home());
}

static void test_the_monitors_memory_stays(void **state)
{
	(void)state;
	has(HOME, CAP_Frame, ROOT + 20 * MIB, PAGE_BYTES); /* in no domain's block */
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_PERMISSION));
	assert_true(err_is(ask_gift(CAPABILITY_MOVE, HOME), ERR_NUMBER_PERMISSION));
	assert_true(at_home());
	has(HOME, CAP_Frame, BASE, PAGE_BYTES);
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	done(OK);
	has(HOME, CAP_Frame, ROOT + 200 * MIB, PAGE_BYTES); /* not this core's */
	space[HOME.value].owner = 2;
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	done(OK);
	space[HOME.value].base = ROOT + 300 * MIB; /* a peer's ring */
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_PERMISSION));
}

static void test_an_endpoint_becomes_a_connection(void **state)
{
	(void)state;
	has(HOME, CAP_Endpoint, server.dispatcher_base, DISPATCHER_BYTES);
	assert_true(is_ok(ask_gift(CAPABILITY_GIVE, HOME)));
	assert_int_equal(introduced, 1);
	assert_int_equal(event.count, 0); /* the one who is introduced has not answered yet */
	assert_true(at_home());
	assert_true(err_is(ask_gift(CAPABILITY_MOVE, HOME), ERR_NUMBER_CAP_TYPE));
	assert_true(at_home());
	introduce_answer = ERR(LIMIT);
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_LIMIT));
	has(HOME, CAP_Endpoint, 8 * MIB, DISPATCHER_BYTES); /* a monitor's */
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_PERMISSION));
	has(HOME, CAP_Endpoint, server.dispatcher_base, DISPATCHER_BYTES);
	space[HOME.value].rights = 0;
	assert_true(err_is(ask_gift(CAPABILITY_GIVE, HOME), ERR_NUMBER_CAP_RIGHTS));
	assert_int_equal(introduced, 1);
}

static void test_delivery(void **state)
{
	cap_t cap;

	(void)state;
	assert_true(is_ok(cap_slot_alloc(&cap)));
	own[cap.value] = (struct cap_identity){.type = CAP_Frame, .base = BASE, .size = PAGE_BYTES};
	assert_true(err_is(agreement_deliver(&m.agreement, (uint64_t)PEER << 32 | GIVE_TAG, cap, 3), ERR_NUMBER_PEER_GONE));
	assert_int_equal(own[cap.value].type, CAP_Frame);
	assert_true(is_ok(agreement_deliver(&m.agreement, (uint64_t)PEER << 32 | GIVE_TAG, cap, 2)));
	cap_slot_free(cap);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_a_deleted_capability_is_gone),
	    TEST(test_memory_that_a_delete_left_is_put_back),
	    TEST(test_what_could_not_be_done_leaves_the_capability_where_it_was),
	    TEST(test_a_revoke_gives_the_capability_back),
	    TEST(test_control_is_needed),
	    TEST(test_bad_requests),
	    TEST(test_a_slot_that_is_in_use_again_keeps_what_is_in_it),
	    TEST(test_the_domain_ends),
	    TEST(test_what_is_left_over_needs_the_agreement_too),
	    TEST(test_a_core_that_dies_does_not_keep_what_is_left_over),
	    TEST(test_memory_that_comes_back_is_cleared_first),
	    TEST(test_the_last_copy_of_memory_comes_back),
	    TEST(test_memory_comes_back_with_all_rights),
	    TEST(test_what_nobody_waits_for_is_not_put_back),
	    TEST(test_the_end_of_a_domains_memory),
	    TEST(test_one_domain_can_have_so_many_under_way),
	    TEST(test_retype),
	    TEST(test_retype_without_a_place_to_put_it),
	    TEST(test_bad_retypes_ask_nobody),
	    TEST(test_a_copy_for_another_core),
	    TEST(test_a_move_to_another_core),
	    TEST(test_gifts_on_the_same_core),
	    TEST(test_somebody_elses_connection),
	    TEST(test_the_monitors_memory_stays),
	    TEST(test_an_endpoint_becomes_a_connection),
	    TEST(test_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
