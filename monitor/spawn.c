/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>

#include "cpudriver/abi/elf.h"
#include "monitor/balance.h"
#include "monitor/block.h"
#include "monitor/domain.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/space.h"
#include "monitor/spawn.h"
#include "monitor/spawn_text.h"
#include "monitor/tickets.h"
#include "monitor/trace.h"

static uint64_t segment_bytes(const struct elf_segment *s)
{
	return page_up(s->vaddr + s->bytes) - page_down(s->vaddr);
}

/* ---- Building ---- */

struct building {
	struct monitor *m;
	const struct spawn_request *request;
	struct domain *domain;
	struct elf_program program;
	struct space space;
	struct spawn_strings strings;
};

/* What every dispatcher of the domain writes to: it exists once, with member 0. */
static bool is_common(const struct elf_segment *s)
{
	return (s->rights & RIGHT_WRITE) != 0 && s->vaddr < USER_PRIVATE;
}

/* Bytes of the segment that this member has; 0: none. */
static uint64_t own_bytes(const struct building *b, const struct elf_segment *s)
{
	return b->domain->member != 0 && is_common(s) ? 0 : segment_bytes(s);
}

static uint64_t stack_bytes(const struct building *b)
{
	return b->domain->member == 0 ? USER_STACK_BYTES : 0;
}

/* Copies the program to the block's low end, while nothing has been made of the block. */
static err_t load(struct building *b, uint64_t *bytes)
{
	const uint8_t *file = b->request->program;
	uint64_t at = 0;
	struct view view;
	err_t e;

	*bytes = 0;
	for (unsigned i = 0; i < b->program.segments; i++)
		*bytes += own_bytes(b, &b->program.segment[i]);
	if (*bytes + stack_bytes(b) > b->domain->block.bytes / 2)
		return ERR(NO_MEMORY);
	e = view_open(&b->domain->block, 0, *bytes, &view);
	if (is_err(e))
		return e;
	for (unsigned i = 0; i < b->program.segments; i++) {
		const struct elf_segment *s = &b->program.segment[i];
		uint8_t *to = view.at + at;
		uint64_t lead = s->vaddr - page_down(s->vaddr);

		if (own_bytes(b, s) == 0)
			continue;
		memset(to, 0, lead);
		memcpy(to + lead, file + s->offset, s->file_bytes);
		memset(to + lead + s->file_bytes, 0, segment_bytes(s) - lead - s->file_bytes);
		at += segment_bytes(s);
	}
	view_close(&view);
	return OK;
}

static err_t map_program(struct building *b)
{
	uint64_t at = 0;
	err_t e = OK;

	for (unsigned i = 0; is_ok(e) && i < b->program.segments; i++) {
		const struct elf_segment *s = &b->program.segment[i];

		e = space_map_ram(&b->space, at, own_bytes(b, s), page_down(s->vaddr), (unsigned)s->rights, is_common(s));
		at += own_bytes(b, s);
	}
	if (is_err(e))
		return e;
	return space_map_ram(&b->space, at, stack_bytes(b), USER_STACK_TOP - USER_STACK_BYTES, RIGHT_READ | RIGHT_WRITE, true);
}

/* The start area: ours as a whole, the domain's page 0 to read, pages 1 to 3 to read and write. */
static err_t make_start_area(struct building *b)
{
	struct domain *d = b->domain;
	const cap_t read_only = CAP(TASK_WINDOW, TASK_START_FRAME), rest = CAP(TASK_WINDOW, b->space.next_slot);
	const unsigned both = RIGHT_READ | RIGHT_WRITE;
	void *at;
	err_t e;

	e = cap_slot_alloc(&d->start_frame);
	if (is_err(e))
		return e;
	e = cap_retype(d->block.cap, CAP_Frame, d->block.bytes - DOMAIN_START_BYTES, DOMAIN_START_BYTES, 1, d->start_frame);
	if (is_ok(e))
		e = frame_map(d->start_frame, 0, DOMAIN_START_BYTES, RIGHTS(both), &at);
	if (is_err(e))
		return e;
	d->start = at;
	memset(d->start, 0, DOMAIN_START_BYTES);
	b->space.next_slot++;
	e = cap_mint(d->start_frame, read_only, RIGHTS(RIGHT_READ), 0);
	if (is_ok(e))
		e = space_map(&b->space, read_only, 0, 1, USER_START_PAGE, RIGHT_READ);
	if (is_ok(e))
		e = cap_mint(d->start_frame, rest, RIGHTS(both), 0);
	if (is_ok(e))
		e = space_map(&b->space, rest, PAGE_BYTES, 3, DOMAIN_REQUEST_BUFFER, both);
	return e;
}

static err_t make_dispatcher(struct building *b)
{
	struct domain *d = b->domain;
	const cap_t own = CAP(TASK_WINDOW, TASK_DISPATCHER), frame = CAP(TASK_WINDOW, TASK_DISPATCHER_FRAME);
	struct cap_identity id;
	cap_t made;
	err_t e = space_object(&b->space, CAP_Dispatcher, DISPATCHER_BYTES, TASK_DISPATCHER, &made);

	if (is_ok(e))
		e = cap_retype(own, CAP_Frame, 0, 0, 1, frame);
	if (is_ok(e))
		e = space_map(&b->space, frame, 0, DISPATCHER_SHARED_BYTES / PAGE_BYTES, USER_DISPATCHER, RIGHT_READ | RIGHT_WRITE);
	if (is_ok(e))
		e = cap_slots_alloc(2, &d->dispatcher);
	if (is_err(e))
		return e;
	d->doorbell = CAP(d->dispatcher.value >> 8, (d->dispatcher.value & 0xff) + 1);
	e = cap_copy(own, d->dispatcher);
	if (is_ok(e))
		e = cap_identify(own, &id);
	if (is_err(e))
		return e;
	d->dispatcher_base = id.base;
	return platform_doorbell(own, d->doorbell, &d->doorbell_base, &d->doorbell_extra);
}

static uint64_t first_interrupt(const struct building *b)
{
	const struct manifest_program *p = b->domain->rights;

	if (p->interrupt_kind == INTERRUPT_ISA && b->m->machine != NULL)
		return machine_isa_interrupt(b->m->machine, p->interrupt).gsi;
	return p->interrupt;
}

/* What the manifest gives: ports and an interrupt. Only the first core's monitor has any. Which interrupt is ACPI's own the acpi domain has
 * to find out itself, so it gets them all. */
static err_t give_hardware(struct building *b)
{
	const struct manifest_program *p = b->domain->rights;
	const cap_t ports = CAP(ROOT_TASK, TASK_IO_PORTS), interrupts = CAP(ROOT_TASK, TASK_INTERRUPTS);
	err_t e = OK;

	if (p == NULL || b->domain->member != 0)
		return OK;
	if (p->ports != 0)
		e = cap_retype(ports, CAP_IoPorts, p->port, p->ports, 1, CAP(TASK_WINDOW, TASK_IO_PORTS));
	if (is_err(e) || p->interrupt_kind == INTERRUPT_NONE)
		return e;
	if (p->interrupt_kind == INTERRUPT_SCI)
		return cap_copy(interrupts, CAP(TASK_WINDOW, TASK_INTERRUPTS));
	return cap_retype(interrupts, CAP_Interrupt, first_interrupt(b), 1, 1, CAP(TASK_WINDOW, TASK_INTERRUPTS));
}

/* Without one left the domain runs untraced. */
static err_t give_trace_ring(struct building *b)
{
	const cap_t ring = tracing_take(b->m, b->domain), slot = CAP(TASK_WINDOW, TASK_TRACE);
	const unsigned both = RIGHT_READ | RIGHT_WRITE;
	err_t e;

	if (ring.value == CAP_NULL.value)
		return OK;
	tracing_describe(b->m, b->domain);
	e = cap_mint(ring, slot, RIGHTS(both), 0);
	return is_ok(e) ? space_map(&b->space, slot, 0, (unsigned)(tracing_bytes_of(b->m, b->domain) / PAGE_BYTES), USER_TRACE, both) : e;
}

static err_t give_capabilities(struct building *b)
{
	const struct domain *d = b->domain;
	err_t e = cap_copy(d->grant, CAP(TASK_WINDOW, TASK_RAM));

	if (is_ok(e))
		e = platform_endpoint(CAP_SELF_DISPATCHER, CAP(TASK_WINDOW, TASK_MONITOR), d->number);
	if (is_ok(e) && b->m->machine_frame.value != CAP_NULL.value) {
		const cap_t machine = CAP(TASK_WINDOW, TASK_MACHINE);

		e = cap_mint(b->m->machine_frame, machine, RIGHTS(RIGHT_READ), 0);
		if (is_ok(e))
			e = space_map(&b->space, machine, 0, (unsigned)(page_up(sizeof(struct machine)) / PAGE_BYTES), USER_MACHINE,
			              RIGHT_READ);
	}
	if (is_ok(e))
		e = give_trace_ring(b);
	return is_ok(e) ? give_hardware(b) : e;
}

/* The acpi domain's: the core_boot page, and everything that is no RAM in the first free slots (numa/acpi/hand_over.h). */
static err_t give_devices(struct building *b)
{
	struct cap_identity id;
	err_t e = cap_copy(CAP(ROOT_TASK, TASK_CORE_BOOT), CAP(TASK_WINDOW, TASK_CORE_BOOT));

	for (unsigned slot = 0; is_ok(e) && slot < BOOT_OBJECTS && b->space.next_slot < CNODE_SLOTS; slot++)
		if (is_ok(cap_identify(CAP(ROOT_BOOT, slot), &id)) && id.type == CAP_DeviceFrame)
			e = cap_mint(CAP(ROOT_BOOT, slot), CAP(TASK_WINDOW, b->space.next_slot++), RIGHTS(RIGHT_READ | RIGHT_WRITE), 0);
	return e;
}

/* The root CNode is filled through a root slot of ours, like the task CNode. */
#define ROOT_WINDOW 254

static err_t fill_root(struct building *b)
{
	err_t e = cap_copy(b->space.root, CAP(ROOT_SELF, ROOT_WINDOW));

	if (is_err(e))
		return e;
	e = cap_copy(b->space.root, CAP(ROOT_WINDOW, ROOT_SELF));
	if (is_ok(e))
		e = cap_copy(b->space.task, CAP(ROOT_WINDOW, ROOT_TASK));
	(void)!is_ok(cap_delete(CAP(ROOT_SELF, ROOT_WINDOW)));
	return e;
}

/* The program break begins behind what the program itself has. */
static uint64_t program_end(const struct building *b)
{
	uint64_t end = USER_PROGRAM;

	for (unsigned i = 0; i < b->program.segments; i++)
		if (b->program.segment[i].vaddr < USER_PRIVATE)
			end = page_up(b->program.segment[i].vaddr + b->program.segment[i].bytes);
	return end;
}

static void fill_start_page(struct building *b, uint64_t used)
{
	struct domain_start *page = (struct domain_start *)b->domain->start;
	const struct spawn_strings *strings = &b->strings;

	*page = (struct domain_start){
	    .magic = DOMAIN_START_MAGIC,
	    .version = DOMAIN_START_VERSION,
	    .bytes = sizeof(*page),
	    .domain = b->domain->number,
	    .core = b->m->core,
	    .node = b->m->node,
	    .span = b->domain->span,
	    .ram_base = b->domain->block.base,
	    .ram_bytes = b->domain->block.bytes - DOMAIN_START_BYTES,
	    .ram_used = used,
	    .program_high = program_end(b),
	    .phdr = b->program.phdr,
	    .phdr_bytes = 56, /* sizeof(Elf64_Phdr) */
	    .phdr_count = b->program.phdr_count,
	    .entry = b->program.entry,
	    .stack_low = USER_STACK_TOP - USER_STACK_BYTES,
	    .stack_high = USER_STACK_TOP,
	    .tsc_hz = b->m->boot->tsc_hz,
	    .start_tsc = b->m->start_tsc,
	    .model_bytes = b->m->machine != NULL ? sizeof(struct machine) : 0,
	    .trace_bytes = tracing_bytes_of(b->m, b->domain),
	    .tables = b->space.tables,
	    .member = b->domain->member,
	    .pieces = b->space.pieces,
	    .gifts = strings->order.gifts,
	    .first_free_slot = b->space.next_slot,
	    .arguments = strings->arguments,
	    .argument_offset = sizeof(*page),
	    .environment = strings->environment,
	    .environment_offset = (uint32_t)(sizeof(*page) + strings->environment_at),
	};
	memcpy(page->name, b->domain->name, sizeof(page->name));
	memcpy(page->cores, strings->order.cores, sizeof(page->cores));
	memcpy(page->table, b->space.table, sizeof(page->table));
	memcpy(page->piece, b->space.piece, sizeof(page->piece));
	memcpy(page + 1, strings->first, strings->bytes);
}

static void ring_domain(void *argument)
{
	const struct domain *d = argument;

	platform_ring(d->doorbell);
}

static err_t build(struct building *b)
{
	struct domain *d = b->domain;
	const uint64_t limit = d->block.bytes - DOMAIN_START_BYTES;
	uint64_t loaded;
	err_t e = load(b, &loaded);

	if (is_ok(e))
		e = cap_slot_alloc(&d->grant);
	if (is_ok(e))
		e = cap_retype(d->block.cap, CAP_RAM, 0, limit, 1, d->grant);
	if (is_ok(e))
		e = space_begin(&b->space, d->grant, loaded + stack_bytes(b), limit);
	d->task = b->space.task;
	if (is_ok(e) && d->rights != NULL && d->rights->devices)
		e = give_devices(b);
	if (is_ok(e))
		e = map_program(b);
	if (is_ok(e))
		e = make_start_area(b);
	if (is_ok(e))
		e = make_dispatcher(b);
	if (is_ok(e))
		e = give_capabilities(b);
	if (is_ok(e))
		e = fill_root(b);
	if (is_ok(e))
		e = platform_dispatcher_configure(d->dispatcher, b->space.root, b->space.level4, USER_DISPATCHER, d->name);
	if (is_ok(e) &&
	    !channel_ok(channel_init(&d->events, d->start + 3 * PAGE_BYTES, d->start + 2 * PAGE_BYTES, DOMAIN_EVENT_SLOTS, ring_domain, d)))
		e = ERR(STATE);
	space_end(&b->space);
	if (is_ok(e))
		fill_start_page(b, b->space.used);
	return is_ok(e) ? platform_dispatcher_start(d->dispatcher, b->program.entry, 0, USER_START_PAGE) : e;
}

static err_t take_block(struct monitor *m, const struct spawn_request *r, const struct domain *d, struct block *out)
{
	const uint64_t most = d->quota == 0 || d->quota > WINDOW_BYTES ? WINDOW_BYTES : d->quota & ~(PAGE_BYTES - 1);
	uint64_t bytes = r->memory;
	err_t e;

	if (bytes == 0 && d->rights != NULL)
		bytes = d->rights->memory;
	if (bytes != 0)
		return bytes > most ? ERR(ARGUMENT) : block_take(m, CAP_RAM, bytes, out);
	if (most < LEAST_BLOCK)
		return ERR(ARGUMENT);
	/* The default gives way on a small machine. */
	bytes = most < DEFAULT_BLOCK ? most : DEFAULT_BLOCK;
	while (err_is(e = block_take(m, CAP_RAM, bytes, out), ERR_NUMBER_NO_MEMORY) && bytes > LEAST_BLOCK)
		bytes /= 2;
	return e;
}

err_t spawn_here(struct monitor *m, const struct spawn_request *r, uint32_t *number)
{
	if (m->life != LIFE_DISCOVERING)
		balance_note(m);

	struct building *b = calloc(1, sizeof(*b));
	struct domain *d = domain_new(m);
	const char *why = "";
	err_t e = b == NULL ? ERR(NO_MEMORY) : d == NULL ? ERR(LIMIT) : OK;

	if (is_ok(e)) {
		*b = (struct building){.m = m, .request = r, .domain = d};
		e = spawn_text_read(r->text, r->text_bytes, &b->strings);
	}
	if (is_ok(e)) {
		copy_name(d->name, sizeof(d->name), b->strings.first);
		d->parent = r->parent;
		d->quota = b->strings.order.quota;
		d->pinned = (b->strings.order.flags & SPAWN_PINNED) != 0;
		d->span = r->span != 0 ? r->span : d->number;
		d->member = r->member;
		d->leaving = r->span != 0; /* until it is complete */
		d->rights = manifest_find(&m->manifest, d->name);
		if (d->rights != NULL && d->rights->core != MANIFEST_ANY_CORE && d->rights->core != m->core)
			e = ERR(PERMISSION);
	}
	if (is_ok(e)) {
		e = elf_read(r->program, r->program_bytes, USER_PROGRAM, USER_START_PAGE, &b->program, &why);
		if (is_err(e))
			report_line(m, "The program %s can't be started: %s.", d->name, why);
	}
	if (is_ok(e))
		e = take_block(m, r, d, &d->block);
	if (is_ok(e)) {
		tracing_domain(d);
		e = build(b);
		d->phase = DOMAIN_RUNNING;
		*number = d->number;
		if (is_err(e)) {
			/* Half-made domains end like whole ones. */
			report_line(m, "The program %s can't be started: %s.", d->name, err_sentence(e));
			d->failure = e.number;
			domain_end(m, d, END_KILLED, 0);
		}
	}
	free(b);
	return e;
}

/* ---- Programs of the archive, here and elsewhere ---- */

err_t spawn_archived(struct monitor *m, const struct spawn_request *request, uint32_t *domain)
{
	struct spawn_request r = *request;
	struct spawn_strings strings;
	struct archive_file file;
	err_t e = spawn_text_read(r.text, r.text_bytes, &strings);

	if (is_ok(e))
		e = archive_find(&m->archive, strings.first, &file);
	if (is_err(e))
		return e;
	r.program = file.data;
	r.program_bytes = file.size;
	return spawn_here(m, &r, domain);
}

static bool send_text(struct monitor *m, uint32_t core, uint32_t ticket, const char *text, size_t bytes)
{
	struct message_spawn_text piece = {.ticket = ticket};

	for (size_t at = 0; at < bytes; at += piece.bytes) {
		piece.bytes = (uint32_t)(bytes - at < sizeof(piece.text) ? bytes - at : sizeof(piece.text));
		memcpy(piece.text, text + at, piece.bytes);
		if (!mesh_send(m, core, MESSAGE_spawn_text, &piece))
			return false;
	}
	return true;
}

static err_t check_cores(const struct monitor *m, const uint64_t cores[CORE_SET_WORDS])
{
	for (unsigned core = 0; core < CORE_SET_WORDS * 64; core++) {
		if (!(cores[core / 64] >> core % 64 & 1))
			continue;
		if (core >= m->peers)
			return ERR(CORE_UNKNOWN);
		if (!mesh_alive(m, core))
			return ERR(CORE_DEAD);
	}
	return OK;
}

err_t spawn_request(struct monitor *m, struct domain *d, uint32_t tag, uint32_t core, const char *text, size_t bytes, uint64_t memory)
{
	struct spawn_strings strings;
	struct ticket *t;
	uint32_t ticket;
	err_t e = spawn_text_read(text, bytes, &strings);

	if (is_err(e))
		return e;
	if (!mesh_alive(m, core))
		return ERR(CORE_UNKNOWN);
	e = check_cores(m, strings.order.cores);
	if (is_err(e))
		return e;
	ticket = ticket_open(m, TICKET_SPAWN, core, d->number, tag, &t);
	if (ticket == 0)
		return ERR(LIMIT);
	if (send_text(m, core, ticket, text, bytes) &&
	    MESH_SEND(m, core, spawn, .ticket = ticket, .parent = d->span, .bytes = (uint32_t)bytes, .memory = memory))
		return OK;
	ticket_close(m, t);
	return ERR(CORE_DEAD);
}

void handle_spawn_text(struct monitor *m, uint32_t from, const struct message_spawn_text *message)
{
	struct spawn_text *t = m->texts;

	while (t != NULL && (t->core != from || t->ticket != message->ticket))
		t = t->next;
	if (t == NULL) {
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return;
		t->next = m->texts;
		t->core = from;
		t->ticket = message->ticket;
		m->texts = t;
	}
	if (t->bytes + message->bytes <= sizeof(t->text))
		memcpy(t->text + t->bytes, message->text, message->bytes);
	t->bytes += message->bytes;
}

void handle_spawn(struct monitor *m, uint32_t from, const struct message_spawn *message)
{
	struct message_spawned answer = {.ticket = message->ticket, .error = ERR_NUMBER_MESSAGE};

	for (struct spawn_text **link = &m->texts; *link != NULL; link = &(*link)->next) {
		struct spawn_text *t = *link;

		if (t->core != from || t->ticket != message->ticket)
			continue;
		if (t->bytes == message->bytes && t->bytes <= sizeof(t->text))
			answer.error = spawn_archived(m,
			                              &(struct spawn_request){.text = t->text,
			                                                      .text_bytes = t->bytes,
			                                                      .memory = message->memory,
			                                                      .parent = message->parent},
			                              &answer.domain)
			                   .number;
		*link = t->next;
		free(t);
		break;
	}
	mesh_send(m, from, MESSAGE_spawned, &answer);
}

void handle_spawned(struct monitor *m, uint32_t from, const struct message_spawned *message)
{
	struct ticket *t = ticket_find(m, message->ticket, TICKET_SPAWN, from);
	struct domain *d;

	if (t == NULL)
		return;
	d = domain_find(m, t->domain);
	if (d != NULL)
		domain_event(m, d, EVENT_spawned, (uint64_t[]){t->tag, message->error, message->domain}, 3);
	ticket_close(m, t);
}
