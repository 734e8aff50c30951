// sources: libos/address_space/others.c libos/thread/queue.c libos/thread/policy_stealing.c cpudriver/abi/errors.c
// flags: -fomit-frame-pointer -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Threads that wait for another member's slab: what it says of the slab comes on one way, and the capability on another, so one may
 * overtake the other. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "libos/address_space/others.h"
#include "libos/address_space/piece.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/supply.h"
#include "libos/ipc/gift.h"
#include "libos/memory/agreement.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/never.h"
#include "tests/hosted/thread_world.h"

#define OWNER 1
#define SLAB  5

/* ---- What the file stands on: this is member 0 ---- */

struct link links[SPAN_MAX];
uint64_t link_mask = 1 << OWNER;

static struct ipc_connection connection;
static unsigned wants;
static bool is_gift, is_revoked;
static void (*joined)(unsigned member);

unsigned span_member(void)
{
	return 0;
}

void link_on_change(void (*on_join)(unsigned member), void (*on_leave)(unsigned member))
{
	joined = on_join;
}

err_t link_send(unsigned member, enum link_type type, const void *message)
{
	assert_int_equal(member, OWNER);
	assert_int_equal(type, LINK_want);
	wants++;
	return OK;
}

bool gifts_next(struct ipc_connection *c, struct gift *out)
{
	bool any = is_gift;

	is_gift = false;
	*out = (struct gift){.tag = SLAB, .cap = CAP(1, 1)};
	return any;
}

err_t cap_identify(cap_t cap, struct cap_identity *out)
{
	return is_revoked ? ERR(CAP_EMPTY) : OK;
}

bool cap_forget(cap_t cap)
{
	return true;
}

void *store_alloc(size_t bytes)
{
	return calloc(1, bytes);
}

void cap_slot_free(cap_t cap) {}
void touches_go_on(void) {}
void touches_refused(unsigned owner, uint16_t slab) {}

NEVER(err_t, cap_copy, cap_t from, cap_t to)
NEVER(err_t, cap_slot_alloc, cap_t *out)
NEVER(void, cap_slot_drop, cap_t cap)
NEVER(err_t, ipc_give, struct ipc_connection *c, cap_t cap, rights_t rights, uint32_t tag)
NEVER(void, pending_handle_enabled, void)
NEVER(bool, piece_from, uint64_t base, uint64_t end, struct piece *out)
NEVER(void, piece_lose, const struct piece *p)
NEVER(void, remote_left, unsigned member)
NEVER(err_t, service_begin, void (*function)(void *), const void *argument, size_t bytes)
NEVER(err_t, supply_copy, uint16_t slab, cap_t *out)
NEVER(void, supply_set_given, uint16_t slab, unsigned member, bool given)
NEVER(struct slab *, supply_slab, uint16_t slab)
NEVER(void, supply_taken_back, unsigned member)
NEVER(void, supply_unregister, uint16_t slab)

/* ---- Tests ---- */

static err_t outcome;

static void wait_for_slab(void *unused)
{
	outcome = others_wait(OWNER, SLAB);
}

static void say_gone(void *unused)
{
	link_handle_gone(OWNER, &(struct link_gone){.slab = SLAB});
}

static void refuse(void *unused)
{
	link_handle_refused(OWNER, &(struct link_refused){.slab = SLAB});
}

/* What is asked for again. */
static void refuse_then(void *unused)
{
	thread_yield();
	refuse(NULL);
}

static void give(void *unused)
{
	is_gift = true;
	connection.on_gift(&connection);
}

static void give_what_is_revoked(void *unused)
{
	is_revoked = true;
	give(NULL);
	is_revoked = false;
}

static int set_up(void **state)
{
	links[OWNER].connection = &connection;
	connection.data = &links[OWNER];
	others_start();
	joined(OWNER);
	say_gone(NULL);
	wants = 0;
	return 0;
}

static void test_it_comes(void **state)
{
	world_begin(wait_for_slab, NULL);
	world_begin(give, NULL);
	assert_true(world_run());
	assert_true(is_ok(outcome) && others_have(OWNER, SLAB));
	assert_int_equal(wants, 1);
}

static void test_it_is_refused(void **state)
{
	world_begin(wait_for_slab, NULL);
	world_begin(refuse, NULL);
	assert_true(world_run());
	assert_int_equal(outcome.number, ERR_NUMBER_PEER_GONE);
}

/* It was given, and went before it had come. Who waits asks again. */
static void test_that_it_is_gone_comes_first(void **state)
{
	world_begin(wait_for_slab, NULL);
	world_begin(say_gone, NULL);
	world_begin(refuse_then, NULL);
	assert_true(world_run());
	assert_int_equal(wants, 2);
	assert_int_equal(outcome.number, ERR_NUMBER_PEER_GONE);
}

static void test_what_has_come_is_revoked(void **state)
{
	world_begin(wait_for_slab, NULL);
	world_begin(give_what_is_revoked, NULL);
	world_begin(refuse_then, NULL);
	assert_true(world_run());
	assert_int_equal(wants, 2);
	assert_int_equal(outcome.number, ERR_NUMBER_PEER_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_it_comes, set_up),
	    cmocka_unit_test_setup(test_it_is_refused, set_up),
	    cmocka_unit_test_setup(test_that_it_is_gone_comes_first, set_up),
	    cmocka_unit_test_setup(test_what_has_come_is_revoked, set_up),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
