/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What concerns several cores at once, one operation after the other. */

#include <stdio.h>

#include "tests/programs/agreement/checks.h"

static const char *check_many_holders(void)
{
	cap_t ram, theirs[PEERS_MAX];

	CHECK(make_ram(&ram));
	for (unsigned i = 0; i < peer_count; i++)
		CHECK(is_ok(hand_over(&peers[i], ram, RIGHTS_ALL, &theirs[i])));
	CHECK(is_ok(cap_revoke(ram)));
	for (unsigned i = 0; i < peer_count; i++)
		CHECK(!peer_has(&peers[i], theirs[i]));
	printf("revoke with %u holders: %u messages\n", remote_count, cap_last_messages());
	CHECK(cap_last_messages() <= 4 * remote_count + 4);
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_retype_with_many_holders(void)
{
	cap_t ram, frame, theirs[PEERS_MAX];

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	for (unsigned i = 0; i < peer_count; i++)
		CHECK(is_ok(hand_over(&peers[i], ram, RIGHTS_ALL, &theirs[i])));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	CHECK(cap_last_messages() <= 4 * remote_count + 4);
	CHECK(is_ok(cap_revoke(ram)) && !is_there(frame));
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

/* The owner's copy goes first, then one holder's after the other. */
static const char *check_the_last_one_frees_the_memory(void)
{
	cap_t ram, frame, theirs[PEERS_MAX];

	CHECK(make_ram(&ram) && is_ok(cap_slot_alloc(&frame)));
	CHECK(is_ok(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame)));
	for (unsigned i = 0; i < peer_count; i++)
		CHECK(is_ok(hand_over(&peers[i], frame, RIGHTS_ALL, &theirs[i])));
	CHECK(is_ok(cap_delete(frame)));
	for (unsigned i = 0; i < peer_count; i++) {
		CHECK(peer_has(&peers[i], theirs[i]));
		CHECK(err_is(cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame), ERR_NUMBER_OVERLAP));
		CHECK(is_ok(peer_do(&peers[i], PEER_DELETE, theirs[i].value, 0, 0)));
	}
	cap_slot_free(frame);
	CHECK(end_ram(ram));
	return NULL;
}

/* A third core has something that the second has made of the first one's memory. */
static const char *check_what_was_shared_further(void)
{
	struct peer *second = &peers[0], *third = &peers[1];
	cap_t ram, theirs, made, here, there;

	CHECK(make_ram(&ram));
	CHECK(is_ok(hand_over(second, ram, RIGHTS_ALL, &theirs)));
	made = peer_slot(second);
	CHECK(is_ok(peer_do(second, PEER_RETYPE, theirs.value | (uint64_t)made.value << 16 | (uint64_t)CAP_Frame << 32, 0, PAGE_BYTES)));
	CHECK(is_ok(peer_do(second, PEER_GIVE, made.value, RIGHTS_ALL, 1)));
	CHECK(is_ok(ipc_take(second->c, 1, time_tsc() + time_tsc_hz(), &here)));
	CHECK(is_ok(hand_over(third, here, RIGHT_READ | RIGHT_WRITE, &there)));
	CHECK(is_ok(peer_do(third, PEER_MAP, there.value, RIGHT_READ, 0)));
	CHECK(is_ok(cap_delete(here)) && is_ok(peer_do(second, PEER_DELETE, theirs.value, 0, 0)));
	cap_slot_free(here);
	CHECK(is_ok(cap_revoke(ram)));
	CHECK(!peer_has(second, made) && !peer_has(third, there));
	(void)!is_ok(peer_do(third, PEER_UNMAP, 0, 0, 0));
	CHECK(end_ram(ram));
	return NULL;
}

/* An endpoint's remote face: a peer elsewhere calls a server on this core. */
static const char *check_endpoint(void)
{
	struct peer *server = &peers[peer_count - 1];
	struct answer a;

	CHECK(ipc_is_local(server->c));
	for (unsigned i = 0; i + 1 < peer_count; i++) {
		CHECK(is_ok(ipc_give(peers[i].c, ipc_endpoint(server->c), RIGHTS(RIGHT_WRITE), 40 + i)));
		a = peer_ask(&peers[i], PEER_USE, 40 + i, 99, 0);
		CHECK(is_ok(a.error) && a.word[0] == 100);
	}
	return NULL;
}

static const char *check_endpoint_to_the_same_core(void)
{
	struct peer *server = &peers[peer_count - 1];
	struct peer guest;
	struct answer a;

	CHECK(peer_start(&guest, domain_core(), 400));
	CHECK(is_ok(ipc_give(guest.c, ipc_endpoint(server->c), RIGHTS(RIGHT_WRITE), 1)));
	a = peer_ask(&guest, PEER_USE, 1, 7, 0);
	CHECK(is_ok(a.error) && a.word[0] == 8);
	CHECK(peer_end(&guest));
	return NULL;
}

/* What nobody has taken goes with the connection. */
static const char *check_untaken(void)
{
	struct peer guest;
	cap_t ram;

	for (unsigned i = 0; i < peer_count; i++) {
		CHECK(make_ram(&ram) && peer_start(&guest, peers[i].core, 500 + i));
		for (uint32_t tag = 1; tag <= 8; tag++)
			CHECK(is_ok(ipc_give(guest.c, ram, RIGHTS(RIGHTS_ALL), tag)));
		ipc_close(guest.c);
		EVENTUALLY(!(flags_of(ram) & CAP_FLAG_REMOTE));
		CHECK(is_ok(domain_kill(guest.domain)));
		CHECK(end_ram(ram));
	}
	return NULL;
}

struct taker {
	struct ipc_connection *from;
	err_t error;
};

static void take_nothing(void *argument)
{
	struct taker *t = argument;
	cap_t nothing;

	t->error = ipc_take(t->from, 12345, 0, &nothing);
}

static const char *check_waiting_ends(void)
{
	cap_t nothing;
	struct peer guest;
	struct taker taker = {.error = OK};
	struct thread *thread;
	uint64_t before = time_tsc();

	CHECK(err_is(ipc_take(peers[0].c, 12345, before + time_tsc_hz() / 100, &nothing), ERR_NUMBER_TIMEOUT));
	CHECK(time_tsc() >= before + time_tsc_hz() / 100);
	/* and when somebody else closes the connection */
	CHECK(peer_start(&guest, peers[0].core, 510));
	taker.from = guest.c;
	CHECK(is_ok(thread_create(take_nothing, &taker, 0, &thread)));
	thread_sleep_until(time_tsc() + time_tsc_hz() / 100);
	ipc_close(guest.c);
	CHECK(is_ok(thread_join(thread)) && err_is(taker.error, ERR_NUMBER_PEER_GONE));
	CHECK(is_ok(domain_kill(guest.domain)));
	return NULL;
}

/* ---- Circles through CNodes ---- */

#define CIRCLE_ROOT 200

/* The peer has a CNode of that RAM, and in it the capability to the RAM. */
static bool make_circle(struct peer *p, cap_t ram, cap_t inside)
{
	uint64_t made = (uint64_t)CAP(ROOT_SELF, CIRCLE_ROOT).value << 16 | (uint64_t)CAP_CNode << 32;

	return is_ok(peer_do(p, PEER_RETYPE, ram.value | made, 0, CNODE_BYTES)) &&
	       is_ok(peer_do(p, PEER_SHIFT, inside.value, CAP(CIRCLE_ROOT, 5).value, 0));
}

static const char *check_circle_is_revoked(void)
{
	struct peer *p = &peers[0];
	cap_t ram, theirs;

	CHECK(make_ram(&ram));
	CHECK(is_ok(hand_over(p, ram, RIGHTS_ALL, &theirs)));
	CHECK(make_circle(p, theirs, theirs));
	CHECK(is_ok(cap_revoke(ram)));
	CHECK(!peer_has(p, CAP(ROOT_SELF, CIRCLE_ROOT)));
	CHECK(end_ram(ram));
	return NULL;
}

static const char *check_circle_is_deleted(void)
{
	struct peer *p = &peers[0];
	cap_t ram, theirs;

	CHECK(make_ram(&ram));
	CHECK(is_ok(hand_over(p, ram, RIGHTS_ALL, &theirs)));
	CHECK(make_circle(p, theirs, theirs));
	CHECK(is_ok(peer_do(p, PEER_DELETE, CAP(ROOT_SELF, CIRCLE_ROOT).value, 0, 0)));
	CHECK(!peer_has(p, CAP(ROOT_SELF, CIRCLE_ROOT)));
	CHECK(end_ram(ram));
	return NULL;
}

/* Each of two cores keeps, in a CNode of the one's memory, the capability to the other's. */
static const char *check_circle_over_two_cores(void)
{
	cap_t ram[2], own[2], other[2];

	for (unsigned i = 0; i < 2; i++)
		CHECK(make_ram(&ram[i]));
	for (unsigned i = 0; i < 2; i++) {
		CHECK(is_ok(hand_over(&peers[i], ram[i], RIGHTS_ALL, &own[i])));
		CHECK(is_ok(hand_over(&peers[i], ram[1 - i], RIGHTS_ALL, &other[i])));
		CHECK(make_circle(&peers[i], own[i], other[i]));
		CHECK(is_ok(peer_do(&peers[i], PEER_DELETE, own[i].value, 0, 0)));
	}
	CHECK(is_ok(cap_revoke(ram[0])));
	CHECK(!peer_has(&peers[0], CAP(ROOT_SELF, CIRCLE_ROOT)) && peer_has(&peers[1], CAP(ROOT_SELF, CIRCLE_ROOT)));
	CHECK(!peer_has(&peers[1], CAP(CIRCLE_ROOT, 5)));
	CHECK(is_ok(cap_revoke(ram[1])));
	CHECK(!peer_has(&peers[1], CAP(ROOT_SELF, CIRCLE_ROOT)));
	CHECK(end_ram(ram[0]) && end_ram(ram[1]));
	return NULL;
}

const struct check group_checks[] = {
    {"many_holders", 0, check_many_holders},
    {"retype_with_many_holders", 0, check_retype_with_many_holders},
    {"the_last_one_frees_the_memory", 0, check_the_last_one_frees_the_memory},
    {"what_was_shared_further", 2, check_what_was_shared_further},
    {"endpoint", 1, check_endpoint},
    {"endpoint_to_the_same_core", 0, check_endpoint_to_the_same_core},
    {"untaken", 0, check_untaken},
    {"waiting_ends", 0, check_waiting_ends},
    {"circle_is_revoked", 0, check_circle_is_revoked},
    {"circle_is_deleted", 0, check_circle_is_deleted},
    {"circle_over_two_cores", 2, check_circle_over_two_cores},
    {NULL, 0, NULL},
};
