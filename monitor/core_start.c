/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

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
#include "monitor/shares.h"
#include "monitor/trampoline.h"

#define SIPI_WAIT_US  200
#define UP_BOUND_US   2000000 /* and for each core of the machine, since they may share fewer processors: */
#define UP_BOUND_EACH 200000

/* Why a core is left out; goes over the wire as a number. */
enum failure { FAILURE_SILENT, FAILURE_MEMORY, FAILURE_IMAGE, FAILURE_TRAMPOLINE, FAILURE_STARTER };

static const char *failure_sentence(uint32_t reason)
{
	static const char *const sentences[] = {
	    [FAILURE_SILENT] = "it was not heard of in time",
	    [FAILURE_MEMORY] = "there is not enough memory for it",
	    [FAILURE_IMAGE] = "its CPU driver can't be laid out",
	    [FAILURE_TRAMPOLINE] = "the trampoline has no room for it",
	    [FAILURE_STARTER] = "the core that should have started it is not up",
	};

	return reason < sizeof(sentences) / sizeof(sentences[0]) ? sentences[reason] : "an unknown reason";
}

/* Everything that the cores which one monitor starts have in common. */
struct starting {
	struct monitor *m;
	const void *cpudriver, *monitor;
	struct core_image_plan plan;
	uint64_t layout; /* bytes: image, mesh area, model */
	bool huge_pages;
};

/* Intel SDM vol. 2, CPUID 80000001H: EDX bit 26. */
static bool has_huge_pages(void)
{
	uint32_t eax = 0x80000001, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx >> 26 & 1;
}

/* ---- Preparing ---- */

static err_t plan_image(struct monitor *m, struct starting *s)
{
	size_t cpudriver_bytes, monitor_bytes;
	const char *why = "a module is missing";
	err_t e = module_map(m, "cpudriver", &s->cpudriver, &cpudriver_bytes);

	s->m = m;
	if (is_ok(e))
		e = module_map(m, "monitor", &s->monitor, &monitor_bytes);
	s->huge_pages = has_huge_pages();
	if (is_ok(e))
		e = core_image_plan(s->cpudriver, cpudriver_bytes, s->monitor, monitor_bytes, m->peers, m->boot->window_end, s->huge_pages,
		                    &s->plan, &why);
	if (is_ok(e))
		e = core_image_plan_trace(&s->plan, m->boot->command_line, &why);
	if (is_err(e))
		report_line(m, "Core %u can't start others: %s.", m->core, why);
	s->layout = s->plan.bytes + m->peers * PAGE_BYTES + page_up(sizeof(struct machine));
	return e;
}

static void add_region(struct core_boot *boot, uint64_t base, uint64_t bytes, enum region_kind kind, uint32_t index)
{
	if (bytes > 0 && boot->regions < REGIONS_MAX)
		boot->region[boot->regions++] = (struct region){base, bytes, kind, index};
}

/* The core's own RAM first: the CPU driver makes its monitor out of the first region. */
static void list_regions(const struct starting *s, const struct start *c, struct core_boot *boot)
{
	const struct core_boot *own = s->m->boot;

	boot->regions = 0;
	add_region(boot, c->memory[0].base + s->layout, c->memory[0].bytes - s->layout, REGION_RAM, 0);
	for (unsigned i = 1; i < c->memories; i++)
		add_region(boot, c->memory[i].base, c->memory[i].bytes, REGION_RAM, 0);
	for (unsigned i = 0; i < own->regions; i++)
		if (own->region[i].kind == REGION_MODULE || own->region[i].kind == REGION_TRAMPOLINE)
			add_region(boot, own->region[i].base, own->region[i].bytes, own->region[i].kind, own->region[i].index);
}

static void complete_boot(const struct starting *s, const struct start *c, struct core_boot *boot)
{
	struct monitor *m = s->m;

	list_regions(s, c, boot);
	boot->starter = m->core;
	boot->starter_doorbell = m->own_doorbell_base;
	boot->starter_doorbell_extra = m->own_doorbell_extra;
	boot->starter_mailbox = platform_mailbox();
	boot->channel_receive = c->memory[0].base + s->plan.bytes;
	boot->channel_bytes = m->peers * PAGE_BYTES;
	boot->channel_send = m->mesh_base + c->core * PAGE_BYTES;
	boot->model_base = boot->channel_receive + boot->channel_bytes;
	boot->model_bytes = sizeof(struct machine);
	boot->stopped = 0;
	boot->restarted = c->again ? m->membership.view >> LEADER_BITS : 0;
}

static err_t lay_out(const struct starting *s, struct start *c)
{
	struct monitor *m = s->m;
	const struct machine_core *core = &m->machine->cores[c->core];
	struct core_image_target target = {.base = c->memory[0].base,
	                                   .core = c->core,
	                                   .apic = core->apic,
	                                   .node = core->node,
	                                   .cores = m->peers,
	                                   .window_end = m->boot->window_end,
	                                   .huge_pages = s->huge_pages};
	struct core_boot *boot;
	struct view view;
	err_t e = view_open(&c->memory[0], 0, s->layout, &view);

	if (is_err(e))
		return e;
	target.memory = view.at;
	boot = core_image_build(&s->plan, s->cpudriver, s->monitor, &target, m->boot);
	complete_boot(s, c, boot);
	c->mailbox = boot->mailbox_base;
	c->mesh = boot->channel_receive;
	for (uint32_t page = 0; page < m->peers; page++)
		mesh_prepare_page(view.at + s->plan.bytes + page * PAGE_BYTES);
	memcpy(view.at + s->plan.bytes + m->peers * PAGE_BYTES, m->machine, sizeof(*m->machine));
	view_close(&view);
	return OK;
}

/* Before it runs: should this core die meanwhile, the memory is the other one's, which is stopped then as well. */
static void tell_whose(struct monitor *m, const struct start *c, uint32_t core)
{
	for (unsigned i = 0; i < c->memories; i++)
		estate_tell_given(m, core, c->memory[i].base, c->memory[i].bytes, core == c->core ? c->memory[0].base : 0);
}

static void take_back(struct monitor *m, struct start *c)
{
	tell_whose(m, c, m->core);
	for (unsigned i = 0; i < c->memories; i++)
		block_give(m, &c->memory[i]);
	c->memories = 0;
}

static void tell_failed(struct monitor *m, uint32_t core, enum failure why)
{
	MESH_SEND(m, 0, failed, .core = core, .reason = why);
}

static void fail(struct monitor *m, struct start *c, enum failure why)
{
	c->state = START_FAILED;
	take_back(m, c);
	tell_failed(m, c->core, why);
	for (uint32_t core = 0; core < m->peers && !c->again; core++)
		if (core != c->core && tree_below(m->tree, core, c->core))
			tell_failed(m, core, FAILURE_STARTER);
}

static void prepare(const struct starting *s, struct start *c)
{
	struct monitor *m = s->m;

	c->state = START_PREPARED;
	if (is_err(c->again ? share_take_again(m, c, s->layout) : share_take(m, c, s->layout)))
		fail(m, c, FAILURE_MEMORY);
	else if (is_err(lay_out(s, c)))
		fail(m, c, FAILURE_IMAGE);
	else if (!trampoline_enter(m, m->machine->cores[c->core].apic, c->memory[0].base))
		fail(m, c, FAILURE_TRAMPOLINE);
	else
		tell_whose(m, c, c->core);
}

static bool leads(const struct monitor *m)
{
	uint16_t leader;

	return m->core == 0 || (machine_cores_of_node(m->machine, m->node, &leader, 1) > 0 && leader == m->core);
}

/* What is needed to start any core; made once. */
static err_t get_ready(struct monitor *m)
{
	struct starting *s;
	err_t e;

	if (m->starting != NULL)
		return OK;
	s = calloc(1, sizeof(*s));
	m->start = calloc(m->peers, sizeof(*m->start));
	e = s == NULL || m->start == NULL ? ERR(NO_MEMORY) : plan_image(m, s);
	if (is_ok(e)) {
		m->starting = s;
		return OK;
	}
	free(s);
	free(m->start);
	m->start = NULL;
	return e;
}

static struct start *start_of(struct monitor *m, uint32_t core)
{
	for (unsigned i = 0; i < m->starts; i++)
		if (m->start[i].core == core)
			return &m->start[i];
	m->start[m->starts].core = core;
	return &m->start[m->starts++];
}

err_t core_start_begin(struct monitor *m)
{
	err_t e;

	if (m->peers == 1 || !leads(m) || m->boot->restarted)
		return OK;
	m->tree = malloc(sizeof(*m->tree));
	e = m->tree == NULL ? ERR(NO_MEMORY) : get_ready(m);
	if (is_err(e))
		return e;
	machine_start_tree(m->machine, 0, m->peers, m->tree);
	shares_plan(m);
	for (uint32_t core = m->tree->first_child[m->core]; core != MACHINE_NO_CORE; core = m->tree->next_sibling[core])
		prepare(m->starting, start_of(m, core));
	return OK;
}

void core_start_again(struct monitor *m, uint32_t core)
{
	struct start *c;

	if (is_err(get_ready(m))) {
		tell_failed(m, core, FAILURE_IMAGE);
		return;
	}
	c = start_of(m, core);
	*c = (struct start){.core = core, .again = true};
	prepare(m->starting, c);
}

/* ---- Starting ---- */

static void step(struct monitor *m, struct start *c, uint64_t now)
{
	const uint32_t apic = m->machine->cores[c->core].apic;
	const uint64_t page = m->boot->trampoline / PAGE_BYTES;

	if (now < c->deadline)
		return;
	switch (c->state) {
	case START_PREPARED:
		(void)!is_ok(platform_init(apic));
		c->bound = now + platform_ticks(UP_BOUND_US + m->peers * UP_BOUND_EACH);
		c->state = START_INIT;
		c->deadline = now + platform_ticks(INIT_WAIT_US);
		break;
	case START_INIT:
		(void)!is_ok(platform_sipi(apic, page));
		c->state = START_SIPI;
		c->deadline = now + platform_ticks(SIPI_WAIT_US);
		break;
	case START_SIPI:
		(void)!is_ok(platform_sipi(apic, page));
		c->state = START_SIPI_AGAIN;
		c->deadline = c->bound;
		break;
	case START_SIPI_AGAIN:
		(void)!is_ok(platform_init(apic));
		trampoline_leave(m, apic);
		fail(m, c, FAILURE_SILENT);
		break;
	default:
		break;
	}
}

uint64_t core_start_step(struct monitor *m, uint64_t now)
{
	uint64_t next = 0;

	for (unsigned i = 0; i < m->starts; i++) {
		struct start *c = &m->start[i];

		if (c->state == START_UP || c->state == START_FAILED)
			continue;
		step(m, c, now);
		if (c->state != START_FAILED && (next == 0 || c->deadline < next))
			next = c->deadline;
	}
	return next;
}

void core_start_heard(struct monitor *m, uint32_t core)
{
	const struct channel_slot *first = (const struct channel_slot *)(m->mesh + core * PAGE_BYTES);
	struct start *c = NULL;
	union message message;

	for (unsigned i = 0; i < m->starts; i++)
		if (m->start[i].core == core && m->start[i].state >= START_SIPI && m->start[i].state <= START_SIPI_AGAIN)
			c = &m->start[i];
	if (c == NULL)
		return;
	for (unsigned i = 0; i < CHANNEL_WORDS; i++)
		message.words[i] = channel_load_payload(&first->line.payload[i]);
	/* What its starter has laid out the core can't choose. */
	if (is_err(message_check(MESSAGE_up, sizeof(message.up), &message, m->peers)) || message.up.core != core ||
	    message.up.mesh != c->mesh || message.up.mailbox != c->mailbox || message.up.apic != m->machine->cores[core].apic)
		return;
	c->state = START_UP;
	for (unsigned i = 0; i < c->memories; i++)
		block_part_with(m, &c->memory[i]);
	trampoline_leave(m, message.up.apic);
	m->peer[core].neighbour = true;
	mesh_introduce(m, core, &message.up);
	if (c->again)
		mesh_send(m, membership_leader(m, CORES_MAX), MESSAGE_up, &message.up);
}

/* ---- The started core's side ---- */

err_t core_start_answer(struct monitor *m)
{
	const struct core_boot *boot = m->boot;
	const struct message_up starter = {.core = boot->starter,
	                                   .apic = m->machine->cores[boot->starter].apic,
	                                   .mesh = boot->channel_send - m->core * PAGE_BYTES,
	                                   .mailbox = boot->starter_mailbox,
	                                   .doorbell = boot->starter_doorbell,
	                                   .doorbell_extra = boot->starter_doorbell_extra};

	mesh_learn(m, m->core, &starter);
	m->peer[boot->starter].neighbour = true;
	return mesh_send(m, boot->starter, MESSAGE_up, &m->self) ? OK : ERR(PEER_GONE);
}

/* ---- Messages ---- */

/* First monitor: a core is up or has failed. */
static void core_settled(struct monitor *m, uint32_t core, bool up)
{
	struct peer *p = &m->peer[core];

	if (p->settled || core == m->core || (up && p->state == PEER_UNKNOWN))
		return;
	p->settled = true;
	if (m->cores_left > 0 && m->life == LIFE_STARTING && --m->cores_left == 0)
		discovery_complete(m);
}

void handle_up(struct monitor *m, uint32_t from, const struct message_up *message)
{
	/* A core that was told of twice, or tells of itself again, changes nothing. */
	mesh_learn(m, from, message);
	if (m->core == 0)
		core_settled(m, message->core, true);
	membership_up(m, message->core);
}

void handle_failed(struct monitor *m, uint32_t from, const struct message_failed *message)
{
	(void)from;
	if (m->core != 0 || message->core == 0 || m->peer[message->core].state != PEER_UNKNOWN)
		return;
	report_line(m, "Core %u is left out: %s.", message->core, failure_sentence(message->reason));
	report_line(m, "@event {\"event\":\"core_failed\",\"core\":%u,\"reason\":\"%s\"}", message->core,
	            failure_sentence(message->reason));
	core_settled(m, message->core, false);
	fence_failed(m, message->core);
}
