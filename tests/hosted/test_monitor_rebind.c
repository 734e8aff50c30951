// sources: monitor/rebind.c channels/channel.c channels/park.c cpudriver/abi/errors.c
// flags: -Wno-unused-parameter
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* An endpoint becomes a channel before one of the two domains moves: first the client changes over, then the server. Between the two the
 * client speaks where nobody listens yet, so if the server can't follow it has to hear that the connection is over. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "monitor/block.h"
#include "monitor/domain.h"
#include "monitor/ends.h"
#include "monitor/foreign_frame.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/move.h"
#include "monitor/rebind.h"
#include "tests/hosted/never.h"

enum { CLIENT, SERVER, ENDS };

static struct monitor *m;
static struct domain domains[ENDS];
static struct connection *ends[ENDS];
static unsigned widened[ENDS], closed[ENDS]; /* what the domains have heard */
static err_t place_for_server;

/* ---- What the file calls ---- */

struct domain *domain_find(struct monitor *mm, uint32_t number)
{
	for (unsigned i = 0; i < ENDS; i++)
		if (domains[i].number == number)
			return &domains[i];
	return NULL;
}

bool domain_is_moving(struct monitor *mm, uint32_t number)
{
	return false;
}

void domain_event(struct monitor *mm, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count)
{
	widened[d - domains] += event == EVENT_widened;
	closed[d - domains] += event == EVENT_closed;
}

struct connection *end_find(struct monitor *mm, uint32_t number)
{
	for (unsigned i = 0; i < ENDS; i++)
		if (ends[i]->number == number)
			return ends[i];
	return NULL;
}

struct connection *end_other(struct monitor *mm, const struct connection *c)
{
	return end_find(mm, c->peer_number);
}

err_t end_take_ring(struct monitor *mm, struct connection *c)
{
	c->ring.bytes = RING_BYTES;
	return OK;
}

err_t end_place_all(struct domain *d, struct connection *c, cap_t ring, cap_t peer_ring, cap_t peer_doorbell)
{
	return d == &domains[SERVER] ? place_for_server : OK;
}

void end_unplace_all(struct monitor *mm, struct connection *c) {}

err_t task_open(const struct domain *d)
{
	return OK;
}

void task_close(void) {}

void platform_ring(cap_t doorbell) {}

/* The other end is on this core: as bind.c handles it. */
bool mesh_send(struct monitor *mm, uint32_t core, unsigned type, const void *message)
{
	struct connection *c = end_find(mm, ((const struct message_close *)message)->connection);

	assert_int_equal(type, MESSAGE_close);
	assert_int_equal(core, m->core);
	if (!c->peer_closed)
		domain_event(mm, domain_find(mm, c->domain), EVENT_closed, NULL, 0);
	c->peer_closed = true;
	return true;
}

NEVER(bool, mesh_alive, const struct monitor *mm, uint32_t core)
NEVER(void, depart_held, struct monitor *mm, struct domain *d, err_t e)
NEVER(struct connection *, end_new, struct monitor *mm, uint32_t domain)
NEVER(void, end_free, struct monitor *mm, struct connection *c)
NEVER(err_t, end_install_face, struct connection *c, const struct face *face)
NEVER(err_t, end_place, struct domain *d, cap_t source, unsigned rights, uint8_t *slot)
NEVER(void, end_drop, struct monitor *mm, cap_t *ring, cap_t *doorbell, uint32_t core, bool lost)
NEVER(void, end_drop_foreign, struct monitor *mm, struct connection *c)
NEVER(err_t, platform_identify, cap_t cap, struct platform_remote *out, unsigned *flags)
NEVER(err_t, platform_mark, cap_t cap, bool remote, uint32_t owner)
NEVER(err_t, platform_sweep, cap_t cap, unsigned flags, struct platform_obstacle *o)
NEVER(err_t, view_open, const struct block *b, uint64_t offset, uint64_t bytes, struct view *out)
NEVER(void, view_close, struct view *v)
NEVER(err_t, foreign_frame_open, struct monitor *mm, const struct platform_remote *what, uint64_t offset, uint64_t bytes,
      struct foreign_frame *out)
NEVER(void, foreign_frame_close, struct monitor *mm, struct foreign_frame *f)

/* ---- The tests ---- */

/* Two domains of one core, of which the first calls an endpoint of the second. */
static int set_up(void **state)
{
	(void)state;
	m = calloc(1, sizeof(*m));
	assert_non_null(m);
	for (unsigned i = 0; i < ENDS; i++) {
		ends[i] = &m->connection[i];
		domains[i] = (struct domain){.number = 10 + i, .phase = DOMAIN_RUNNING};
		*ends[i] = (struct connection){.state = CONNECTION_OPEN,
		                               .kind = CONNECTION_ENDPOINT,
		                               .number = 100 + i,
		                               .domain = 10 + i,
		                               .peer_number = 101 - i,
		                               .peer_domain = 11 - i,
		                               .serves = i == SERVER};
		widened[i] = closed[i] = 0;
	}
	place_for_server = OK;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(m);
	return 0;
}

/* The server wants to move, and the client changes over. */
static void client_changes_over(void)
{
	assert_true(err_is(rebind_hold(m, &domains[SERVER]), ERR_NUMBER_AGAIN));
	assert_int_equal(widened[CLIENT], 1);
	assert_int_equal(widened[SERVER], 0);
	assert_true(is_ok(rebind_widened(m, &domains[CLIENT], ends[CLIENT]->number, false)));
}

static void test_both_change_over(void **state)
{
	(void)state;
	client_changes_over();
	assert_int_equal(widened[SERVER], 1);
	assert_true(is_ok(rebind_widened(m, &domains[SERVER], ends[SERVER]->number, false)));
	for (unsigned i = 0; i < ENDS; i++) {
		assert_int_equal(ends[i]->kind, CONNECTION_CHANNEL);
		assert_int_equal(closed[i], 0);
	}
}

static void test_the_client_refuses(void **state)
{
	(void)state;
	assert_true(err_is(rebind_hold(m, &domains[SERVER]), ERR_NUMBER_AGAIN));
	assert_true(is_ok(rebind_widened(m, &domains[CLIENT], ends[CLIENT]->number, true)));
	assert_true(err_is(rebind_hold(m, &domains[SERVER]), ERR_NUMBER_STAYS));
	assert_int_equal(widened[SERVER] + closed[CLIENT] + closed[SERVER], 0);
}

static void assert_both_know(void)
{
	for (unsigned i = 0; i < ENDS; i++) {
		assert_int_equal(closed[i], 1);
		assert_true(ends[i]->peer_closed);
	}
}

static void test_the_server_can_not_follow(void **state)
{
	(void)state;
	client_changes_over();
	assert_true(is_ok(rebind_widened(m, &domains[SERVER], ends[SERVER]->number, true)));
	assert_both_know();
}

static void test_the_server_has_no_room(void **state)
{
	(void)state;
	place_for_server = ERR(NO_SLOT);
	client_changes_over();
	assert_int_equal(widened[SERVER], 0);
	assert_both_know();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_both_change_over, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_the_client_refuses, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_the_server_can_not_follow, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_the_server_has_no_room, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
