// sources: monitor/membership.c monitor/heartbeat.c monitor/fence.c monitor/estate.c monitor/trampoline.c monitor/clear.c
// sources: monitor/messages.c
// sources: numa/model/query.c cpudriver/abi/errors.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Four monitors in one process, on a machine that is simulated up to what they say to each other: who is a member, what happens to those
 * who are not any more, and what becomes of their memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atoll/address_space.h>

#include "monitor/block.h"
#include "monitor/core_start.h"
#include "monitor/domain.h"
#include "monitor/estate.h"
#include "monitor/fence.h"
#include "monitor/handlers.h"
#include "monitor/heartbeat.h"
#include "monitor/loss.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/tickets.h"

#define CORES 4 /* 0 and 1 on node 0, 2 and 3 on node 1 */
#define PIECE (64 * MIB)

static struct monitor *monitor[CORES];
static struct peer peers[CORES][CORES];
static struct machine machine;
static struct core_boot boot[CORES];
static uint8_t *trampoline;
static uint64_t now;

/* what happened */
static bool stopped[CORES]; /* its processor runs nothing, and takes INIT and SIPI when it runs again */
static bool dead[CORES];    /* says nothing any more */
static unsigned inits[CORES], sipis[CORES], starts[CORES], lost[CORES][CORES], buried[CORES][CORES], views[CORES], done_events;
static uint32_t agreed_view[CORES], last_error;
static uint64_t adopted[CORES], swept;
static uint32_t running; /* whose monitor is being stepped: platform functions are its */

/* what the CPU drivers see */
static struct platform_silence silence[CORES]; /* by watcher */
static uint64_t here[CORES];

struct range {
	uint32_t core;
	uint64_t base, bytes;
};
static struct range held[8];
static uint64_t installed; /* the latest that was */
static unsigned holds;

/* ---- The platform: a microsecond is a tick ---- */

uint64_t platform_now(void)
{
	return now;
}
uint64_t platform_ticks(uint64_t microseconds)
{
	return microseconds;
}
uint64_t platform_microseconds(uint64_t ticks)
{
	return ticks;
}

static void pass(uint32_t apic)
{
	struct trampoline_entry *table = (struct trampoline_entry *)(trampoline + TRAMPOLINE_TABLE);

	for (unsigned i = 0; i < TRAMPOLINE_ENTRIES; i++)
		if (table[i].apic == apic)
			table[i].passed = 1;
}

err_t platform_init(uint32_t apic)
{
	inits[apic]++;
	dead[apic] = true;
	return OK;
}
err_t platform_sipi(uint32_t apic, uint64_t page)
{
	assert_int_equal(page, 8);
	sipis[apic]++;
	assert_in_range(sipis[apic], 1, 2 * inits[apic]);
	if (!stopped[apic])
		pass(apic);
	return OK;
}

err_t platform_watch(const struct platform_watch *watch, struct platform_silence *s)
{
	/* Another core to watch has done nothing wrong yet. */
	if (watch->here != here[running])
		silence[running] = (struct platform_silence){.met = true};
	here[running] = watch->here;
	*s = silence[running];
	assert_true(watch->period == 0 || watch->lease > now);
	return OK;
}

bool platform_find(cap_t within, uint64_t base, uint64_t bytes)
{
	assert_int_equal(within.value, CAP_NULL.value);
	for (unsigned i = 0; i < holds; i++)
		if (held[i].core == running && held[i].base < base + bytes && base < held[i].base + held[i].bytes)
			return true;
	return false;
}

err_t platform_install(cap_t slot, const struct platform_remote *what)
{
	(void)slot;
	assert_true(what->type == CAP_RAM ? what->owner == running : what->owner != running);
	installed = what->base;
	return OK;
}
err_t platform_surrender(cap_t cap)
{
	(void)cap;
	return OK;
}
err_t platform_sweep(cap_t cap, unsigned flags, struct platform_obstacle *o)
{
	(void)cap, (void)flags, (void)o;
	swept++;
	return OK;
}
void platform_print(const char *text, size_t bytes)
{
	(void)text;
	assert_in_range(bytes, 1, 32);
}

/* ---- Memory ---- */

err_t cap_slot_alloc(cap_t *out)
{
	*out = CAP(3, 1);
	return OK;
}
void cap_slot_free(cap_t slot)
{
	(void)slot;
}

/* The only frames that are mapped are the core_boot pages of the dead. */
err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	(void)frame, (void)offset, (void)bytes, (void)rights;
	*out = &boot[installed / PIECE];
	return OK;
}
err_t frame_unmap(void *at)
{
	(void)at;
	return OK;
}

static uint8_t slice[MIB];
static bool no_view; /* nothing can be cleared */

err_t view_open(const struct block *b, uint64_t offset, uint64_t bytes, struct view *out)
{
	assert_in_range(offset + bytes, 1, b->bytes);
	assert_in_range(bytes, 1, sizeof(slice));
	if (no_view)
		return ERR(OVERLAP);
	out->at = slice;
	return OK;
}
void view_close(struct view *v)
{
	v->at = NULL;
}
err_t block_adopt(struct monitor *m, cap_t ram)
{
	(void)ram;
	/* The newest that is done is the one. */
	for (struct legacy *l = m->membership.legacies; l != NULL; l = l->next)
		if (l->done && l->cleared == l->bytes) {
			adopted[m->core] += l->bytes;
			l->cleared++;
		}
	return OK;
}

/* ---- Messages, in order ---- */

struct letter {
	uint32_t from, to;
	unsigned type;
	union message message;
};
static struct letter letters[4096];
static unsigned first, last;

bool mesh_alive(const struct monitor *m, uint32_t core)
{
	return core == m->core || m->peer[core].state == PEER_KNOWN || m->peer[core].state == PEER_CONNECTED;
}

bool mesh_send(struct monitor *m, uint32_t core, unsigned type, const void *message)
{
	if (!mesh_alive(m, core))
		return false;
	assert_in_range(last, 0, sizeof(letters) / sizeof(letters[0]) - 1);
	letters[last] = (struct letter){m->core, core, type, {{0}}};
	memcpy(&letters[last].message, message, message_bytes(type));
	last++;
	return true;
}

static void learn(struct monitor *m, const struct message_up *up)
{
	m->peer[up->core].state = PEER_KNOWN;
	m->peer[up->core].up = *up;
}

static void hand_over(const struct letter *l)
{
	struct monitor *m = monitor[l->to];

	running = l->to;
	switch (l->type) {
#define CASE(name)                                                                                                                         \
	case MESSAGE_##name:                                                                                                               \
		handle_##name(m, l->from, &l->message.name);                                                                               \
		break;
		CASE(suspect)
		CASE(view) CASE(buried) CASE(given) CASE(inventory) CASE(holding) CASE(inventoried) CASE(inherit) CASE(inherited)
		    CASE(dropped) CASE(wanted) CASE(start) CASE(started)
	case MESSAGE_up:
		learn(m, &l->message.up);
		membership_up(m, l->message.up.core);
		break;
	default:
		fail_msg("nobody sends %u here", l->type);
	}
}

/* Nothing of a core that its receiver has lost is read. */
static void deliver(void)
{
	for (; first < last; first++)
		if (!dead[letters[first].to] &&
		    (letters[first].from == letters[first].to || mesh_alive(monitor[letters[first].to], letters[first].from)))
			hand_over(&letters[first]);
	first = last = 0;
}

static void run(uint64_t us)
{
	for (uint64_t end = now + us; now < end; now += 250) {
		for (running = 0; running < CORES; running++)
			if (!dead[running])
				membership_step(monitor[running], now);
		deliver();
	}
}

/* ---- The rest of the monitor ---- */

void agreement_view(struct agreement *a, uint32_t view, const struct core_set *alive)
{
	agreed_view[a->core] = view;
	a->alive = *alive;
	views[a->core]++;
}
void mesh_release(struct monitor *m)
{
	(void)m;
}
uint64_t mesh_beat_here(const struct monitor *m, uint32_t core)
{
	return 0x1000 + m->core * 0x1000 + core * 64;
}
uint64_t mesh_beat_there(const struct monitor *m, uint32_t core)
{
	return 0x1000 + core * 0x1000 + m->core * 64;
}
void core_lost(struct monitor *m, uint32_t core)
{
	lost[m->core][core] += m->peer[core].state != PEER_LOST;
	m->peer[core].state = PEER_LOST;
}
void core_buried(struct monitor *m, uint32_t core)
{
	buried[m->core][core]++;
	m->peer[core].state = PEER_UNKNOWN;
}
void core_start_again(struct monitor *m, uint32_t core)
{
	starts[core]++;
	assert_int_equal(m->node, machine.cores[core].node);
}
void report_line(struct monitor *m, const char *format, ...)
{
	(void)m, (void)format;
}
uint32_t ticket_open(struct monitor *m, enum ticket_kind kind, uint32_t core, uint32_t domain, uint32_t tag, struct ticket **out)
{
	(void)out;
	m->ticket[0] = (struct ticket){.kind = kind, .core = core, .domain = domain, .tag = tag};
	return 77;
}
struct ticket *ticket_find(struct monitor *m, uint32_t number, enum ticket_kind kind, uint32_t from)
{
	return number == 77 && m->ticket[0].kind == kind && m->ticket[0].core == from ? &m->ticket[0] : NULL;
}
void ticket_close(struct monitor *m, struct ticket *t)
{
	(void)m;
	t->kind = TICKET_FREE;
}
struct domain *domain_find(struct monitor *m, uint32_t number)
{
	(void)number;
	return &m->domain[0];
}
void domain_event(struct monitor *m, struct domain *d, enum monitor_event event, const uint64_t *words, unsigned count)
{
	(void)m, (void)d, (void)count;
	assert_int_equal(event, EVENT_done);
	last_error = (uint32_t)words[1];
	done_events++;
}

/* ---- The machine ---- */

static void make_monitor(uint32_t core)
{
	struct monitor *m = monitor[core] = calloc(1, sizeof(*m));

	assert_non_null(m);
	boot[core] = (struct core_boot){
	    .magic = CORE_BOOT_MAGIC, .core = core, .trampoline = 0x8000, .image_base = GIB + core * MIB, .image_bytes = MIB};
	*m =
	    (struct monitor){.core = core, .node = core / 2, .peers = CORES, .peer = peers[core], .boot = &boot[core], .machine = &machine};
	m->agreement.core = core;
	m->trampoline = trampoline;
	for (uint32_t other = 0; other < CORES; other++)
		peers[core][other] = (struct peer){.state = PEER_CONNECTED};
	silence[core] = (struct platform_silence){.met = true};
}

static int begin(void **state)
{
	(void)state;
	now = 1000000;
	first = last = holds = done_events = 0;
	swept = 0;
	memset(stopped, 0, sizeof(stopped));
	memset(dead, 0, sizeof(dead));
	memset(inits, 0, sizeof(inits));
	memset(sipis, 0, sizeof(sipis));
	memset(starts, 0, sizeof(starts));
	memset(lost, 0, sizeof(lost));
	memset(buried, 0, sizeof(buried));
	memset(views, 0, sizeof(views));
	memset(adopted, 0, sizeof(adopted));
	machine = (struct machine){.core_count = CORES, .core_total = CORES, .node_count = 2, .range_count = 2, .has_numa = 1};
	for (unsigned i = 0; i < CORES; i++)
		machine.cores[i] = (struct machine_core){.apic = i, .node = i / 2};
	for (unsigned i = 0; i < 2; i++) {
		machine.nodes[i] = (struct machine_node){.memory_bytes = 2 * PIECE, .core_count = 2};
		machine.ranges[i] = (struct machine_range){.base = i * 2 * PIECE, .size = 2 * PIECE, .node = (uint16_t)i};
		machine.distances[i][i] = 10;
		machine.distances[i][1 - i] = 20;
	}
	trampoline = calloc(1, PAGE_BYTES);
	memset(trampoline + TRAMPOLINE_TABLE, 0xff, PAGE_BYTES - TRAMPOLINE_TABLE);
	for (uint32_t core = 0; core < CORES; core++)
		make_monitor(core);
	for (uint32_t core = 1; core < CORES; core++)
		estate_tell_given(monitor[0], core, core * PIECE, PIECE, core * PIECE);
	running = 0;
	membership_begin(monitor[0]);
	deliver();
	run(250);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (uint32_t core = 0; core < CORES; core++) {
		struct membership *s = &monitor[core]->membership;

		while (s->legacies != NULL) {
			struct legacy *l = s->legacies;

			s->legacies = l->next;
			free(l);
		}
		free(s->fence);
		free(s->settlement.estate);
		free(s->settlement.holding);
		free(monitor[core]);
	}
	free(trampoline);
	return 0;
}

static void die(uint32_t core, uint32_t watcher)
{
	dead[core] = true;
	silence[watcher] = (struct platform_silence){.silence = CALM_US, .met = true};
	heartbeat_silence(monitor[watcher]);
}

static void crash(uint32_t core, uint32_t watcher)
{
	boot[core].stopped = 7;
	die(core, watcher);
	silence[watcher].silence = 0;
	silence[watcher].over = true;
}

static void nobody_is_silent(void)
{
	for (uint32_t core = 0; core < CORES; core++)
		silence[core] = (struct platform_silence){.met = true};
}

static uint64_t members(uint32_t core)
{
	return monitor[core]->membership.alive.word[0];
}

static uint64_t estate_of(uint32_t core)
{
	const struct settlement *s = &monitor[0]->membership.settlement;
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->estates; i++)
		sum += s->estate[i].core == core ? s->estate[i].bytes : 0;
	return sum;
}

/* ---- Views ---- */

static void test_the_first_view(void **state)
{
	(void)state;
	for (uint32_t core = 0; core < CORES; core++) {
		assert_int_equal(members(core), 0xf);
		assert_int_equal(monitor[core]->membership.view, 1 << 8);
		assert_int_equal(agreed_view[core], 1 << 8);
		assert_int_equal(monitor[core]->membership.heartbeat.watched, (core + 1) % CORES);
		assert_int_equal(monitor[core]->membership.heartbeat.watcher, (core + CORES - 1) % CORES);
	}
	run(5000000);
	assert_int_equal(views[0] + views[1] + views[2] + views[3], 4);
}

static void test_a_silent_core_is_stopped_before_anybody_does_without_it(void **state)
{
	(void)state;
	die(2, 1);
	run(250);
	assert_true(inits[2] > 0);
	for (uint32_t core = 0; core < CORES; core++) {
		if (core == 2)
			continue;
		assert_int_equal(members(core), 0xb);
		assert_int_equal(lost[core][2], 1);
		assert_int_equal(agreed_view[core], 2 << 8);
		assert_int_equal(buried[core][2], 0); /* not before it has passed the trampoline */
	}
	assert_int_equal(monitor[1]->membership.heartbeat.watched, 3);
	assert_int_equal(monitor[3]->membership.heartbeat.watcher, 1);
	nobody_is_silent();
	run(20000);
	for (uint32_t core = 0; core < CORES; core++)
		assert_int_equal(buried[core][2], core != 2);
}

static void test_a_strained_machine_takes_its_time(void **state)
{
	(void)state;
	silence[1] = (struct platform_silence){.silence = 900000, .strain = DELAY_US, .met = true};
	heartbeat_silence(monitor[1]);
	run(100000);
	assert_int_equal(members(0), 0xf);
	silence[1] = (struct platform_silence){.silence = 1900000, .strain = 250000, .met = true};
	run(100000);
	assert_int_equal(members(0), 0xf);
	silence[1].strain = 100; /* calm again: now it is too long */
	run(100000);
	assert_int_equal(members(0), 0xb);
}

static void test_who_has_never_beaten_gets_more_time(void **state)
{
	(void)state;
	silence[1] = (struct platform_silence){.silence = STRAINED_US - 1, .met = false};
	heartbeat_silence(monitor[1]);
	run(100000);
	assert_int_equal(members(0), 0xf);
	silence[1].silence = STRAINED_US;
	run(100000);
	assert_int_equal(members(0), 0xb);
}

static void test_a_last_beat_needs_no_silence(void **state)
{
	(void)state;
	crash(2, 1);
	run(250);
	assert_int_equal(members(3), 0xb);
}

static void test_the_successor_leads(void **state)
{
	(void)state;
	die(0, 3);
	run(1000000);
	assert_int_equal(members(1), 0xf); /* nobody does without the first core before he must */
	silence[3].silence = FIRST_US;
	run(100000);
	for (uint32_t core = 1; core < CORES; core++) {
		assert_int_equal(members(core), 0xe);
		assert_int_equal(monitor[core]->membership.view, 2 << 8 | 1);
	}
	assert_true(inits[0] > 0);
	nobody_is_silent();
	die(3, 2);
	run(100000);
	assert_int_equal(members(1), 0x6);
	assert_int_equal(members(2), 0x6);
}

static void test_two_who_suspect_each_other(void **state)
{
	(void)state;
	running = 1;
	membership_suspect(monitor[1], 2, 1, 1);
	running = 2;
	membership_suspect(monitor[2], 1, 1, 1);
	run(250);
	assert_int_equal(members(0), 0xb);
	assert_int_equal(members(1), 0xb);
	assert_int_equal(inits[1], 0);
}

static void test_a_new_leader_learns_of_the_old_ones_last_view(void **state)
{
	struct core_set without_2 = {{0xb}};

	(void)state;
	/* The first core has told core 3 only that 2 is gone. */
	dead[0] = dead[2] = true;
	running = 3;
	handle_view(monitor[3], 0, &(struct message_view){.number = 2 << 8, .alive0 = without_2.word[0]});
	assert_int_equal(lost[3][2], 1);
	running = 1;
	membership_suspect(monitor[1], 0, FIRST_US, FIRST_US);
	run(250);
	assert_int_equal(members(1), 0xa);
	assert_int_equal(members(3), 0xa);
	assert_true(monitor[3]->membership.view > (2 << 8));
	assert_int_equal(monitor[3]->membership.view, monitor[1]->membership.view);
	assert_int_equal(lost[3][2], 1);
}

static void test_false_views_are_refused_and_counted(void **state)
{
	const struct message_view wrong[] = {
	    {.number = 1 << 8, .alive0 = 0xf},              /* no later one */
	    {.number = 2 << 8 | 1, .alive0 = 0xe},          /* another's number */
	    {.number = 2 << 8, .alive0 = 0xd},              /* without the receiver */
	    {.number = 2 << 8, .alive0 = 0xe},              /* not led by who says so */
	    {.number = 2 << 8, .alive0 = 0x1f},             /* a core that the machine does not have */
	    {.number = 2 << 8, .alive0 = 0xf, .alive3 = 1}, /* likewise */
	};
	unsigned count = sizeof(wrong) / sizeof(wrong[0]);

	(void)state;
	for (unsigned i = 0; i < count; i++)
		handle_view(monitor[1], 0, &wrong[i]);
	assert_int_equal(peers[1][0].refused, count);
	handle_view(monitor[1], 2, &(struct message_view){.number = 2 << 8 | 2, .alive0 = 0x6});
	assert_int_equal(peers[1][2].refused, 1);
	assert_int_equal(members(1), 0xf);
	handle_view(monitor[3], 1, &(struct message_view){.number = 2 << 8 | 1, .alive0 = 0xe});
	assert_int_equal(members(3), 0xe); /* the first core's successor */
	handle_view(monitor[3], 0, &(struct message_view){.number = 9 << 8, .alive0 = 0xf});
	assert_int_equal(peers[3][0].refused, 1); /* no member any more */
}

static void test_suspicions_of_strangers_and_of_the_past(void **state)
{
	(void)state;
	handle_suspect(monitor[0], 1, &(struct message_suspect){.core = 2, .view = 0});
	handle_suspect(monitor[0], 1, &(struct message_suspect){.core = 0, .view = 1 << 8});
	handle_suspect(monitor[1], 2, &(struct message_suspect){.core = 3, .view = 1 << 8}); /* it does not lead */
	assert_int_equal(inits[0] + inits[1] + inits[2] + inits[3], 0);
	crash(2, 1);
	run(100000);
	handle_suspect(monitor[0], 2, &(struct message_suspect){.core = 1, .view = monitor[0]->membership.view});
	assert_int_equal(inits[1], 0);
}

/* ---- Stopping and starting ---- */

static void test_a_processor_that_does_not_run_is_waited_for(void **state)
{
	(void)state;
	stopped[2] = true;
	die(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_true(inits[2] > 3);
	assert_int_equal(buried[0][2] + buried[1][2] + buried[3][2], 0);
	assert_int_equal(adopted[3], 0);
	stopped[2] = false;
	pass(2);
	run(1000000);
	assert_int_equal(buried[3][2], 1);
	assert_int_equal(adopted[3], PIECE);
	assert_int_equal(starts[2], 1); /* it was only silent */
	assert_int_equal(((struct trampoline_entry *)(trampoline + TRAMPOLINE_TABLE))[2].apic, TRAMPOLINE_FREE);
}

static void come_up(uint32_t core)
{
	make_monitor(core);
	dead[core] = false;
	running = 3;
	monitor[3]->peer[core].state = PEER_CONNECTED;
	mesh_send(monitor[3], 0, MESSAGE_up, &(struct message_up){.core = core});
	deliver();
	run(250);
}

static void test_it_comes_back_as_a_member(void **state)
{
	struct monitor *old = monitor[2];

	(void)state;
	die(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(starts[2], 1);
	come_up(2);
	free(old);
	for (uint32_t core = 0; core < CORES; core++) {
		assert_int_equal(members(core), 0xf);
		assert_int_equal(monitor[core]->membership.view, 3 << 8);
		assert_int_equal(agreed_view[core], 3 << 8);
	}
	assert_int_equal(monitor[1]->membership.heartbeat.watched, 2);
}

static void test_who_crashed_stays_out_until_somebody_asks(void **state)
{
	struct monitor *old = monitor[2];

	(void)state;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(starts[2], 0);
	assert_int_equal(adopted[3], PIECE);
	running = 1;
	assert_true(is_ok(fence_ask(monitor[1], &monitor[1]->domain[0], 5, 2)));
	run(1000);
	assert_int_equal(starts[2], 1);
	assert_int_equal(done_events, 0);
	come_up(2);
	free(old);
	assert_int_equal(done_events, 1);
	assert_int_equal(last_error, ERR_NUMBER_OK);
	/* It is there now. */
	running = 1;
	assert_true(is_ok(fence_ask(monitor[1], &monitor[1]->domain[0], 6, 2)));
	run(1000);
	assert_int_equal(last_error, ERR_NUMBER_STATE);
	assert_true(err_is(fence_ask(monitor[1], &monitor[1]->domain[0], 7, CORES), ERR_NUMBER_CORE_UNKNOWN));
}

static void test_a_start_that_fails_is_told(void **state)
{
	(void)state;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	running = 1;
	assert_true(is_ok(fence_ask(monitor[1], &monitor[1]->domain[0], 5, 2)));
	run(1000);
	running = 0;
	fence_failed(monitor[0], 2);
	run(1000);
	assert_int_equal(done_events, 1);
	assert_int_equal(last_error, ERR_NUMBER_CORE_DEAD);
}

static void test_a_starter_that_dies_takes_nothing_along(void **state)
{
	unsigned before;

	(void)state;
	die(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(starts[2], 1);
	before = inits[2];
	/* Core 3 has given core 2 memory, and dies. */
	running = 3;
	estate_tell_given(monitor[3], 2, 2 * PIECE, PIECE, 2 * PIECE);
	deliver();
	crash(3, 1);
	machine.cores[2].node = 0; /* where it is started from now on: nobody else is on its node */
	run(250);
	nobody_is_silent();
	run(3000000);
	assert_true(inits[2] > before);
	assert_int_equal(adopted[0] + adopted[1], 2 * PIECE);
	assert_int_equal(starts[2], 2);
}

static void test_silence_is_forgiven_three_times(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= RESTARTS_MAX; i++) {
		struct monitor *old = monitor[2];

		die(2, 1);
		run(250);
		nobody_is_silent();
		run(1000000);
		if (i == RESTARTS_MAX)
			break;
		assert_int_equal(starts[2], i + 1);
		come_up(2);
		free(old);
	}
	assert_int_equal(starts[2], RESTARTS_MAX);
}

/* ---- Memory ---- */

static void test_what_nobody_has_goes_to_a_core_of_the_node(void **state)
{
	(void)state;
	held[holds++] = (struct range){1, 2 * PIECE + 5 * PAGE_BYTES, 3 * PAGE_BYTES};
	held[holds++] = (struct range){3, 2 * PIECE + 7 * PAGE_BYTES, 2 * PAGE_BYTES};
	held[holds++] = (struct range){0, 3 * PIECE - PAGE_BYTES, PAGE_BYTES};
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(adopted[3], PIECE - 5 * PAGE_BYTES);
	assert_int_equal(adopted[0] + adopted[1], 0);
	assert_int_equal(estate_of(1), PIECE + 3 * PAGE_BYTES);
	assert_int_equal(estate_of(2), 0);
	assert_int_equal(estate_of(3), PIECE + PIECE - 5 * PAGE_BYTES + PAGE_BYTES);
	assert_int_equal(monitor[0]->membership.fence[2].held, 5 * PAGE_BYTES);
	assert_true(swept > 0); /* doorbells of the dead */
	/* What its holder drops goes the same way. */
	holds = 0;
	running = 1;
	estate_tell_dropped(monitor[1], 2 * PIECE + 5 * PAGE_BYTES, 3 * PAGE_BYTES);
	run(1000000);
	assert_int_equal(adopted[3], PIECE - 5 * PAGE_BYTES + 3 * PAGE_BYTES);
}

/* What a member has said that it has, and drops before the piece is settled, is asked for again. */
static void test_what_is_dropped_while_it_is_being_settled(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	s->piece = (struct estate){.base = 2 * PIECE, .bytes = PIECE, .core = 2};
	handle_dropped(monitor[0], 1, &(const struct message_dropped){.base = 3 * PIECE, .bytes = PAGE_BYTES});
	assert_false(s->incomplete);
	handle_dropped(monitor[0], 1, &(const struct message_dropped){.base = 2 * PIECE + PAGE_BYTES, .bytes = PAGE_BYTES});
	assert_true(s->incomplete);
}

static void test_ones_own_memory_is_never_given_away(void **state)
{
	(void)state;
	/* Core 3 has a root and its image in what core 2 was noted with. */
	monitor[3]->root[0].base = 2 * PIECE + PIECE / 2;
	monitor[3]->root[0].bytes = PIECE / 4;
	monitor[3]->roots = 1;
	held[holds++] = (struct range){3, 2 * PIECE + PIECE / 2, PIECE / 4};
	boot[3].image_base = 2 * PIECE + PIECE / 4;
	boot[3].image_bytes = MIB;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(adopted[3], PIECE - PIECE / 4 - MIB);
	assert_int_equal(monitor[0]->membership.fence[2].held, PIECE / 4 + MIB);
}

static void test_what_cannot_be_cleared_is_not_used(void **state)
{
	(void)state;
	no_view = true;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	no_view = false;
	assert_int_equal(adopted[0] + adopted[1] + adopted[3], 0);
	assert_int_equal(monitor[0]->membership.fence[2].state, FENCE_OUT);
}

static void test_what_lies_elsewhere_is_no_holding(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	monitor[0]->agreement.changing = true;
	crash(2, 1);
	run(1000000);
	monitor[0]->agreement.changing = false;
	running = 0;
	membership_step(monitor[0], now);
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round, .base = 3 * PIECE, .bytes = PAGE_BYTES});
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round, .base = 3 * PIECE - PAGE_BYTES, .bytes = 2 * PAGE_BYTES});
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round, .base = 2 * PIECE - PAGE_BYTES, .bytes = 2 * PAGE_BYTES});
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round + 1, .base = 2 * PIECE, .bytes = PAGE_BYTES});
	assert_int_equal(s->holdings, 0);
	handle_holding(monitor[0], 1, &(struct message_holding){.round = s->round, .base = 2 * PIECE, .bytes = PAGE_BYTES});
	assert_int_equal(s->holdings, 1);
}

static void test_what_moves_meanwhile_is_not_missed(void **state)
{
	struct settlement *s = &monitor[0]->membership.settlement;

	(void)state;
	monitor[0]->agreement.changing = true;
	crash(2, 1);
	run(1000000);
	held[holds++] = (struct range){3, 2 * PIECE, PAGE_BYTES};
	monitor[0]->agreement.changing = false;
	running = 0;
	membership_step(monitor[0], now);
	assert_int_equal(last, 3);
	/* After core 1 has been asked and before core 3 is, a page goes from 3 to 1. */
	hand_over(&letters[0]);
	hand_over(&letters[1]);
	held[0].core = 1;
	estate_arrival(monitor[1], 2 * PIECE, PAGE_BYTES);
	first = 2;
	deliver();
	assert_int_equal(s->round, 3); /* the second round heard of an arrival that the first had not */
	run(1000000);
	assert_int_equal(adopted[3], PIECE - PAGE_BYTES);
	assert_int_equal(monitor[0]->membership.fence[2].held, PAGE_BYTES);
}

static void test_an_heir_that_dies_has_heirs(void **state)
{
	(void)state;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	while (estate_of(3) == PIECE)
		run(250);
	crash(3, 1);
	run(250);
	nobody_is_silent();
	run(3000000);
	/* Nobody is left on the node: the nearest with a core. */
	assert_int_equal(adopted[0] + adopted[1], 2 * PIECE);
	assert_int_equal(monitor[0]->membership.fence[2].state, FENCE_OUT);
	assert_int_equal(monitor[0]->membership.fence[3].state, FENCE_OUT);
}

static void test_settling_waits_for_the_agreement(void **state)
{
	(void)state;
	monitor[0]->agreement.changing = true;
	crash(2, 1);
	run(250);
	nobody_is_silent();
	run(1000000);
	assert_int_equal(buried[1][2], 1);
	assert_int_equal(adopted[3], 0);
	monitor[0]->agreement.changing = false;
	run(1000000);
	assert_int_equal(adopted[3], PIECE);
}

static void test_only_the_leader_is_told_what_is_where(void **state)
{
	(void)state;
	handle_inventory(monitor[1], 3, &(struct message_inventory){.round = 1, .base = PIECE, .bytes = PIECE});
	handle_inventory(monitor[1], 0, &(struct message_inventory){.round = 1, .base = WINDOW_BYTES - PAGE_BYTES, .bytes = PIECE});
	assert_int_equal(last, 0);
	handle_inherit(monitor[1], 3, &(struct message_inherit){.base = PIECE, .bytes = PIECE});
	assert_null(monitor[1]->membership.legacies);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_the_first_view),
	    TEST(test_a_silent_core_is_stopped_before_anybody_does_without_it),
	    TEST(test_a_strained_machine_takes_its_time),
	    TEST(test_who_has_never_beaten_gets_more_time),
	    TEST(test_a_last_beat_needs_no_silence),
	    TEST(test_the_successor_leads),
	    TEST(test_two_who_suspect_each_other),
	    TEST(test_a_new_leader_learns_of_the_old_ones_last_view),
	    TEST(test_false_views_are_refused_and_counted),
	    TEST(test_suspicions_of_strangers_and_of_the_past),
	    TEST(test_a_processor_that_does_not_run_is_waited_for),
	    TEST(test_it_comes_back_as_a_member),
	    TEST(test_who_crashed_stays_out_until_somebody_asks),
	    TEST(test_a_start_that_fails_is_told),
	    TEST(test_a_starter_that_dies_takes_nothing_along),
	    TEST(test_silence_is_forgiven_three_times),
	    TEST(test_what_nobody_has_goes_to_a_core_of_the_node),
	    TEST(test_what_is_dropped_while_it_is_being_settled),
	    TEST(test_ones_own_memory_is_never_given_away),
	    TEST(test_what_cannot_be_cleared_is_not_used),
	    TEST(test_what_lies_elsewhere_is_no_holding),
	    TEST(test_what_moves_meanwhile_is_not_missed),
	    TEST(test_an_heir_that_dies_has_heirs),
	    TEST(test_settling_waits_for_the_agreement),
	    TEST(test_only_the_leader_is_told_what_is_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
