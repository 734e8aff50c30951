// sources: monitor/mesh.c monitor/messages.c monitor/agreement/messages.c channels/channel.c channels/park.c
// sources: cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Monitors that talk while some of them sleep: nobody sleeps on a message, and nobody looks at who is silent. What may happen between two
 * stores of one channel is test_channel_wakeup.c's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atoll/address_space.h>
#include <atoll/trace.h>

#include "libos/trace/trace.h"
#include "monitor/core_start.h"
#include "monitor/estate.h"
#include "monitor/handlers.h"
#include "monitor/membership.h"
#include "monitor/mesh.h"
#include "monitor/platform.h"
#include "monitor/report.h"
#include "monitor/whereabouts.h"
#include "tests/hosted/dispatcher_page.h"
#include "tests/hosted/random.h"

enum { CORES = 5, SLOTS = 4096, STEPS = 20000, RUNS = 20 };

static struct monitor *monitor[CORES];
static bool asleep[CORES], pending[CORES]; /* pending: the dispatcher's bit */
static uint32_t running;
static uint64_t object[SLOTS]; /* by slot: a doorbell's or a page's base */
static unsigned slots, rings;
/* The agreement's messages wait for their view, and the others don't. */
enum kind { PLAIN, AGREED, KINDS };
static uint32_t sent[KINDS][CORES][CORES], received[KINDS][CORES][CORES];

/* ---- What surrounds it ---- */

struct trace_ring *trace_ring;
uint64_t trace_slots;

void trace_sending(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type, size_t bytes)
{
	(void)ch, (void)ring, (void)protocol, (void)type, (void)bytes;
	fail();
}

void trace_received(const struct channel *ch, uint64_t ring, enum trace_protocol protocol, uint16_t type)
{
	(void)ch, (void)ring, (void)protocol, (void)type;
	fail();
}

err_t cap_slots_alloc(unsigned count, cap_t *first)
{
	*first = CAP(1 + slots / 256, slots % 256);
	slots += count;
	assert_true(slots < SLOTS - 256 && slots % 256 <= 256 - count);
	return OK;
}

void cap_slot_free(cap_t slot)
{
	assert_int_equal(object[slot.value - (1 << 8)], 0);
}

err_t platform_install(cap_t slot, const struct platform_remote *what)
{
	object[slot.value - (1 << 8)] = what->base;
	return OK;
}

err_t platform_sweep(cap_t cap, unsigned flags, struct platform_obstacle *o)
{
	(void)cap, (void)flags, (void)o;
	return OK;
}

err_t platform_surrender(cap_t cap)
{
	object[cap.value - (1 << 8)] = 0;
	return OK;
}

err_t platform_peer(uint32_t core, uint32_t apic, uint64_t mailbox)
{
	(void)core, (void)apic, (void)mailbox;
	return OK;
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	assert_true(offset == 0 && bytes == PAGE_BYTES);
	(void)rights;
	*out = (void *)(uintptr_t)object[frame.value - (1 << 8)];
	return OK;
}

err_t frame_unmap(void *address)
{
	assert_non_null(address);
	return OK;
}

/* A doorbell's base is its core's number and one. */
void platform_ring(cap_t doorbell)
{
	const uint64_t core = object[doorbell.value - (1 << 8)] - 1;

	assert_true(core < CORES);
	pending[core] = true;
	rings++;
}

bool platform_rung(void)
{
	return pending[running];
}

bool platform_take_ring(void)
{
	const bool was = pending[running];

	pending[running] = false;
	return was;
}

static void arrived(struct monitor *m, enum kind kind, uint32_t from, uint32_t number)
{
	assert_ptr_equal(m, monitor[running]);
	assert_int_equal(number, received[kind][from][running]);
	received[kind][from][running]++;
}

void handle_failed(struct monitor *m, uint32_t from, const struct message_failed *message)
{
	arrived(m, PLAIN, from, message->reason);
}

static void unexpected(struct monitor *m, uint32_t from, const void *message)
{
	(void)m, (void)from, (void)message;
	fail();
}

#define handle_failed handled_failed
#define MESSAGE(name, number, fields)                                                                                                      \
	void handle_##name(struct monitor *m, uint32_t from, const struct message_##name *message);                                        \
	void handle_##name(struct monitor *m, uint32_t from, const struct message_##name *message)                                         \
	{                                                                                                                                  \
		unexpected(m, from, message);                                                                                              \
	}
#include "monitor/messages.def"
#undef MESSAGE
#undef handle_failed

/* What a later view says is not heard before. */
void agreement_receive(struct agreement *a, uint32_t from, unsigned type, const uint64_t words[CHANNEL_WORDS])
{
	struct agreement_gone gone;

	memcpy(&gone, words, sizeof(gone));
	assert_ptr_equal(a, &monitor[running]->agreement);
	assert_int_equal(type, AGREEMENT_gone);
	assert_true(gone.head.view <= monitor[running]->membership.view);
	arrived(monitor[running], AGREED, from, gone.reserved);
}

void agreement_start(struct agreement *a, uint32_t core, uint32_t cores)
{
	(void)a, (void)core, (void)cores;
}

void estate_arrival(struct monitor *m, uint64_t base, uint64_t bytes)
{
	(void)m, (void)base, (void)bytes;
}

void core_start_heard(struct monitor *m, uint32_t core)
{
	(void)m, (void)core;
}

void membership_suspect(struct monitor *m, uint32_t core, struct suspicion why)
{
	(void)m, (void)core, (void)why;
	fail();
}

void whereabouts_introduce(struct monitor *m, uint32_t core)
{
	(void)m, (void)core;
}

void report_line(struct monitor *m, const char *format, ...)
{
	(void)m;
	fail_msg("%s", format);
}

/* ---- The machine ---- */

static struct message_up up_of(uint32_t core)
{
	return (struct message_up){.core = core, .mesh = (uint64_t)(uintptr_t)monitor[core]->mesh, .doorbell = core + 1};
}

static void start(uint32_t core, uint32_t view)
{
	struct monitor *m = calloc(1, sizeof(*m));
	uint8_t *area = aligned_alloc(PAGE_BYTES, CORES * PAGE_BYTES);

	assert_true(m != NULL && area != NULL);
	for (unsigned page = 0; page < CORES; page++)
		mesh_prepare_page(area + page * PAGE_BYTES);
	*m = (struct monitor){.core = core, .peers = CORES, .membership.view = view};
	assert_true(is_ok(mesh_start(m, (uint64_t)(uintptr_t)area, area)));
	monitor[core] = m;
	asleep[core] = pending[core] = false;
}

static void stop(uint32_t core)
{
	free(monitor[core]->mesh);
	free(monitor[core]->peer);
	free(monitor[core]->watch);
	free(monitor[core]->lively);
	free(monitor[core]);
}

static void introduce(uint32_t core, uint32_t other)
{
	const struct message_up up = up_of(other);

	running = core;
	mesh_learn(monitor[core], other, &up);
}

static int begin(void **state)
{
	(void)state;
	slots = rings = 0;
	memset(object, 0, sizeof(object));
	memset(sent, 0, sizeof(sent));
	memset(received, 0, sizeof(received));
	for (uint32_t core = 0; core < CORES; core++)
		start(core, 0);
	for (uint32_t core = 0; core < CORES; core++)
		for (uint32_t other = 0; other < CORES; other++)
			if (core != other)
				introduce(core, other);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (uint32_t core = 0; core < CORES; core++) {
		for (uint32_t other = 0; other < CORES; other++)
			mesh_forget(monitor[core], other);
		stop(core);
	}
	return 0;
}

static void say_as(enum kind kind, uint32_t from, uint32_t to)
{
	const uint32_t number = sent[kind][from][to]++;
	const struct agreement_gone gone = {
	    .head = {.view = monitor[from]->membership.view, .object = CAP_Frame, .size = PAGE_BYTES}, .core = from, .reserved = number};

	running = from;
	if (kind == PLAIN)
		assert_true(MESH_SEND(monitor[from], to, failed, .core = from, .reason = number));
	else
		assert_true(mesh_send(monitor[from], to, AGREEMENT_gone, &gone));
}

static void say(uint32_t from, uint32_t to)
{
	say_as(random_number() % KINDS, from, to);
}

static void wake(uint32_t core)
{
	running = core;
	mesh_unpark(monitor[core]);
	if (platform_take_ring())
		mesh_rung(monitor[core]);
	asleep[core] = false;
}

/* As a monitor's loop does it. */
static void go_to_sleep(uint32_t core)
{
	running = core;
	mesh_poll(monitor[core]);
	asleep[core] = mesh_park(monitor[core]);
}

static void next_view(uint32_t core)
{
	running = core;
	monitor[core]->membership.view++;
	mesh_release(monitor[core]);
}

/* Everybody does what there is to do, until all sleep and nobody is rung. */
static void settle(void)
{
	bool more = true;

	for (unsigned round = 0; more; round++) {
		assert_true(round < 1000);
		more = false;
		for (uint32_t core = 0; core < CORES; core++) {
			if (asleep[core] && pending[core])
				wake(core);
			if (!asleep[core]) {
				go_to_sleep(core);
				more = true;
			}
		}
	}
}

static void all_have_heard_all(enum kind last)
{
	for (unsigned kind = 0; kind <= last; kind++)
		for (uint32_t from = 0; from < CORES; from++)
			for (uint32_t to = 0; to < CORES; to++)
				assert_int_equal(received[kind][from][to], sent[kind][from][to]);
}

/* ---- Tests ---- */

static void step(uint32_t core)
{
	const uint32_t what = random_number() % 100, to = random_number() % CORES;

	if (asleep[core]) {
		if (pending[core] || what == 0) /* a timer, or a call */
			wake(core);
	} else if (what < 30 && to != core) {
		for (unsigned i = 0; i <= (what == 0 ? 40 : what % 3); i++) /* sometimes more than a ring takes */
			say(core, to);
	} else if (what < 60) {
		running = core;
		mesh_poll(monitor[core]);
	} else if (what == 60 && monitor[core]->membership.view < monitor[(core + 1) % CORES]->membership.view + 3) {
		next_view(core);
	} else {
		go_to_sleep(core);
	}
}

static void test_nobody_sleeps_on_a_message(void **state)
{
	for (uint64_t run = 1; run <= RUNS; run++) {
		uint32_t view = 0;

		random_state = run;
		for (unsigned i = 0; i < STEPS; i++) {
			step(random_number() % CORES);
			if (random_number() % 64 == 0) {
				settle();
				all_have_heard_all(PLAIN);
			}
		}
		for (uint32_t core = 0; core < CORES; core++)
			view = monitor[core]->membership.view > view ? monitor[core]->membership.view : view;
		for (uint32_t core = 0; core < CORES; core++) {
			if (asleep[core])
				wake(core);
			while (monitor[core]->membership.view < view)
				next_view(core);
		}
		settle();
		all_have_heard_all(AGREED);
		end(state);
		begin(state);
	}
}

static void talk(uint32_t from, uint32_t to)
{
	if (asleep[from])
		wake(from);
	say_as(PLAIN, from, to);
	settle();
}

static void test_only_who_talks_is_looked_at(void **state)
{
	(void)state;
	for (uint32_t core = 1; core < CORES; core++)
		talk(core, 0);
	for (unsigned i = 0; i < 3; i++) {
		talk(1, 0);
		talk(0, 1);
	}
	assert_int_equal(monitor[0]->livelies, 1);
	assert_int_equal(monitor[0]->lively[0], 1);
	all_have_heard_all(AGREED);
}

static void test_who_was_silent_rings_once(void **state)
{
	test_only_who_talks_is_looked_at(state);
	wake(0); /* it does not sleep, and does not look at core 3 */
	assert_false(monitor[0]->peer[3].lively);
	wake(3);
	rings = 0;
	say(3, 0);
	say(3, 0);
	assert_int_equal(rings, 1);
	running = 0;
	assert_true(mesh_waiting(monitor[0]));
	assert_true(mesh_glance(monitor[0]));
	mesh_poll(monitor[0]);
	all_have_heard_all(AGREED);
	say(3, 0);
	assert_int_equal(rings, 1); /* now it is looked at */
	settle();
	all_have_heard_all(AGREED);
}

/* More than the receiver holds back, so that some of it stays in the channel. */
static void test_what_a_later_view_said_comes_with_the_view(void **state)
{
	(void)state;
	next_view(1);
	for (unsigned i = 0; i < 300; i++)
		say_as(AGREED, 1, 0);
	settle();
	for (unsigned i = 0; i < 3; i++) {
		talk(2, 0);
		talk(0, 2);
	}
	assert_int_equal(received[AGREED][1][0], 0);
	assert_false(monitor[0]->peer[1].lively);
	wake(0);
	next_view(0);
	settle();
	all_have_heard_all(AGREED);
}

static void test_a_core_in_a_lost_ones_place_is_heard(void **state)
{
	(void)state;
	for (uint32_t core = 0; core < CORES; core++)
		if (core != 2)
			talk(2, core);
	for (uint32_t core = 0; core < CORES; core++)
		if (core != 2) {
			mesh_forget(monitor[core], 2);
			mesh_forget(monitor[2], core);
		}
	stop(2);
	settle();
	start(2, 0);
	all_have_heard_all(AGREED);
	memset(sent, 0, sizeof(sent));
	memset(received, 0, sizeof(received));
	for (uint32_t core = 0; core < CORES; core++) {
		if (core == 2)
			continue;
		mesh_bury(monitor[core], 2);
		introduce(2, core);
	}
	/* It knocks before core 4 has heard of it. */
	for (uint32_t core = 0; core < 4; core++)
		if (core != 2)
			introduce(core, 2);
	if (asleep[2])
		wake(2);
	say_as(PLAIN, 2, 4);
	settle();
	assert_int_equal(received[PLAIN][2][4], 0);
	wake(4);
	introduce(4, 2);
	settle();
	talk(2, 0);
	all_have_heard_all(AGREED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_nobody_sleeps_on_a_message, begin, end),
	    cmocka_unit_test_setup_teardown(test_only_who_talks_is_looked_at, begin, end),
	    cmocka_unit_test_setup_teardown(test_who_was_silent_rings_once, begin, end),
	    cmocka_unit_test_setup_teardown(test_what_a_later_view_said_comes_with_the_view, begin, end),
	    cmocka_unit_test_setup_teardown(test_a_core_in_a_lost_ones_place_is_heard, begin, end),
	};

	return cmocka_run_group_tests(tests, map_dispatcher, NULL);
}
