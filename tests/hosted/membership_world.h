/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Four monitors in one process, on a machine that is simulated up to what they say to each other. */

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
#include "monitor/shares.h"
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
static struct range held[10];
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

static bool no_memory;

/* What the files under test call realloc. */
void *world_realloc(void *array, size_t bytes)
{
	return no_memory ? NULL : reallocarray(array, bytes, 1);
}

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
		CASE(view)
		CASE(buried)
		CASE(given) CASE(inventory) CASE(holding) CASE(inventoried) CASE(inherit) CASE(inherited) CASE(dropped) CASE(returned) CASE(wanted)
		    CASE(start) CASE(started) case MESSAGE_up : learn(m, &l->message.up);
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
bool tree_below(const struct machine_tree *tree, uint32_t core, uint32_t ancestor)
{
	return tree->parent[core] == ancestor;
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
	no_memory = false;
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
		free(s->settlement.estate);
		free(s->settlement.holding);
		free(monitor[core]);
	}
	free(trampoline);
	return 0;
}

static inline void die(uint32_t core, uint32_t watcher)
{
	dead[core] = true;
	silence[watcher] = (struct platform_silence){.silence = CALM_US, .met = true};
	heartbeat_silence(monitor[watcher]);
}

static inline void crash(uint32_t core, uint32_t watcher)
{
	boot[core].stopped = 7;
	die(core, watcher);
	silence[watcher].silence = 0;
	silence[watcher].over = true;
}

static inline void nobody_is_silent(void)
{
	for (uint32_t core = 0; core < CORES; core++)
		silence[core] = (struct platform_silence){.met = true};
}

static inline uint64_t members(uint32_t core)
{
	return monitor[core]->membership.alive.word[0];
}

static inline uint64_t estate_of(uint32_t core)
{
	const struct settlement *s = &monitor[0]->membership.settlement;
	uint64_t sum = 0;

	for (unsigned i = 0; i < s->estates; i++)
		sum += s->estate[i].core == core ? s->estate[i].bytes : 0;
	return sum;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
