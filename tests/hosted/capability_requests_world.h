/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What surrounds domains' requests to the monitor about capabilities: an agreement that does what the test says, and capability spaces that
 * are tables. After every test no slot may be lost. */

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
static uint64_t returned, dropped; /* bytes that the leader was told of */
static uint32_t somebody_else;     /* who is a member as well */
static err_t surrender_answer;
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

static inline err_t asked(enum operation_kind kind, uint64_t token, cap_t cap)
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

void revocation_revoked(struct monitor *mm, uint32_t number, err_t e)
{
	(void)mm, (void)number, (void)e;
	fail_msg("no block was to be given back");
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

bool mesh_has_page(const struct monitor *mm, uint64_t base)
{
	(void)mm;
	return base == ROOT + 400 * MIB;
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
                           uint16_t badge, uint32_t gift)
{
	(void)mm;
	assert_true(giver == d && tag == TAG && c == &connection && to == &server && badge == 0 && gift == GIVE_TAG);
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

uint32_t membership_leader(const struct monitor *mm, uint32_t except)
{
	(void)mm, (void)except;
	return somebody_else;
}

err_t platform_mark(cap_t cap, bool remote, uint32_t owner)
{
	assert_false(remote);
	own[cap.value].owner = owner;
	own[cap.value].flags = owner == 0 ? 0 : CAP_FLAG_FOREIGN;
	return OK;
}

err_t platform_surrender(cap_t cap)
{
	assert_int_equal(own[cap.value].flags, CAP_FLAG_FOREIGN);
	if (is_ok(surrender_answer))
		own[cap.value] = (struct cap_identity){0};
	return surrender_answer;
}

void estate_tell_dropped(struct monitor *mm, uint64_t base, uint64_t bytes)
{
	(void)mm;
	assert_int_equal(base, BASE);
	dropped += bytes;
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

static inline void has(cap_t where, enum cap_type type, uint64_t base, uint64_t size)
{
	space[where.value] = (struct cap_identity){.type = type, .rights = RIGHTS_ALL, .owner = 1, .base = base, .size = size};
}

static inline int begin(void **state)
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
	returned = dropped = 0;
	somebody_else = UINT32_MAX;
	surrender_answer = OK;
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	assert_int_equal(slots_out, 0);
	assert_null(m.leftovers);
	return 0;
}

static inline err_t ask_and_wait(enum capability_operation operation)
{
	m.reply = (struct platform_reply){0};
	return capability_begin(&m, d, TAG, &(struct capability_request){.cap = HOME.value, .operation = (uint8_t)operation});
}

/* The reply is given before anything comes of it. */
static inline err_t ask(enum capability_operation operation)
{
	err_t e = ask_and_wait(operation);

	m.awaited = NULL;
	return e;
}

static inline err_t ask_gift(enum capability_operation operation, cap_t cap)
{
	return capability_begin(&m, d, TAG,
	                        &(struct capability_request){.cap = cap.value,
	                                                     .operation = (uint8_t)operation,
	                                                     .offset = connection.number | (uint64_t)GIVE_TAG << 32,
	                                                     .bytes = RIGHT_READ});
}

static inline void done(err_t e)
{
	agreement_done(&m.agreement, agreement.token, agreement.kind, e, agreement.cap, 6);
}

static inline void assert_told(unsigned error, uint64_t value, uint64_t messages)
{
	assert_int_equal(event.count, 1);
	assert_int_equal(event.word[0], TAG);
	assert_int_equal(event.word[1], error);
	assert_int_equal(event.word[2], value);
	assert_int_equal(event.word[3], messages);
	event.count = 0;
}

static inline bool at_home(void)
{
	return space[HOME.value].type != CAP_Null;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
