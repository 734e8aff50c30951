/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a program can't do: it reaches the agreement only through capabilities and connections of its own. */

#include <string.h>

#include "tests/programs/agreement/checks.h"

/* Past the library: any request at all. It does not wait for the end (tag 0). */
static err_t ask_the_monitor(const struct capability_request *r)
{
	uint64_t word[3];

	memcpy(word, r, sizeof(word));
	return monitor_request(REQUEST_capability, 0, word[0], word[1], word[2]).error;
}

static const char *check_bad_operations(void)
{
	cap_t frame;

	CHECK(make_frame(&frame));
	for (unsigned operation = 0; operation < 256; operation++) {
		struct capability_request r = {.cap = frame.value, .operation = (uint8_t)operation};

		if (operation < CAPABILITY_DELETE || operation > CAPABILITY_MOVE)
			CHECK(err_is(ask_the_monitor(&r), ERR_NUMBER_ARGUMENT));
	}
	CHECK(is_there(frame));
	memory_object_free(frame);
	return NULL;
}

static const char *check_bad_addresses(void)
{
	for (unsigned operation = CAPABILITY_DELETE; operation <= CAPABILITY_MOVE; operation++) {
		struct capability_request r = {.operation = (uint8_t)operation, .type = CAP_Frame, .count = 1};

		for (unsigned root = 250; root < 256; root++) { /* the library has not come so far */
			r.cap = CAP(root, 7).value;
			CHECK(is_err(ask_the_monitor(&r)));
		}
		r.cap = CAP(ROOT_TASK, 100).value;
		CHECK(is_err(ask_the_monitor(&r)));
	}
	return NULL;
}

/* All numbers that a connection may have had so far, and some more. */
static const char *check_others_connections(void)
{
	unsigned own = 0;
	cap_t frame;

	CHECK(make_frame(&frame));
	for (uint32_t generation = 0; generation < 24; generation++)
		for (uint32_t index = 0; index < 256; index++) {
			struct capability_request r = {.cap = frame.value, .operation = CAPABILITY_GIVE, .bytes = RIGHTS_ALL};
			err_t e;

			r.offset = generation << 16 | index;
			e = ask_the_monitor(&r);
			if (is_ok(e))
				own++;
			else
				CHECK(err_is(e, ERR_NUMBER_NOT_FOUND) || err_is(e, ERR_NUMBER_LIMIT));
		}
	/* this domain's own are those to the peers, and to the console */
	CHECK(own <= peer_count + 1);
	EVENTUALLY(is_ok(cap_revoke(frame)));
	memory_object_free(frame);
	return NULL;
}

static const char *check_bad_retypes(void)
{
	cap_t ram, theirs;

	CHECK(make_ram(&ram) && is_ok(hand_over(&peers[0], ram, RIGHT_READ, &theirs)));
	for (unsigned type = 0; type < 256; type += 5)
		for (unsigned shift = 0; shift < 64; shift += 9) {
			const struct capability_request r = {
			    .cap = ram.value,
			    .operation = CAPABILITY_RETYPE,
			    .type = (uint8_t)type,
			    .first = CAP_MONITOR.value, /* not empty */
			    .count = (uint16_t)(1u << shift % 16),
			    .offset = UINT64_MAX << shift,
			    .bytes = UINT64_MAX >> shift,
			};

			CHECK(is_err(ask_the_monitor(&r)));
		}
	CHECK(is_there(CAP_MONITOR) && is_ok(cap_revoke(ram)));
	CHECK(end_ram(ram));
	return NULL;
}

/* The endpoint of the monitor leads to no domain. */
static const char *check_the_monitors_endpoint(void)
{
	for (unsigned i = 0; i < peer_count; i++) {
		CHECK(err_is(ipc_give(peers[i].c, CAP_MONITOR, RIGHTS(RIGHTS_ALL), 1), ERR_NUMBER_PERMISSION));
		CHECK(is_err(ipc_move(peers[i].c, CAP_MONITOR, RIGHTS(RIGHTS_ALL), 1)));
	}
	CHECK(is_there(CAP_MONITOR));
	return NULL;
}

/* Its own trace ring it may give away: that spoils nothing but its own trace (monitor/trace.h). */
static bool is_trace(const struct cap_identity *id)
{
	struct cap_identity trace;

	return is_ok(cap_identify(CAP(ROOT_TASK, TASK_TRACE), &trace)) && trace.type == CAP_Frame && trace.base == id->base;
}

/* Whether it is a connection's ring: its memory is not of this domain's block. */
static bool is_ring(cap_t cap)
{
	struct cap_identity id, grant;

	return is_ok(cap_identify(CAP_RAM_GRANT, &grant)) && is_ok(cap_identify(cap, &id)) && id.type == CAP_Frame &&
	       id.rights == (RIGHT_READ | RIGHT_WRITE) && (id.base < grant.base || id.base - grant.base > grant.size) && !is_trace(&id);
}

static unsigned count_rings(void)
{
	unsigned rings = 0;

	for (unsigned root = ROOT_TASK; root < 16; root++)
		for (unsigned slot = 0; slot < CNODE_SLOTS; slot++)
			rings += is_ring(CAP(root, slot));
	return rings;
}

/* The rings of connections are the monitors' memory: their life is the connection's. */
static const char *check_rings_stay(void)
{
	EVENTUALLY(count_rings() > 0); /* alone there is only the console's, which may still be on its way */
	for (unsigned root = ROOT_TASK; root < 16; root++)
		for (unsigned slot = 0; slot < CNODE_SLOTS; slot++) {
			const cap_t cap = CAP(root, slot);

			if (!is_ring(cap))
				continue;
			for (unsigned i = 0; i < peer_count; i++)
				CHECK(err_is(ipc_give(peers[i].c, cap, RIGHTS(RIGHTS_ALL), 3), ERR_NUMBER_PERMISSION));
			CHECK(is_there(cap));
		}
	return NULL;
}

/* A program that gives everything it has to everybody, and ends, takes nothing with it that is not its own. */
static const char *check_giving_everything(void)
{
	struct peer guest;
	int64_t status;
	enum end_cause cause;
	unsigned given = 0;

	for (unsigned i = 0; i < peer_count; i++) {
		CHECK(peer_start(&guest, peers[i].core, 800 + i));
		for (unsigned slot = 0; slot < 64; slot++)
			given += is_ok(peer_do(&guest, PEER_GIVE, CAP(ROOT_TASK, slot).value, RIGHTS_ALL, slot));
		CHECK(is_ok(peer_do(&guest, PEER_EAT, 64 * KIB, 0, 0)));
		CHECK(is_ok(domain_kill(guest.domain)) && is_ok(domain_wait(guest.domain, &status, &cause)) && cause == END_KILLED);
		ipc_close(guest.c);
	}
	CHECK(given > 4 * peer_count);
	return NULL;
}

/* Far more than may be under way, and more than the peer keeps: it is refused, or let go, and nothing else suffers. */
static const char *check_flood(void)
{
	unsigned refused = 0;
	cap_t ram;

	CHECK(make_ram(&ram));
	for (unsigned i = 0; i < 500; i++) {
		struct peer *p = &peers[i % peer_count];
		const struct capability_request r = {.cap = ram.value, .operation = CAPABILITY_REVOKE};

		if (i % 5 == 0) {
			err_t e = ipc_give(p->c, ram, RIGHTS(RIGHTS_ALL), 90000);

			/* it may be in the monitor's hands while it is revoked */
			CHECK(is_ok(e) || err_is(e, ERR_NUMBER_LIMIT) || err_is(e, ERR_NUMBER_CAP_EMPTY));
		}
		refused += is_err(ask_the_monitor(&r));
	}
	CHECK(remote_count == 0 || refused > 0); /* alone, the monitor is through with each one at once */
	for (unsigned i = 0; i < peer_count; i++)
		CHECK(is_ok(peer_do(&peers[i], PEER_ECHO, 1, 0, 0)));
	EVENTUALLY(is_ok(cap_revoke(ram)));
	CHECK(end_ram(ram));
	return NULL;
}

const struct check attack_checks[] = {
    {"bad_operations", 0, check_bad_operations},
    {"bad_addresses", 0, check_bad_addresses},
    {"others_connections", 0, check_others_connections},
    {"bad_retypes", 0, check_bad_retypes},
    {"the_monitors_endpoint", 0, check_the_monitors_endpoint},
    {"rings_stay", 0, check_rings_stay},
    {"giving_everything", 0, check_giving_everything},
    {"flood", 0, check_flood},
    {NULL, 0, NULL},
};
