/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The first domain of a core. Everything that user space will ever have on this core begins here: one capability for each region of the
 * core_boot, and the objects that the monitor itself is made of, which are retyped out of the first RAM region like any others.
 *
 *   ROOT_TASK   as capabilities.h says; TASK_ROOT_CNODE, TASK_PAGE_TABLE4, TASK_DISPATCHER, TASK_DISPATCHER_FRAME, TASK_KERNEL,
 *               TASK_CORE_BOOT, TASK_TRAMPOLINE; first core: TASK_IO_PORTS, TASK_INTERRUPTS
 *   ROOT_BOOT   slot i: region i of the core_boot (empty for the core's own image and for the trampoline)
 *               from BOOT_OBJECTS on: page tables of level 3, 2, 1, the monitor's segments, its stack
 *
 * A CNode is needed to hold a capability and a RAM capability to make a CNode: the first few wait in core.seed until there is one. */

#include "cpudriver/monitor.h"

#include <string.h>

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/report.h"

#define INTERRUPTS_ALL 1024 /* global system interrupts that an I/O APIC may have */
#define PORTS_ALL      65536
#define STACK_PAGES    16

_Static_assert(BOOT_OBJECTS == REGIONS_MAX, "a slot for each region");

struct maker {
	const struct core_boot *boot;
	struct slot *ram, *root, *task, *objects;
	uint64_t used;        /* of the first RAM region */
	unsigned next;        /* free slot of ROOT_BOOT */
	uint64_t tables_from; /* virtual address that the newest level-1 table begins with */
	cap_t level1;
};

static void must(err_t e, const char *sentence)
{
	if (is_err(e))
		refuse_to_start(sentence);
}

/* Makes an object of `bytes` out of the first RAM region. */
static void make(struct maker *m, struct slot *to, enum cap_type type, uint64_t bytes)
{
	const struct retype r = {.source = m->ram, .first = to, .type = type, .count = 1, .offset = m->used, .bytes = bytes};

	must(slot_retype(&core.capabilities, &r), "the first RAM region is too small for a monitor");
	m->used += bytes;
}

/* From a seed to its place. */
static void settle(struct slot *from, struct slot *to)
{
	slot_copy(&core.capabilities, from, to, RIGHTS(RIGHTS_ALL));
	must(slot_delete_internal(&core.capabilities, from), "a capability can't leave its first slot");
}

static struct slot *first_slot(const struct slot *cnode)
{
	return window(PADDR(cnode->base));
}

static void make_cnodes(struct maker *m)
{
	struct slot *seed = core.seed;
	unsigned region = 0;

	while (region < m->boot->regions && m->boot->region[region].kind != REGION_RAM)
		region++;
	if (region >= m->boot->regions)
		refuse_to_start("the core_boot names no RAM");

	const struct region *r = &m->boot->region[region];
	m->ram = &seed[0];
	must(slot_make(&core.capabilities, m->ram, CAP_RAM, r->base, r->bytes, RIGHTS(RIGHTS_ALL)), "the first RAM region is no RAM");
	make(m, &seed[1], CAP_CNode, CNODE_BYTES);
	make(m, &seed[2], CAP_CNode, CNODE_BYTES);
	make(m, &seed[3], CAP_CNode, CNODE_BYTES);

	m->root = first_slot(&seed[1]);
	m->task = first_slot(&seed[2]);
	m->objects = first_slot(&seed[3]);
	settle(&seed[2], &m->root[ROOT_TASK]);
	settle(&seed[3], &m->root[ROOT_BOOT]);
	slot_copy(&core.capabilities, &seed[1], &m->root[ROOT_SELF], RIGHTS(RIGHTS_ALL));
	settle(&seed[1], &m->task[TASK_ROOT_CNODE]);
	settle(m->ram, &m->objects[region]);
	m->ram = &m->objects[region];
}

static void make_root_capability(struct slot *to, enum cap_type type, uint64_t base, uint64_t size, uint8_t rights, const char *sentence)
{
	must(slot_make(&core.capabilities, to, type, base, size, RIGHTS(rights)), sentence);
}

static void make_regions(struct maker *m)
{
	static const struct {
		uint8_t type, rights;
	} kinds[] = {
	    [REGION_RAM] = {CAP_RAM, RIGHTS_ALL},
	    [REGION_MODULE] = {CAP_Frame, RIGHT_READ},
	    [REGION_DEVICE] = {CAP_DeviceFrame, RIGHT_READ | RIGHT_WRITE | RIGHT_CONTROL},
	    [REGION_TRAMPOLINE] = {CAP_Frame, RIGHT_READ | RIGHT_WRITE},
	    [REGION_IMAGE] = {CAP_Null, 0},
	};

	for (unsigned i = 0; i < m->boot->regions; i++) {
		const struct region *r = &m->boot->region[i];
		struct slot *to = r->kind == REGION_TRAMPOLINE ? &m->task[TASK_TRAMPOLINE] : &m->objects[i];

		if (r->kind == 0 || r->kind >= sizeof(kinds) / sizeof(kinds[0]))
			refuse_to_start("the core_boot names a region of an unknown kind");
		if (kinds[r->kind].type == CAP_Null || to->type != CAP_Null)
			continue;
		make_root_capability(to, kinds[r->kind].type, r->base, r->bytes, kinds[r->kind].rights,
		                     "a region of the core_boot overlaps another or is not aligned");
	}
}

/* ---- Address space --------------------------------------------------------------------------------------------------------------------
 */

static void invoke_here(struct maker *m, cap_t cap, uint64_t op, const uint64_t word[5])
{
	struct invocation i = {
	    .self = cap_slot(m->root, cap),
	    .word = {word[0], word[1], word[2], word[3], word[4]},
	    .root = m->root,
	    .caps = &core.capabilities,
	};

	if (i.self == NULL)
		refuse_to_start("the monitor's address space names a slot that does not exist");
	must(cap_invoke(&i, op), "the monitor's address space can't be made as the core_boot says");
}

static cap_t take_slot(struct maker *m, struct slot **slot)
{
	if (m->next >= CNODE_SLOTS)
		refuse_to_start("the monitor is too large for its first CNode");
	*slot = &m->objects[m->next];
	return CAP(ROOT_BOOT, m->next++);
}

static cap_t make_table(struct maker *m, enum cap_type type, cap_t above, unsigned op, uint64_t entry)
{
	struct slot *slot;
	cap_t table = take_slot(m, &slot);

	make(m, slot, type, PAGE_TABLE_BYTES);
	invoke_here(m, table, op, (uint64_t[5]){above.value, entry});
	return table;
}

/* All that a monitor starts with lies in the first GiB, under one level-2 table; every new 2 MiB get a level-1 table. */
static void map_page(struct maker *m, cap_t level2, cap_t frame, uint64_t address, uint64_t rights, uint64_t offset, uint64_t count)
{
	uint64_t from = address & ~(PAGE_BYTES_LARGE - 1);

	if (m->tables_from != from) {
		m->level1 = make_table(m, CAP_PageTable1, level2, OP_PageTable1_map, address >> 21);
		m->tables_from = from;
	}
	invoke_here(m, frame, OP_Frame_map, (uint64_t[5]){m->level1.value, address >> 12 & (PAGE_TABLE_SLOTS - 1), rights, offset, count});
}

_Static_assert(USER_STACK_TOP <= PAGE_BYTES_HUGE, "one level-2 table");
_Static_assert(USER_STACK_TOP % PAGE_BYTES_LARGE == 0, "the stack needs one level-1 table");

/* A frame that spans several level-1 tables is mapped through a copy for each. */
static void map_range(struct maker *m, cap_t level2, struct slot *frame, cap_t cap, uint64_t address, uint64_t rights, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes;) {
		uint64_t here = address + done, chunk = PAGE_BYTES_LARGE - here % PAGE_BYTES_LARGE;

		if (chunk > bytes - done)
			chunk = bytes - done;
		if (done > 0) {
			struct slot *copy;

			cap = take_slot(m, &copy);
			slot_copy(&core.capabilities, frame, copy, RIGHTS(RIGHTS_ALL));
		}
		map_page(m, level2, cap, here, rights, done, chunk / PAGE_BYTES);
		done += chunk;
	}
}

static void map_segments(struct maker *m, cap_t level2)
{
	const struct boot_program *p = &m->boot->monitor;

	if (p->segments > BOOT_SEGMENTS_MAX)
		refuse_to_start("the monitor has too many segments");
	for (unsigned i = 0; i < p->segments; i++) {
		const struct boot_segment *s = &p->segment[i];
		struct slot *slot;
		cap_t cap = take_slot(m, &slot);

		if (s->vaddr < USER_PROGRAM || s->vaddr >= USER_START_PAGE || s->bytes > USER_START_PAGE - s->vaddr)
			refuse_to_start("a segment of the monitor lies outside the range for programs");
		make_root_capability(slot, CAP_Frame, s->paddr, s->bytes, (uint8_t)s->rights, "a segment of the monitor is not aligned");
		map_range(m, level2, slot, cap, s->vaddr, s->rights, s->bytes);
	}
}

static void make_address_space(struct maker *m)
{
	const cap_t level4 = CAP(ROOT_TASK, TASK_PAGE_TABLE4);
	struct slot *stack;

	make(m, &m->task[TASK_PAGE_TABLE4], CAP_PageTable4, PAGE_TABLE_BYTES);
	cap_t level3 = make_table(m, CAP_PageTable3, level4, OP_PageTable3_map, 0);
	cap_t level2 = make_table(m, CAP_PageTable2, level3, OP_PageTable2_map, 0);

	map_segments(m, level2);
	map_page(m, level2, CAP(ROOT_TASK, TASK_CORE_BOOT), USER_START_PAGE, RIGHT_READ, 0, 1);
	map_page(m, level2, CAP(ROOT_TASK, TASK_DISPATCHER_FRAME), USER_DISPATCHER, RIGHT_READ | RIGHT_WRITE, 0,
	         DISPATCHER_SHARED_BYTES / PAGE_BYTES);

	cap_t cap = take_slot(m, &stack);
	make(m, stack, CAP_Frame, STACK_PAGES * PAGE_BYTES);
	map_page(m, level2, cap, USER_STACK_TOP - STACK_PAGES * PAGE_BYTES, RIGHT_READ | RIGHT_WRITE, 0, STACK_PAGES);
}

/* ---- Dispatcher -----------------------------------------------------------------------------------------------------------------------
 */

static void make_dispatcher(struct maker *m)
{
	const struct retype shared = {
	    .source = &m->task[TASK_DISPATCHER], .first = &m->task[TASK_DISPATCHER_FRAME], .type = CAP_Frame, .count = 1};

	make(m, &m->task[TASK_DISPATCHER], CAP_Dispatcher, DISPATCHER_BYTES);
	must(slot_retype(&core.capabilities, &shared), "the monitor's dispatcher has no shared frame");
	core.monitor = dispatcher_at(m->task[TASK_DISPATCHER].base);
}

static void start_dispatcher(struct maker *m)
{
	uint64_t name;

	memcpy(&name, "monitor", sizeof(name));
	invoke_here(m, CAP(ROOT_TASK, TASK_DISPATCHER), OP_Dispatcher_configure,
	            (uint64_t[5]){CAP_ROOT_CNODE.value, CAP_PAGE_TABLE4.value, USER_DISPATCHER, name});
	invoke_here(m, CAP(ROOT_TASK, TASK_DISPATCHER), OP_Dispatcher_start,
	            (uint64_t[5]){m->boot->monitor.entry, USER_STACK_TOP, USER_START_PAGE});
}

void monitor_start(const struct core_boot *boot, bool first)
{
	struct maker m = {.boot = boot, .next = BOOT_OBJECTS, .tables_from = UINT64_MAX};

	if (boot->regions > REGIONS_MAX)
		refuse_to_start("the core_boot names more regions than it has room for");
	make_cnodes(&m);
	make_regions(&m);
	make_root_capability(&m.task[TASK_KERNEL], CAP_Kernel, 0, 0, RIGHTS_ALL, "the Kernel capability can't be made");
	make_root_capability(&m.task[TASK_CORE_BOOT], CAP_Frame, window_paddr(boot).value, PAGE_BYTES, RIGHT_READ,
	                     "the core_boot page is not aligned");
	if (first) {
		make_root_capability(&m.task[TASK_IO_PORTS], CAP_IoPorts, 0, PORTS_ALL, RIGHTS_ALL, "the ports can't be made");
		make_root_capability(&m.task[TASK_INTERRUPTS], CAP_Interrupt, 0, INTERRUPTS_ALL, RIGHTS_ALL,
		                     "the interrupts can't be made");
	}
	make_dispatcher(&m);
	make_address_space(&m);
	start_dispatcher(&m);
}
