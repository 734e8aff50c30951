/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cpudriver/capability/delete.h"
#include "cpudriver/capability/paging.h"
#include "tests/explore/invariants.h"

struct world world;
struct core *here;
cores_t touched;

static void must(err_t e, const char *what)
{
	if (is_ok(e))
		return;
	fprintf(stderr, "explore: the world can't be made: %s: error %u\n", what, e.number);
	exit(2);
}
#define MUST(call) must(call, #call)

static void map_memory(void)
{
	const size_t bytes = WORLD_CORES * CORE_BYTES;
	void *at = (void *)WINDOW_START;

	munmap(at, bytes);
	if (mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != at) {
		perror("explore: no memory at the address of the window");
		exit(2);
	}
}

static struct slot *cnode_at(uint32_t core, uint64_t offset)
{
	return window(PADDR(core_memory(core).value + offset));
}

/* What every core has from the first moment: its CNodes, and its monitor's right to act as one. */
static void core_begin(uint32_t number)
{
	const uint64_t memory = core_memory(number).value;
	const rights_t all = RIGHTS(RIGHTS_ALL);
	struct slot *root = cnode_at(number, CNODE_ROOT);

	here = &world.core[number];
	struct capabilities *c = &here->caps;

	*c = (struct capabilities){.core = (uint16_t)number, .huge_pages = true, .no_execute = PTE_NO_EXECUTE};
	MUST(slot_make(c, &here->holder, CAP_CNode, memory + CNODE_ROOT, CNODE_BYTES, all));
	slot_copy(c, &here->holder, &root[0], all);
	MUST(slot_make(c, &root[IN_MONITOR], CAP_CNode, memory + CNODE_MONITOR, CNODE_BYTES, all));
	MUST(slot_make(c, &root[IN_USERS], CAP_CNode, memory + CNODE_USERS, CNODE_BYTES, all));
	MUST(slot_make(c, &root[IN_KERNEL], CAP_Kernel, 0, 0, all));
	here->taken[0] = (1u << MONITOR_FIRST) - 1;
	agreement_start(&here->agreement, number, world.cores);
}

static void give_memory(uint32_t number)
{
	const rights_t all = RIGHTS(RIGHTS_ALL);
	struct capabilities *c = &world.core[number].caps;

	MUST(slot_make(c, cnode_at(number, CNODE_MONITOR) + MONITOR_RAM, CAP_RAM, managed_page(number, 0).value, COVERED_PAGES * PAGE_BYTES,
	               all));
	MUST(slot_make(c, user_slot(number, OPEN_RAM), CAP_RAM, managed_page(number, COVERED_PAGES).value,
	               (OPEN_PAGES - FRAME_PAGES) * PAGE_BYTES, all));
	MUST(slot_make(c, user_slot(number, OPEN_FRAME), CAP_Frame, managed_page(number, MANAGED_PAGES - FRAME_PAGES).value,
	               FRAME_PAGES * PAGE_BYTES, all));
}

void world_begin(unsigned cores)
{
	map_memory();
	world = (struct world){.cores = cores};
	broken = INVARIANT_NONE;
	for (uint32_t c = 0; c < cores; c++) {
		set_add(&world.alive, c);
		core_begin(c);
		give_memory(c);
		here->view = world.view = here->agreement.view;
	}
}

void world_restart(uint32_t core)
{
	memset(window(core_memory(core)), 0, MANAGED);
	world.core[core] = (struct core){.dead = false};
	core_begin(core);
}

bool page_number(uint64_t address, unsigned *number)
{
	const uint64_t core = address / CORE_BYTES, offset = address % CORE_BYTES;

	if (core >= world.cores || offset < MANAGED)
		return false;
	*number = (unsigned)(core * MANAGED_PAGES + (offset - MANAGED) / PAGE_BYTES);
	return true;
}

struct invocation world_call(cap_t cap, unsigned op, err_t *error, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	struct slot *root = cnode_at(core_number(here), CNODE_ROOT);
	struct invocation i = {.self = cap_slot(root, cap), .word = {w0, w1, w2, w3, w4}, .root = root, .caps = &here->caps};

	*error = i.self ? cap_invoke(&i, op) : ERR(CAP_ADDRESS);
	return i;
}

struct invocation world_repeat(cap_t cap, unsigned op, err_t *error, uint64_t w0)
{
	struct invocation i;

	do
		i = world_call(cap, op, error, w0, 0, 0, 0, 0);
	while (err_is(*error, ERR_NUMBER_AGAIN));
	return i;
}

const struct slot *first_slot(const struct core *c)
{
	const struct slot *n = c->caps.root;

	while (n && n->left)
		n = n->left;
	return n;
}
