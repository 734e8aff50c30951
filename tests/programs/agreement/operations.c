/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Each operation with one peer, on another core or on this one: the results are the same. */

#include <string.h>

#include <atoll/address_space.h>

#include "tests/programs/agreement/checks.h"

static bool is_remote(const struct peer *p)
{
	return p->core != domain_core();
}

static const char *check_copy(struct peer *p)
{
	struct answer a;
	cap_t frame, theirs;
	void *at;

	CHECK(is_ok(frame_create(PAGE_BYTES, READ_WRITE, &frame, &at, NULL)));
	((volatile uint64_t *)at)[1] = 4711;
	CHECK(is_ok(hand_over(p, frame, RIGHT_READ | RIGHT_WRITE, &theirs)));
	a = peer_ask(p, PEER_IDENTIFY, theirs.value, 0, 0);
	CHECK(is_ok(a.error) && (a.word[0] & 0xff) == CAP_Frame && (a.word[0] >> 8 & 0xff) == (RIGHT_READ | RIGHT_WRITE));
	CHECK((uint32_t)(a.word[0] >> 32) == domain_core() && a.word[2] == PAGE_BYTES);
	CHECK(((a.word[0] >> 16 & CAP_FLAG_FOREIGN) != 0) == is_remote(p));
	CHECK(((flags_of(frame) & CAP_FLAG_REMOTE) != 0) == is_remote(p));
	CHECK(is_ok(peer_do(p, PEER_MAP, theirs.value, RIGHT_READ | RIGHT_WRITE, 0)));
	CHECK(peer_ask(p, PEER_READ, 8, 0, 0).word[0] == 4711);
	CHECK(is_ok(peer_do(p, PEER_WRITE, 16, 815, 0)));
	CHECK(((volatile uint64_t *)at)[2] == 815);
	CHECK(is_ok(peer_do(p, PEER_UNMAP, 0, 0, 0)));
	CHECK(is_ok(peer_do(p, PEER_DELETE, theirs.value, 0, 0)));
	CHECK(!peer_has(p, theirs));
	/* the owner hears that nobody else has it */
	EVENTUALLY(!(flags_of(frame) & CAP_FLAG_REMOTE));
	CHECK(is_ok(frame_unmap(at)));
	memory_object_free(frame);
	return NULL;
}

static const char *check_fewer_rights(struct peer *p)
{
	cap_t frame, theirs, again;
	struct cap_identity id;

	CHECK(make_frame(&frame));
	CHECK(is_ok(hand_over(p, frame, RIGHT_READ, &theirs)));
	CHECK((peer_ask(p, PEER_IDENTIFY, theirs.value, 0, 0).word[0] >> 8 & 0xff) == RIGHT_READ);
	CHECK(err_is(peer_do(p, PEER_MAP, theirs.value, RIGHT_READ | RIGHT_WRITE, 0), ERR_NUMBER_CAP_RIGHTS));
	CHECK(err_is(peer_do(p, PEER_REVOKE, theirs.value, 0, 0), ERR_NUMBER_CAP_RIGHTS));
	/* and back: what was given away does not grow on its way */
	CHECK(is_ok(peer_do(p, PEER_GIVE, theirs.value, RIGHTS_ALL, 77)));
	CHECK(is_ok(ipc_take(p->c, 77, time_tsc() + time_tsc_hz(), &again)));
	CHECK(is_ok(cap_identify(again, &id)) && id.rights == RIGHT_READ);
	CHECK(is_ok(cap_delete(again)));
	cap_slot_free(again);
	CHECK(is_ok(cap_revoke(frame)));
	CHECK(!peer_has(p, theirs));
	memory_object_free(frame);
	return NULL;
}

static const char *check_move(struct peer *p)
{
	cap_t ram, frame, theirs, back;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(is_ok(ipc_move(p->c, frame, RIGHTS(RIGHTS_ALL), 5)));
	CHECK(!is_there(frame));
	theirs = peer_slot(p);
	CHECK(is_ok(peer_do(p, PEER_TAKE, theirs.value, 5, 0)));
	CHECK(peer_has(p, theirs));
	/* it is still an object: its memory is not free */
	CHECK(err_is(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame), ERR_NUMBER_OVERLAP));
	CHECK(is_ok(peer_do(p, PEER_MOVE, theirs.value, RIGHTS_ALL, 6)));
	CHECK(!peer_has(p, theirs));
	CHECK(is_ok(ipc_take(p->c, 6, time_tsc() + time_tsc_hz(), &back)));
	CHECK(is_there(back) && is_ok(cap_delete(back)));
	cap_slot_free(back);
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

static err_t peer_retype(struct peer *p, cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, cap_t to)
{
	return peer_do(p, PEER_RETYPE, source.value | (uint64_t)to.value << 16 | (uint64_t)type << 32, offset, bytes);
}

static const char *check_retype(struct peer *p)
{
	cap_t ram, mine, theirs, made, more;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&mine)));
	CHECK(is_ok(hand_over(p, ram, RIGHTS_ALL, &theirs)));
	made = peer_slot(p);
	more = peer_slot(p);
	CHECK(is_ok(peer_retype(p, theirs, CAP_Frame, 0, 2 * PAGE_BYTES, made)));
	CHECK(err_is(cap_retype(ram, CAP_Frame, PAGE_BYTES, PAGE_BYTES, 1, mine), ERR_NUMBER_OVERLAP));
	CHECK(err_is(cap_retype(ram, CAP_RAM, 0, RAM_BYTES, 1, mine), ERR_NUMBER_OVERLAP));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 2 * PAGE_BYTES, PAGE_BYTES, 1, mine)));
	CHECK(err_is(peer_retype(p, theirs, CAP_Frame, 2 * PAGE_BYTES, PAGE_BYTES, more), ERR_NUMBER_OVERLAP));
	CHECK(is_ok(peer_retype(p, theirs, CAP_PageTable1, 4 * PAGE_BYTES, 0, more)));
	CHECK(is_ok(peer_do(p, PEER_DELETE, made.value, 0, 0)) && is_ok(peer_do(p, PEER_DELETE, more.value, 0, 0)));
	CHECK(is_ok(cap_delete(mine)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, 2 * PAGE_BYTES, 1, mine)));
	CHECK(is_ok(cap_delete(mine)));
	CHECK(is_ok(cap_revoke(ram)));
	CHECK(!peer_has(p, theirs));
	cap_slot_free(mine);
	CHECK(end_ram(ram));
	return NULL;
}

/* What is wrong is wrong in the same way, whether other cores have to be asked or not. */
static const char *check_retype_refusals(struct peer *p)
{
	cap_t ram, theirs, mine;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&mine)));
	for (unsigned round = 0; round < 2; round++) {
		CHECK(err_is(cap_retype(ram, CAP_Frame, 60 * KIB, 8 * KIB, 1, mine), ERR_NUMBER_RANGE));
		CHECK(err_is(cap_retype(ram, CAP_Frame, 100, PAGE_BYTES, 1, mine), ERR_NUMBER_ALIGNMENT));
		CHECK(err_is(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, CAP_MONITOR), ERR_NUMBER_SLOT_IN_USE));
		CHECK(err_is(cap_retype(ram, CAP_Kernel, 0, 0, 1, mine), ERR_NUMBER_RETYPE));
		CHECK(err_is(cap_retype(ram, CAP_CNode, 0, PAGE_BYTES, 1, mine), ERR_NUMBER_ARGUMENT));
		CHECK(is_err(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 0, mine)));
		CHECK(!is_there(mine) && is_there(ram));
		if (round == 0)
			CHECK(is_ok(hand_over(p, ram, RIGHT_READ, &theirs)));
	}
	CHECK(is_err(peer_retype(p, theirs, CAP_Frame, 0, PAGE_BYTES, peer_slot(p)))); /* no right to control */
	CHECK(is_ok(cap_revoke(ram)));
	cap_slot_free(mine);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_delete_by_the_owner(struct peer *p)
{
	cap_t ram, frame, theirs;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(is_ok(hand_over(p, frame, RIGHT_READ | RIGHT_WRITE, &theirs)));
	CHECK(is_ok(cap_delete(frame)) && !is_there(frame));
	CHECK(is_ok(peer_do(p, PEER_MAP, theirs.value, RIGHT_READ | RIGHT_WRITE, 0)));
	CHECK(is_ok(peer_do(p, PEER_WRITE, 0, 3, 0)));
	CHECK(err_is(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame), ERR_NUMBER_OVERLAP));
	CHECK(is_ok(peer_do(p, PEER_UNMAP, 0, 0, 0)));
	CHECK(is_ok(peer_do(p, PEER_DELETE, theirs.value, 0, 0)));
	cap_slot_free(frame);
	CHECK(end_ram(ram)); /* the last one anywhere has gone: the memory is free */
	return NULL;
}

/* What the peer made outlives its copy of the memory that it was made of. */
static const char *check_delete_of_what_has_descendants(struct peer *p)
{
	cap_t ram, theirs, made;

	CHECK(make_ram(&ram));
	CHECK(is_ok(hand_over(p, ram, RIGHTS_ALL, &theirs)));
	made = peer_slot(p);
	CHECK(is_ok(peer_retype(p, theirs, CAP_Frame, 0, PAGE_BYTES, made)));
	CHECK(is_ok(peer_do(p, PEER_DELETE, theirs.value, 0, 0)));
	CHECK(!peer_has(p, theirs) && peer_has(p, made));
	CHECK(is_ok(cap_revoke(ram)));
	CHECK(!peer_has(p, made));
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_revoke(struct peer *p)
{
	cap_t ram, theirs, made, copy, mine;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&mine)));
	CHECK(is_ok(hand_over(p, ram, RIGHTS_ALL, &theirs)));
	made = peer_slot(p);
	copy = peer_slot(p);
	CHECK(is_ok(peer_retype(p, theirs, CAP_Frame, 0, PAGE_BYTES, made)));
	CHECK(is_ok(peer_do(p, PEER_COPY, made.value, copy.value, 0)));
	CHECK(is_ok(peer_do(p, PEER_MAP, made.value, RIGHT_READ, 0)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, PAGE_BYTES, PAGE_BYTES, 1, mine)));
	CHECK(is_ok(cap_revoke(ram)));
	CHECK(!peer_has(p, theirs) && !peer_has(p, made) && !peer_has(p, copy) && !is_there(mine));
	CHECK(is_there(ram) && flags_of(ram) == 0);
	(void)!is_ok(peer_do(p, PEER_UNMAP, 0, 0, 0));
	cap_slot_free(mine);
	CHECK(end_ram(ram));
	return NULL;
}

/* Whoever has the right may revoke, not only the owner. */
static const char *check_revoke_by_a_holder(struct peer *p)
{
	cap_t ram, frame, copy, theirs;

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)) && is_ok(cap_slot_alloc(&copy)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)) && is_ok(cap_copy(frame, copy)));
	CHECK(is_ok(hand_over(p, frame, RIGHTS_ALL, &theirs)));
	CHECK(is_ok(peer_do(p, PEER_REVOKE, theirs.value, 0, 0)));
	CHECK(!is_there(frame) && !is_there(copy) && peer_has(p, theirs));
	CHECK(is_ok(peer_do(p, PEER_REVOKE, theirs.value, 0, 0))); /* again: there is nothing to do */
	CHECK(is_ok(peer_do(p, PEER_DELETE, theirs.value, 0, 0)));
	cap_slot_free(frame);
	cap_slot_free(copy);
	CHECK(end_ram(ram));
	return NULL;
}

/* A page that was mapped there is gone when the revoke is over: who goes on using it faults. */
static const char *check_use_after_revoke(struct peer *p)
{
	struct peer victim;
	cap_t frame, theirs;
	int64_t status;
	enum end_cause cause;

	CHECK(make_frame(&frame));
	CHECK(peer_start(&victim, p->core, 100 + p->core));
	CHECK(is_ok(hand_over(&victim, frame, RIGHT_READ | RIGHT_WRITE, &theirs)));
	CHECK(is_ok(peer_do(&victim, PEER_MAP, theirs.value, RIGHT_READ | RIGHT_WRITE, 0)));
	CHECK(is_ok(peer_do(&victim, PEER_WRITE, 0, 1, 0)));
	CHECK(is_ok(cap_revoke(frame)));
	CHECK(is_err(peer_do(&victim, PEER_WRITE, 0, 2, 0)));
	CHECK(is_ok(domain_wait(victim.domain, &status, &cause)));
	CHECK(cause == END_FAULT || status > 128);
	ipc_close(victim.c);
	memory_object_free(frame);
	return NULL;
}

static err_t make_doorbell(cap_t dispatcher, unsigned number, cap_t *bell)
{
	err_t e = cap_slot_alloc(bell);

	return is_ok(e) ? cap_retype(dispatcher, CAP_Doorbell, number, 0, 1, *bell) : e;
}

static bool end_doorbell(cap_t bell)
{
	bool gone = is_ok(cap_delete(bell));

	cap_slot_free(bell);
	return gone;
}

/* Each number can be revoked without the other; what rings the whole dispatcher is not for programs to hand around. */
static const char *check_doorbell(struct peer *p)
{
	cap_t first, second, whole, theirs, others, again;

	CHECK(is_ok(make_doorbell(CAP_SELF_DISPATCHER, 0, &whole)) && is_ok(make_doorbell(CAP_SELF_DISPATCHER, 1, &first)));
	CHECK(is_ok(make_doorbell(CAP_SELF_DISPATCHER, 2, &second)));
	CHECK(err_is(make_doorbell(CAP_SELF_DISPATCHER, DOORBELLS + 1, &again), ERR_NUMBER_ARGUMENT));
	cap_slot_free(again);
	if (is_remote(p))
		CHECK(err_is(ipc_give(p->c, whole, RIGHTS(RIGHT_WRITE), 9), ERR_NUMBER_CAP_TYPE));
	CHECK(err_is(cap_revoke(whole), ERR_NUMBER_CAP_RIGHTS));
	CHECK(is_ok(hand_over(p, first, RIGHT_WRITE, &theirs)) && is_ok(hand_over(p, second, RIGHTS_ALL, &others)));
	CHECK(is_ok(peer_do(p, PEER_RING, theirs.value, 0, 0)) && is_ok(peer_do(p, PEER_RING, others.value, 0, 0)));
	CHECK(err_is(peer_do(p, PEER_REVOKE, theirs.value, 0, 0), ERR_NUMBER_CAP_RIGHTS));
	CHECK(is_ok(cap_revoke(first)));
	CHECK(err_is(peer_do(p, PEER_RING, theirs.value, 0, 0), ERR_NUMBER_CAP_EMPTY));
	CHECK(is_ok(peer_do(p, PEER_RING, others.value, 0, 0)));
	CHECK(!(flags_of(first) & CAP_FLAG_REMOTE));
	/* and by whom it was given to */
	CHECK(is_ok(peer_do(p, PEER_REVOKE, others.value, 0, 0)));
	CHECK(!is_there(second));
	CHECK(is_ok(peer_do(p, PEER_RING, others.value, 0, 0)));
	CHECK(is_ok(peer_do(p, PEER_DELETE, others.value, 0, 0)));
	cap_slot_free(second);
	CHECK(end_doorbell(first) && end_doorbell(whole));
	return NULL;
}

/* What is given and let go again leaves nothing behind, however it went. */
static const char *check_many_doorbells(struct peer *p)
{
	cap_t bell, theirs, ram, dispatcher;

	CHECK(is_ok(make_doorbell(CAP_SELF_DISPATCHER, 1, &bell)));
	for (unsigned round = 0; round < 20; round++) {
		CHECK(is_ok(hand_over(p, bell, RIGHT_WRITE, &theirs)));
		CHECK(((flags_of(bell) & CAP_FLAG_REMOTE) != 0) == is_remote(p));
		CHECK(is_ok(round % 2 == 0 ? peer_do(p, PEER_DELETE, theirs.value, 0, 0) : cap_revoke(bell)));
		EVENTUALLY(!(flags_of(bell) & CAP_FLAG_REMOTE));
	}
	CHECK(end_doorbell(bell));
	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&dispatcher)));
	for (unsigned round = 0; round < 20; round++) {
		CHECK(is_ok(cap_retype(ram, CAP_Dispatcher, 0, 0, 1, dispatcher)));
		CHECK(is_ok(make_doorbell(dispatcher, 1 + round % DOORBELLS, &bell)));
		CHECK(is_ok(hand_over(p, bell, RIGHT_WRITE, &theirs)));
		CHECK(is_ok(peer_do(p, PEER_RING, theirs.value, 0, 0)));
		CHECK(is_ok(cap_delete(dispatcher)));
		CHECK(!is_there(bell) && err_is(peer_do(p, PEER_RING, theirs.value, 0, 0), ERR_NUMBER_CAP_EMPTY));
		cap_slot_free(bell);
	}
	cap_slot_free(dispatcher);
	CHECK(end_ram(ram));
	return NULL;
}

/* What belongs to its core can't leave it. */
static const char *check_what_stays(struct peer *p)
{
	err_t e = ipc_give(p->c, CAP_SELF_DISPATCHER, RIGHTS(RIGHT_READ), 9);

	if (is_remote(p)) {
		CHECK(err_is(e, ERR_NUMBER_CAP_TYPE));
		CHECK(err_is(ipc_move(p->c, CAP_PAGE_TABLE4, RIGHTS(RIGHTS_ALL), 9), ERR_NUMBER_CAP_TYPE));
		CHECK(is_there(CAP_PAGE_TABLE4));
	} else {
		cap_t slot = peer_slot(p);

		CHECK(is_ok(e));
		CHECK(is_ok(peer_do(p, PEER_TAKE, slot.value, 9, 0)) && is_ok(peer_do(p, PEER_DELETE, slot.value, 0, 0)));
	}
	CHECK(is_there(CAP_SELF_DISPATCHER));
	return NULL;
}

/* A domain that ends leaves nothing of what it was given, or made of it. */
static const char *check_end_of_a_holder(struct peer *p)
{
	struct peer guest;
	cap_t ram, theirs;

	CHECK(make_ram(&ram));
	CHECK(peer_start(&guest, p->core, 200 + p->core));
	CHECK(is_ok(hand_over(&guest, ram, RIGHTS_ALL, &theirs)));
	CHECK(is_ok(peer_retype(&guest, theirs, CAP_Frame, 0, PAGE_BYTES, peer_slot(&guest))));
	CHECK(is_ok(peer_retype(&guest, theirs, CAP_CNode, 4 * PAGE_BYTES, CNODE_BYTES, peer_slot(&guest))));
	CHECK(peer_end(&guest));
	CHECK(end_ram(ram));
	return NULL;
}

/* And what it gave away ends with it: it was its memory. */
static const char *check_end_of_a_giver(struct peer *p)
{
	struct peer host;
	cap_t frame, ours;
	void *at;

	CHECK(peer_start(&host, p->core, 300 + p->core));
	frame = peer_slot(&host);
	CHECK(is_ok(peer_retype(&host, CAP_RAM_GRANT, CAP_Frame, 3 * MIB, PAGE_BYTES, frame)));
	CHECK(is_ok(peer_do(&host, PEER_GIVE, frame.value, RIGHT_READ | RIGHT_WRITE, 1)));
	CHECK(is_ok(ipc_take(host.c, 1, time_tsc() + time_tsc_hz(), &ours)));
	CHECK(is_ok(frame_map(ours, 0, PAGE_BYTES, READ_WRITE, &at)));
	*(volatile int *)at = 1;
	CHECK(peer_end(&host));
	CHECK(!is_there(ours));
	CHECK(is_ok(frame_unmap(at)));
	cap_slot_free(ours);
	return NULL;
}

/* A server that is told of gifts. What it gives a client as soon as that has connected may be there before the client knows the connection.
 */
static const char *check_server_is_told(struct peer *p)
{
	struct peer *echo = &peers[peer_count - 1], collector;
	struct cap_identity id;
	cap_t ram, greeting;

	CHECK(make_ram(&ram) && collector_start(&collector, p->core, 900 + p->core));
	CHECK(is_ok(ipc_take(collector.c, 1, time_tsc() + time_tsc_hz(), &greeting)));
	CHECK(is_ok(cap_identify(greeting, &id)) && id.type == CAP_Frame && id.rights == RIGHT_READ);
	CHECK(is_ok(cap_delete(greeting)));
	cap_slot_free(greeting);
	for (uint32_t tag = 11; tag <= 13; tag++)
		CHECK(is_ok(ipc_give(collector.c, ram, RIGHTS(RIGHT_READ), tag)));
	EVENTUALLY(peer_ask(&collector, PEER_COLLECTED, 0, 0, 0).word[0] == 3);
	CHECK(peer_ask(&collector, PEER_COLLECTED, 0, 0, 0).word[1] == 13);
	CHECK(is_ok(ipc_give(collector.c, ipc_endpoint(echo->c), RIGHTS(RIGHT_WRITE), 14)));
	EVENTUALLY(peer_ask(&collector, PEER_COLLECTED, 0, 0, 0).word[2] == 1);
	EVENTUALLY(!(flags_of(ram) & CAP_FLAG_REMOTE));
	CHECK(peer_end(&collector));
	CHECK(end_ram(ram));
	return NULL;
}

/* A domain whose very memory somebody else can take from goes on: whatever it needs, in its pager too, is agreed on. */
static const char *check_memory_is_shared(struct peer *p)
{
	struct peer host;
	struct answer a;
	struct cap_identity grant;
	cap_t ours, made;

	CHECK(peer_start(&host, p->core, 700 + p->core));
	CHECK(is_ok(peer_do(&host, PEER_GIVE, CAP_RAM_GRANT.value, RIGHTS_ALL, 1)));
	CHECK(is_ok(ipc_take(host.c, 1, time_tsc() + time_tsc_hz(), &ours)) && is_ok(cap_identify(ours, &grant)));
	CHECK(is_ok(cap_slot_alloc(&made)));
	for (unsigned round = 0; round < 4; round++) {
		a = peer_ask(&host, PEER_EAT, 256 * KIB, 0, 0);
		CHECK(is_ok(a.error) && a.word[0] == 0);
		CHECK(is_ok(cap_retype(ours, CAP_Frame, grant.size - 64 * KIB, 64 * KIB, 1, made)));
		a = peer_ask(&host, PEER_EAT, 256 * KIB, 0, 0);
		CHECK(is_ok(a.error) && a.word[0] == 0);
		CHECK(is_ok(cap_delete(made)));
	}
	cap_slot_free(made);
	CHECK(peer_end(&host));
	CHECK(!is_there(ours));
	cap_slot_free(ours);
	return NULL;
}

const struct peer_check operation_checks[] = {
    {"copy", check_copy},
    {"fewer_rights", check_fewer_rights},
    {"move", check_move},
    {"retype", check_retype},
    {"retype_refusals", check_retype_refusals},
    {"delete_by_the_owner", check_delete_by_the_owner},
    {"delete_of_what_has_descendants", check_delete_of_what_has_descendants},
    {"revoke", check_revoke},
    {"revoke_by_a_holder", check_revoke_by_a_holder},
    {"use_after_revoke", check_use_after_revoke},
    {"doorbell", check_doorbell},
    {"many_doorbells", check_many_doorbells},
    {"what_stays", check_what_stays},
    {"end_of_a_holder", check_end_of_a_holder},
    {"end_of_a_giver", check_end_of_a_giver},
    {"memory_is_shared", check_memory_is_shared},
    {"server_is_told", check_server_is_told},
    {NULL, NULL},
};
