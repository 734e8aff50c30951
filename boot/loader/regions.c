/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/regions.h"

#define MEMORY_RANGES_MAX 20 /* so at most 21 gaps; with modules, trampoline, root pointer and image half of the regions is left for RAM   \
	                      */
#define PIECES_MAX 256

struct piece {
	struct range range;
	bool own; /* on the first core's node */
};

struct pieces {
	uint32_t count;
	struct piece piece[PIECES_MAX];
};

static uint64_t length(struct range r)
{
	return r.end - r.base;
}

bool regions_keep_largest(struct ranges *memory)
{
	bool gave_up = memory->overflow;

	while (memory->count > MEMORY_RANGES_MAX) {
		struct range smallest = memory->range[0];
		for (uint32_t i = 1; i < memory->count; i++)
			if (length(memory->range[i]) < length(smallest))
				smallest = memory->range[i];
		ranges_remove(memory, smallest.base, smallest.end);
		gave_up = true;
	}
	return gave_up;
}

static void add(struct core_boot *boot, enum region_kind kind, struct range range, uint32_t index)
{
	if (length(range) > 0 && boot->regions < REGIONS_MAX)
		boot->region[boot->regions++] = (struct region){range.base, length(range), kind, index};
}

static void add_modules(const struct boot_information *information, struct core_boot *boot)
{
	boot->modules = information->modules;
	for (uint32_t i = 0; i < information->modules; i++) {
		const struct boot_module *m = &information->module[i];
		boot->module[i] = *m;
		add(boot, REGION_MODULE, (struct range){m->base, page_up(m->base + m->bytes)}, i);
	}
}

/* Memory is what the memory map says, and where the modules are. */
static void all_memory(const struct boot_information *information, struct ranges *out)
{
	*out = information->memory;
	for (uint32_t i = 0; i < information->modules; i++)
		ranges_add(out, information->module[i].base, page_up(information->module[i].base + information->module[i].bytes));
}

static void add_devices(const struct ranges *memory, uint64_t address_end, struct core_boot *boot)
{
	static struct ranges gaps;

	ranges_gaps(memory, address_end, &gaps);
	for (uint32_t i = 0; i < gaps.count; i++)
		add(boot, REGION_DEVICE, gaps.range[i], 0);
}

/* Where the node of `base` ends, if that is before `end`. */
static uint64_t node_end(const struct machine *machine, uint64_t base, uint64_t end)
{
	for (uint32_t i = 0; i < machine->range_count; i++) {
		const struct machine_range *r = &machine->ranges[i];
		if (r->base > base && r->base < end)
			end = r->base & ~(PAGE_BYTES - 1);
		if (r->base + r->size > base && r->base + r->size < end)
			end = (r->base + r->size) & ~(PAGE_BYTES - 1);
	}
	return end;
}

static void cut_at_nodes(const struct ranges *memory, const struct machine *machine, unsigned node, struct pieces *out)
{
	out->count = 0;
	for (uint32_t i = 0; i < memory->count; i++) {
		uint64_t base = memory->range[i].base;
		while (base < memory->range[i].end && out->count < PIECES_MAX) {
			uint64_t end = node_end(machine, base, memory->range[i].end);
			if (end <= base)
				end = base + PAGE_BYTES;
			out->piece[out->count++] = (struct piece){{base, end}, machine_node_of_address(machine, base) == node};
			base = end;
		}
	}
}

static bool comes_before(const struct piece *a, const struct piece *b)
{
	return a->own != b->own ? a->own : length(a->range) > length(b->range);
}

static void add_memory(struct pieces *pieces, struct core_boot *boot)
{
	for (uint32_t done = 0; done < pieces->count; done++) {
		uint32_t best = done;
		for (uint32_t i = done + 1; i < pieces->count; i++)
			if (comes_before(&pieces->piece[i], &pieces->piece[best]))
				best = i;
		struct piece p = pieces->piece[best];
		pieces->piece[best] = pieces->piece[done];
		add(boot, REGION_RAM, p.range, 0);
	}
}

void regions_build(const struct region_sources *sources, struct core_boot *boot)
{
	static struct ranges memory;
	static struct pieces pieces;
	const struct reserved_memory *reserved = sources->reserved;

	all_memory(sources->information, &memory);
	boot->regions = 0;
	add_modules(sources->information, boot);
	add(boot, REGION_TRAMPOLINE, reserved->trampoline, 0);
	add(boot, REGION_IMAGE, reserved->image, 0);
	add(boot, REGION_DEVICE, reserved->rsdp, 0);
	add_devices(&memory, sources->address_end, boot);

	for (uint32_t i = 0; i < boot->regions; i++)
		ranges_remove(&memory, boot->region[i].base, boot->region[i].base + boot->region[i].bytes);
	ranges_remove(&memory, reserved->tables.base, reserved->tables.end);
	cut_at_nodes(&memory, sources->machine, sources->node, &pieces);
	add_memory(&pieces, boot);
}
