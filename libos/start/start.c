/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The life of a domain up to the first instruction of its program: capability space, memory, address space, thread 0, the monitor's
 * events; then the program's stack, and the C library's _start. All of it runs disabled.
 *
 * A further member of a spanning domain has no program of its own to begin: it waits for what others send it (libos/span).
 *
 * There are two kinds of start page, told apart by their first word: struct domain_start, from the monitor that starts a domain, and
 * struct core_boot, from the CPU driver that starts a monitor. A monitor has no monitor: it serves itself from its core's first RAM. */

#include <string.h>

#include "libos/address_space/address_space.h"
#include "libos/address_space/tables.h"
#include "libos/domain/start.h"
#include "libos/heap/malloc.h"
#include "libos/ipc/events.h"
#include "libos/linux/linux.h"
#include "libos/memory/memory.h"
#include "libos/revocation/revocation.h"
#include "libos/span/link.h"
#include "libos/span/move.h"
#include "libos/span/span.h"
#include "libos/span/words.h"
#include "libos/start/start.h"
#include "libos/start/stack.h"
#include "libos/trace/trace.h"
#include "libos/upcall/dispatcher.h"
#include "libos/upcall/entry.h"
#include "libos/upcall/text.h"

extern const char _start[]; /* the C library's */

#define MONITOR_AREA   (UINT64_C(1) << 39) /* in a level-3 table of its own, so that nothing need be known of the CPU driver's tables */
#define MONITOR_MEMORY (4 * MIB)
#define MONITOR_STACK  (64 * KIB)

static _Alignas(16) uint64_t monitor_stack[MONITOR_STACK / 8];

/* There is nobody to tell but, in a monitor, the serial line. The domain stops here, by a fault while disabled. */
static _Noreturn void fail(const char *what, err_t e)
{
	if (start_boot != NULL) {
		struct text line = {.length = 0};

		text_add(&line, "monitor: ");
		text_add(&line, what);
		text_add(&line, ": ");
		text_add(&line, err_sentence(e));
		text_add(&line, "\n");
		early_print(line.bytes, line.length);
	}
	__builtin_trap();
}

static void must(const char *what, err_t e)
{
	if (is_err(e))
		fail(what, e);
}

/* ---- Ordinary domains ---- */

#define BLOCK_LEAST (1 * MIB)

/* A further block, of `bytes` at a multiple of `alignment`. It arrives in the task CNode, in the first slot that is free. There the monitor
 * may just have put something, which will be moved away: then it is the one after. */
static err_t ask_for_block(uint64_t bytes, uint64_t alignment)
{
	struct monitor_reply reply = {.error = ERR(NO_SLOT)};
	struct cap_identity there;
	unsigned slot = start_page->first_free_slot;

	for (; slot < CNODE_SLOTS; slot++) {
		if (is_ok(cap_identify(CAP(ROOT_TASK, slot), &there)) && there.type != CAP_Null)
			continue;
		reply = monitor_request(REQUEST_memory, 0, bytes, slot, alignment);
		if (!err_is(reply.error, ERR_NUMBER_SLOT_IN_USE))
			break;
	}
	if (is_err(reply.error))
		return reply.error;
	return memory_add(CAP(ROOT_TASK, slot), reply.word[0], reply.word[1], 0);
}

/* More memory than was granted. Blocks are few (BLOCKS_MAX), so each is half of all those before, or as much as is needed. */
static err_t more_memory(uint64_t bytes, uint64_t alignment, bool exactly)
{
	static uint64_t granted;
	uint64_t least = bytes < BLOCK_LEAST ? BLOCK_LEAST : page_up(bytes);
	uint64_t wanted = exactly || least > granted / 2 ? least : granted / 2 & ~(PAGE_BYTES - 1);
	err_t e = ask_for_block(wanted, alignment);

	if (is_err(e) && wanted > least) {
		wanted = least;
		e = ask_for_block(wanted, alignment);
	}
	if (is_ok(e))
		granted += wanted;
	return e;
}

static void start_ordinary(const struct domain_start *page)
{
	start_page = page;
	if (page->version != DOMAIN_START_VERSION || page->bytes != sizeof *page || page->tables > DOMAIN_TABLES_MAX)
		fail("start page", ERR(VERSION));
	program = (struct program){page->name, page->phdr, page->phdr_count, page->entry, page->program_high, page->stack_high};
	must("memory", memory_add(CAP_RAM_GRANT, page->ram_base, page->ram_bytes, page->ram_used));
	memory_set_source(more_memory);
	for (unsigned level = 3; level >= 1; level--)
		for (unsigned i = 0; i < page->tables; i++)
			if (page->table[i].level == level)
				must("page tables", tables_add(page->table[i].vaddr, level, (cap_t){page->table[i].cap}));
	address_space_start(area_of(page->member));
	events_start((void *)DOMAIN_EVENT_RING, (void *)DOMAIN_EVENT_RETURN);
	links_start();
	move_start();
	words_start();
	malloc_start();
	address_space_span();
	for (unsigned i = 0; i < page->pieces && i < DOMAIN_PIECES_MAX; i++)
		must("program", frame_common(&page->piece[i]));
	spawn_start();
	leave_start();
	revocation_start();
	pending_interest = ~UINT64_C(0);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 29;
}

static uint64_t ordinary_stack(void)
{
	const char *page = (const char *)start_page;
	uint64_t count = (start_page->stack_high - start_page->stack_low) / 8, rsp = 0;
	uint64_t seed = mix(__builtin_ia32_rdtsc() ^ (uint64_t)start_page->domain << 32);
	struct stack_plan plan = {
	    .arguments = page + start_page->argument_offset,
	    .argument_count = start_page->arguments,
	    .environment = page + start_page->environment_offset,
	    .environment_count = start_page->environment,
	    .strings_end = page + PAGE_BYTES,
	    .phdr = program.phdr,
	    .phdr_count = program.phdr_count,
	    .entry = program.entry,
	    .random = {seed, mix(seed)},
	};

	must("arguments", stack_build(&plan, (uint64_t *)start_page->stack_low, count, start_page->stack_high, &rsp));
	return rsp;
}

/* ---- Monitors ---- */

static uint64_t own_base, own_bytes;

void start_own_memory(uint64_t *base, uint64_t *bytes)
{
	*base = own_base;
	*bytes = own_bytes;
}

static void note_end(cap_t cap, const struct cap_identity *ram, uint64_t *end)
{
	struct cap_identity object;

	if (is_err(cap_identify(cap, &object)) || object.type == CAP_RAM || object.base < ram->base || object.base >= ram->base + ram->size)
		return;
	if (object.base + object.size > *end)
		*end = object.base + object.size;
}

/* The CPU driver made this domain out of the RAM's low end, one object behind the other (cpudriver/monitor.c). */
static uint64_t end_of_first_objects(const struct cap_identity *ram)
{
	uint64_t end = ram->base;

	note_end(CAP(ROOT_SELF, ROOT_SELF), ram, &end);
	note_end(CAP(ROOT_SELF, ROOT_TASK), ram, &end);
	note_end(CAP(ROOT_SELF, ROOT_BOOT), ram, &end);
	note_end(CAP_PAGE_TABLE4, ram, &end);
	note_end(CAP_SELF_DISPATCHER, ram, &end);
	for (unsigned slot = BOOT_OBJECTS; slot < CNODE_SLOTS; slot++)
		note_end(CAP(ROOT_BOOT, slot), ram, &end);
	return end;
}

/* The low end of the first RAM region of the core_boot. */
static void take_first_ram(void)
{
	struct cap_identity ram;
	unsigned slot = 0;
	uint64_t used;

	while (slot < BOOT_OBJECTS && (is_err(cap_identify(CAP(ROOT_BOOT, slot), &ram)) || ram.type != CAP_RAM))
		slot++;
	if (slot == BOOT_OBJECTS)
		fail("memory", ERR(NOT_FOUND));
	used = end_of_first_objects(&ram) - ram.base;
	own_base = ram.base;
	own_bytes = used + MONITOR_MEMORY > ram.size / 2 ? used + (ram.size - used) / 2 : used + MONITOR_MEMORY;
	own_bytes &= ~(PAGE_BYTES - 1);
	must("memory", memory_add(CAP(ROOT_BOOT, slot), own_base, own_bytes, used));
}

static void start_monitor(const struct core_boot *boot)
{
	const struct boot_program *p = &boot->monitor;
	uint64_t high = 0;

	start_boot = boot;
	if (boot->version != CORE_BOOT_VERSION || boot->bytes != sizeof *boot || p->segments > BOOT_SEGMENTS_MAX)
		fail("core_boot", ERR(VERSION));
	for (unsigned i = 0; i < p->segments; i++)
		if (p->segment[i].vaddr + p->segment[i].bytes > high)
			high = p->segment[i].vaddr + p->segment[i].bytes;
	program = (struct program){"monitor", p->phdr, p->phdr_count, p->entry, high, 0};
	take_first_ram();
	address_space_start(MONITOR_AREA);
	program.high = address_space_break();
}

static uint64_t monitor_stack_build(void)
{
	static const char arguments[] = "monitor";
	const size_t count = sizeof monitor_stack / 8;
	uint64_t seed = mix(__builtin_ia32_rdtsc()), rsp = 0;
	struct stack_plan plan = {
	    .arguments = arguments,
	    .argument_count = 1,
	    .environment = arguments,
	    .strings_end = arguments + sizeof arguments,
	    .phdr = program.phdr,
	    .phdr_count = program.phdr_count,
	    .entry = program.entry,
	    .random = {seed, mix(seed)},
	};

	must("stack", stack_build(&plan, monitor_stack, count, (uint64_t)(monitor_stack + count), &rsp));
	return rsp;
}

/* ---- Both ---- */

/* The domain's memory is that of one that has begun long ago, on another core. */
static bool has_moved(const struct domain_start *page)
{
	return page->magic == DOMAIN_START_MAGIC && page->moves != 0;
}

/* The registers are loaded from the thread, not from this stack: what is pending by then is taken care of there before. */
static _Noreturn void begin_with(struct registers first)
{
	struct thread *t = thread_current;

	first.rflags = 0x202; /* interrupts on: Intel SDM vol. 1, 3.4.3 */
	t->frame = first;
	resume_registers(&t->frame, t->xstate);
}

static _Noreturn void go_on(void)
{
	domain_arrive();
	begin_with((struct registers){.rip = (uint64_t)domain_go_on, .rsp = thread_current->service_top - 8});
}

void start_domain(struct dispatcher_shared *shared, const void *page)
{
	struct registers first = {.rip = (uint64_t)_start};
	const uint64_t *magic = page;

	trace_start(*magic == DOMAIN_START_MAGIC ? ((const struct domain_start *)page)->trace_bytes : 0);
	if (shared != DISPATCHER)
		__builtin_trap();
	upcalls_start();
	if (has_moved(page))
		go_on();
	threads_start();
	if (trace_is_on())
		threads_among_others(false);
	slots_start(ROOT_FREE);
	if (*magic == CORE_BOOT_MAGIC)
		start_monitor(page);
	else if (*magic == DOMAIN_START_MAGIC)
		start_ordinary(page);
	else
		__builtin_trap();
	if (start_page != NULL && start_page->member != 0) {
		first.rip = (uint64_t)span_member_main;
		first.rsp = thread_current->service_top - 8;
	} else {
		linux_start(program.high);
		first.rsp = start_boot != NULL ? monitor_stack_build() : ordinary_stack();
		if (start_page != NULL && span_is_ordered()) {
			first.rdi = first.rsp;
			first.rip = (uint64_t)span_begin;
			first.rsp = ((first.rsp - SPAN_BEGIN_ROOM) & ~UINT64_C(15)) - 8;
		}
	}
	begin_with(first);
}
