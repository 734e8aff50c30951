// sources: monitor/core_start.c monitor/shares.c monitor/trampoline.c monitor/memory.c monitor/messages.c
// sources: numa/model/tree.c numa/model/query.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Starting cores on a machine that is simulated up to the interrupts that would start them: who gets which memory, what happens when, and
 * what becomes of a core that never answers or that lies. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atoll/address_space.h>

#include "cpudriver/abi/core_image.h"
#include "monitor/block.h"
#include "monitor/core_start.h"
#include "monitor/discovery.h"
#include "monitor/estate.h"
#include "monitor/fence.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/modules.h"
#include "monitor/report.h"

#define IMAGE   (64 * KIB)
#define MAILBOX (32 * KIB) /* in the image */

static struct monitor m;
static struct machine machine;
static struct core_boot boot;
static struct peer peers[8];
static uint8_t *trampoline, *mesh;
static unsigned inits[8], sipis[8], learnt, parted, failures[8], completions;
static uint64_t parted_bytes, given[8];
static unsigned ups, fence_failures;

/* ---- The platform: a microsecond is a tick ---- */

uint64_t platform_now(void)
{
	return 0;
}
uint64_t platform_ticks(uint64_t microseconds)
{
	return microseconds;
}
uint64_t platform_mailbox(void)
{
	return 0x5000;
}

err_t platform_init(uint32_t apic)
{
	inits[apic]++;
	return OK;
}

err_t platform_sipi(uint32_t apic, uint64_t page)
{
	assert_int_equal(page, 8);
	sipis[apic]++;
	return OK;
}

/* ---- Membership ---- */

void estate_tell_given(struct monitor *mm, uint32_t core, uint64_t base, uint64_t bytes, uint64_t boot_page)
{
	(void)base;
	assert_int_equal(boot_page != 0, core != mm->core);
	given[core] += bytes;
}
uint32_t membership_leader(const struct monitor *mm, uint32_t except)
{
	(void)mm, (void)except;
	return 0;
}
void membership_up(struct monitor *mm, uint32_t core)
{
	(void)mm, (void)core;
}
void fence_failed(struct monitor *mm, uint32_t core)
{
	(void)mm, (void)core;
	fence_failures++;
}

/* ---- Memory: views are of one buffer, since only one core is laid out at a time ---- */

static uint8_t *viewed;

err_t block_take_within(struct monitor *mm, enum cap_type type, uint64_t bytes, uint64_t low, uint64_t high, struct block *out)
{
	assert_int_equal(type, CAP_RAM);
	*out = (struct block){.bytes = bytes, .cap = CAP(3, 1)};
	return ram_take_within(&mm->ram, bytes, PAGE_BYTES, low, high, &out->base);
}

void block_give(struct monitor *mm, struct block *b)
{
	ram_give(&mm->ram, b->base, b->bytes);
	*b = (struct block){0};
}

void block_part_with(struct monitor *mm, struct block *b)
{
	parted++;
	parted_bytes += b->bytes;
	ram_part_with(&mm->ram, b->base, b->bytes);
	*b = (struct block){0};
}

err_t view_open(const struct block *b, uint64_t offset, uint64_t bytes, struct view *out)
{
	assert_in_range(offset + bytes, 1, b->bytes);
	free(viewed);
	viewed = aligned_alloc(PAGE_BYTES, bytes);
	out->at = viewed;
	return OK;
}

void view_close(struct view *v)
{
	v->at = NULL;
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	(void)frame, (void)offset, (void)bytes, (void)rights;
	*out = trampoline;
	return OK;
}

err_t module_map(const struct monitor *mm, const char *name, const void **at, size_t *bytes)
{
	(void)mm;
	*at = name;
	*bytes = 1;
	return OK;
}

err_t core_image_plan(const void *cpudriver, size_t cpudriver_bytes, const void *monitor, size_t monitor_bytes, uint32_t cores,
                      uint64_t window_end, bool huge_pages, struct core_image_plan *out, const char **why)
{
	(void)cpudriver, (void)cpudriver_bytes, (void)monitor, (void)monitor_bytes, (void)cores, (void)window_end, (void)huge_pages,
	    (void)why;
	out->bytes = IMAGE;
	return OK;
}

err_t core_image_plan_trace(struct core_image_plan *plan, const char *command_line, const char **why)
{
	(void)plan, (void)command_line, (void)why;
	return OK;
}

struct core_boot *core_image_build(const struct core_image_plan *plan, const void *cpudriver, const void *monitor,
                                   const struct core_image_target *target, const struct core_boot *template)
{
	struct core_boot *out = target->memory;

	(void)plan, (void)cpudriver, (void)monitor;
	*out = *template;
	out->core = target->core;
	out->mailbox_base = target->base + MAILBOX;
	return out;
}

/* ---- Other monitors ---- */

bool mesh_send(struct monitor *mm, uint32_t core, unsigned type, const void *message)
{
	(void)mm;
	if (type == MESSAGE_failed) {
		assert_int_equal(core, 0);
		failures[((const struct message_failed *)message)->core]++;
	}
	ups += type == MESSAGE_up;
	return true;
}

void mesh_prepare_page(void *page)
{
	memset(page, 0, PAGE_BYTES);
}
void mesh_learn(struct monitor *mm, uint32_t from, const struct message_up *up)
{
	(void)from;
	mm->peer[up->core].state = PEER_KNOWN;
	mm->peer[up->core].up = *up;
}
void mesh_introduce(struct monitor *mm, uint32_t core, const struct message_up *up)
{
	mesh_learn(mm, core, up);
	learnt++;
}
void report_line(struct monitor *mm, const char *format, ...)
{
	(void)mm, (void)format;
}
void discovery_complete(struct monitor *mm)
{
	(void)mm;
	completions++;
}

/* ---- The machine: two nodes of 64 MiB, cores 0 to 3 on the first, 4 to 7 on the second ---- */

static int begin(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	memset(&machine, 0, sizeof(machine));
	memset(&boot, 0, sizeof(boot));
	memset(peers, 0, sizeof(peers));
	memset(inits, 0, sizeof(inits));
	memset(sipis, 0, sizeof(sipis));
	memset(failures, 0, sizeof(failures));
	memset(given, 0, sizeof(given));
	learnt = parted = completions = ups = fence_failures = 0;
	parted_bytes = 0;
	machine = (struct machine){.core_count = 8, .core_total = 8, .node_count = 2, .range_count = 2};
	for (unsigned i = 0; i < 8; i++)
		machine.cores[i] = (struct machine_core){.apic = i, .node = i / 4};
	for (unsigned i = 0; i < 2; i++) {
		machine.nodes[i] = (struct machine_node){.memory_bytes = 64 * MIB, .core_count = 4};
		machine.ranges[i] = (struct machine_range){.base = i * 64 * MIB, .size = 64 * MIB, .node = (uint16_t)i};
		machine.distances[i][i] = 10;
		machine.distances[i][1 - i] = 20;
		assert_true(is_ok(ram_add(&m.ram, i * 64 * MIB, 64 * MIB)));
	}
	trampoline = calloc(1, PAGE_BYTES);
	memset(trampoline + TRAMPOLINE_TABLE, 0xff, PAGE_BYTES - TRAMPOLINE_TABLE);
	mesh = aligned_alloc(PAGE_BYTES, 8 * PAGE_BYTES);
	memset(mesh, 0, 8 * PAGE_BYTES);
	boot.trampoline = 0x8000;
	m.boot = &boot;
	m.machine = &machine;
	m.peers = 8;
	m.peer = peers;
	m.mesh = mesh;
	m.life = LIFE_STARTING;
	m.cores_left = 7;
	return is_ok(core_start_begin(&m)) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	free(trampoline);
	free(mesh);
	free(m.tree);
	free(m.start);
	free(m.starting);
	while (m.membership.legacies != NULL) {
		struct legacy *l = m.membership.legacies;

		m.membership.legacies = l->next;
		free(l);
	}
	free(viewed);
	viewed = NULL;
	return 0;
}

static struct start *start_of(uint32_t core)
{
	for (unsigned i = 0; i < m.starts; i++)
		if (m.start[i].core == core)
			return &m.start[i];
	return NULL;
}

static struct trampoline_entry *entries(void)
{
	return (struct trampoline_entry *)(trampoline + TRAMPOLINE_TABLE);
}

/* The core writes its first message; `change` spoils it. */
static void answer(uint32_t core, void (*change)(struct message_up *up))
{
	struct channel_slot *slot = (struct channel_slot *)(mesh + core * PAGE_BYTES);
	union message message;

	memset(&message, 0, sizeof(message));
	message.up = (struct message_up){.core = core,
	                                 .apic = core,
	                                 .mesh = start_of(core)->memory[0].base + IMAGE,
	                                 .mailbox = start_of(core)->memory[0].base + MAILBOX,
	                                 .doorbell = 0x7000};
	if (change != NULL)
		change(&message.up);
	for (unsigned i = 0; i < CHANNEL_WORDS; i++)
		channel_store_payload(&slot->line.payload[i], message.words[i]);
	core_start_heard(&m, core);
}

/* ---- Tests ---- */

static void test_shares(void **state)
{
	(void)state;
	assert_int_equal(m.starts, 4); /* the rest of its node, and the other node's leader */
	assert_int_equal(start_of(4)->memory[0].bytes, 64 * MIB);
	assert_int_equal(start_of(4)->memory[0].base, 64 * MIB);
	for (uint32_t core = 1; core < 4; core++) {
		assert_int_equal(start_of(core)->memory[0].bytes, 16 * MIB);
		assert_in_range(start_of(core)->memory[0].base, 0, 64 * MIB - 1);
	}
	assert_int_equal(m.ram.free, 16 * MIB);
	for (uint32_t core = 1; core < 5; core++)
		assert_int_equal(entries()[core].core_boot, start_of(core)->memory[0].base);
	assert_int_equal(entries()[5].apic, TRAMPOLINE_FREE);
	for (uint32_t core = 1; core < 5; core++)
		assert_int_equal(given[core], start_of(core)->memory[0].bytes);
}

static void test_all_at_once_and_in_order(void **state)
{
	(void)state;
	assert_int_equal(core_start_step(&m, 100), 10100);
	for (uint32_t core = 1; core < 5; core++)
		assert_int_equal(inits[core], 1);
	assert_int_equal(core_start_step(&m, 10099), 10100);
	assert_int_equal(sipis[1] + sipis[4], 0);
	assert_int_equal(core_start_step(&m, 10100), 10300);
	for (uint32_t core = 1; core < 5; core++)
		assert_int_equal(sipis[core], 1);
	answer(2, NULL);
	core_start_step(&m, 10300);
	assert_int_equal(sipis[1], 2);
	assert_int_equal(sipis[2], 1);
}

static void test_an_answer_hands_the_memory_over(void **state)
{
	(void)state;
	core_start_step(&m, 100);
	core_start_step(&m, 10100);
	answer(4, NULL);
	assert_int_equal(start_of(4)->state, START_UP);
	assert_int_equal(learnt, 1);
	assert_int_equal(parted, 1);
	assert_int_equal(parted_bytes, 64 * MIB);
	assert_true(peers[4].neighbour);
	assert_int_equal(entries()[4].apic, TRAMPOLINE_FREE);
	answer(1, NULL);
	assert_int_equal(learnt, 2);
}

static void spoil_mailbox(struct message_up *up)
{
	up->mailbox += PAGE_BYTES;
}
static void spoil_mesh(struct message_up *up)
{
	up->mesh = 0x1000;
}
static void spoil_core(struct message_up *up)
{
	up->core = 3;
}
static void spoil_apic(struct message_up *up)
{
	up->apic = 9;
}
static void spoil_doorbell(struct message_up *up)
{
	up->doorbell = 1;
}

static void test_lies_are_not_believed(void **state)
{
	void (*const spoilers[])(struct message_up *) = {spoil_mailbox, spoil_mesh, spoil_core, spoil_apic, spoil_doorbell};

	(void)state;
	answer(1, NULL); /* before it has been sent anything at all */
	assert_int_equal(learnt, 0);
	core_start_step(&m, 100);
	core_start_step(&m, 10100);
	for (size_t i = 0; i < sizeof(spoilers) / sizeof(spoilers[0]); i++)
		answer(1, spoilers[i]);
	assert_int_equal(learnt, 0);
	assert_int_equal(start_of(1)->state, START_SIPI);
}

static void test_a_silent_core_is_left_out(void **state)
{
	uint64_t next;

	(void)state;
	core_start_step(&m, 100);
	core_start_step(&m, 10100);
	core_start_step(&m, 10300);
	answer(1, NULL);
	answer(2, NULL);
	next = core_start_step(&m, 20000);
	assert_true(next > 1000000);
	assert_int_equal(core_start_step(&m, next), 0);
	assert_int_equal(inits[3], 2); /* so that it never wakes late */
	assert_int_equal(inits[1], 1);
	assert_int_equal(failures[3], 1);
	/* With a leader its whole node stays out. */
	for (uint32_t core = 4; core < 8; core++)
		assert_int_equal(failures[core], 1);
	assert_int_equal(failures[1] + failures[2], 0);
	assert_int_equal(m.ram.free, (16 + 16 + 64) * MIB);
	assert_int_equal(entries()[3].apic, TRAMPOLINE_FREE);
	answer(3, NULL);
	assert_int_equal(start_of(3)->state, START_FAILED);
	/* What the leader was told of the memory it is told otherwise now. */
	assert_int_equal(given[0], (16 + 64) * MIB);
}

/* ---- Coming back ---- */

static void up_all(void)
{
	core_start_step(&m, 100);
	core_start_step(&m, 10100);
	for (uint32_t core = 1; core < 5; core++)
		answer(core, NULL);
	for (uint32_t core = 1; core < 8; core++)
		peers[core].state = PEER_CONNECTED;
}

/* Core 1 has died: what it had is this core's again. */
static void inherit(uint64_t base, uint64_t bytes)
{
	struct legacy *l = calloc(1, sizeof(*l));

	*l = (struct legacy){m.membership.legacies, base, bytes, bytes, 1, 0, true};
	m.membership.legacies = l;
	assert_true(is_ok(ram_add(&m.ram, base, bytes)));
}

static void test_a_core_comes_back_with_what_it_had(void **state)
{
	uint64_t base;

	(void)state;
	base = start_of(1)->memory[0].base;
	up_all();
	inherit(base, 4 * MIB);
	inherit(base + 5 * MIB, 11 * MIB);
	m.membership.view = 5 << LEADER_BITS;
	peers[1].state = PEER_UNKNOWN;
	memset(mesh + PAGE_BYTES, 0, PAGE_BYTES);
	core_start_again(&m, 1);
	assert_int_equal(start_of(1)->memories, 2);
	assert_int_equal(start_of(1)->memory[0].base, base + 5 * MIB); /* the larger one first */
	assert_int_equal(start_of(1)->memory[0].bytes, 11 * MIB);
	assert_int_equal(m.ram.free, 16 * MIB);
	assert_null(m.membership.legacies);
	assert_int_equal(((struct core_boot *)viewed)->restarted, 5);
	core_start_step(&m, 20000);
	core_start_step(&m, 30000);
	assert_int_equal(inits[1] + sipis[1], 4);
	answer(1, NULL);
	assert_int_equal(start_of(1)->state, START_UP);
	assert_int_equal(ups, 1); /* the leader hears of it */
}

static void test_a_core_comes_back_without_an_inheritance(void **state)
{
	(void)state;
	up_all();
	peers[1].state = PEER_UNKNOWN;
	core_start_again(&m, 1);
	assert_int_equal(start_of(1)->memory[0].bytes, 16 * MIB / 5 & ~(PAGE_BYTES - 1)); /* as if four others lived of it */
}

static void test_a_core_that_does_not_come_back_takes_nobody_along(void **state)
{
	uint64_t next, free_before;

	(void)state;
	up_all();
	free_before = m.ram.free;
	peers[4].state = PEER_UNKNOWN;
	core_start_again(&m, 4);
	core_start_step(&m, 20000);
	core_start_step(&m, 30000);
	next = core_start_step(&m, 30200);
	assert_int_equal(core_start_step(&m, next), 0);
	assert_int_equal(start_of(4)->state, START_FAILED);
	assert_int_equal(failures[4], 1);
	for (uint32_t core = 5; core < 8; core++)
		assert_int_equal(failures[core], 0);
	assert_int_equal(m.ram.free, free_before);
	handle_failed(&m, 0, &(struct message_failed){.core = 4});
	assert_int_equal(fence_failures, 1);
}

static void test_everybody_is_counted_once(void **state)
{
	(void)state;
	for (uint32_t core = 1; core < 4; core++) {
		struct message_up up = {.core = core};

		handle_up(&m, core, &up);
		handle_up(&m, 2, &up);
	}
	for (uint32_t core = 3; core < 8; core++) {
		assert_int_equal(completions, 0);
		handle_failed(&m, 0, &(struct message_failed){.core = core});
		handle_failed(&m, 1, &(struct message_failed){.core = core, .reason = 1000});
	}
	assert_int_equal(completions, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_shares, begin, end),
	    cmocka_unit_test_setup_teardown(test_all_at_once_and_in_order, begin, end),
	    cmocka_unit_test_setup_teardown(test_an_answer_hands_the_memory_over, begin, end),
	    cmocka_unit_test_setup_teardown(test_lies_are_not_believed, begin, end),
	    cmocka_unit_test_setup_teardown(test_a_silent_core_is_left_out, begin, end),
	    cmocka_unit_test_setup_teardown(test_everybody_is_counted_once, begin, end),
	    cmocka_unit_test_setup_teardown(test_a_core_comes_back_with_what_it_had, begin, end),
	    cmocka_unit_test_setup_teardown(test_a_core_comes_back_without_an_inheritance, begin, end),
	    cmocka_unit_test_setup_teardown(test_a_core_that_does_not_come_back_takes_nobody_along, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
