/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The loader: from what GRUB left in memory to the first core's CPU driver.
 *
 *   read      GRUB's information, the command line, the processor
 *   check     every boot module, so that a damaged one is named here and not found missing later
 *   reserve   the trampoline page below 1 MiB, and below 4 GiB its page tables and a page for a copy of the ACPI root pointer
 *   look      at the ACPI tables, through those page tables: how many cores, on which node is this one, which timers
 *   build     the first core's image, on that core's node
 *   enter     it
 *
 * Nothing that the loader occupies itself, code, stack, GRUB's information, outlives it: all of it lies in regions of RAM. So does nothing
 * that it leaves behind. */

#include "boot/loader/boot_information.h"
#include "boot/loader/command_line.h"
#include "boot/loader/fw_cfg.h"
#include "boot/loader/ports.h"
#include "boot/loader/processor.h"
#include "boot/loader/regions.h"
#include "boot/loader/report.h"
#include "boot/loader/trampoline.h"
#include "cpudriver/abi/core_image.h"
#include "numa/model/tables.h"

#include <string.h>

#define LOW_MEMORY_END UINT64_C(0xa0000) /* IBM PC/AT: the video memory begins */
#define LOW_32BIT_END  (UINT64_C(1) << 32)
#define FW_CFG_NAME    "opt/atoll/cmdline"
#define ARCHIVE_MAGIC  "070701"            /* cpio(5), "new ASCII format" */
#define PM_TIMER_WIDE  (UINT64_C(1) << 32) /* in core_boot.pm_timer_port */

/* Intel 8259A datasheet, OCW1: the masks of the two interrupt controllers of a PC. */
#define PIC_1_MASK 0x21
#define PIC_2_MASK 0xa1
/* Intel 8254 datasheet: counter 0, both bytes of its count, mode 0: it counts down once. */
#define PIT_COUNTER_0  0x40
#define PIT_CONTROL    0x43
#define PIT_0_TERMINAL 0x30

struct loader {
	struct processor processor;
	struct boot_information information;
	struct ranges free; /* memory that is not in use by anything that must stay until the CPU driver runs */
	struct reserved_memory reserved;
	struct machine machine;
	unsigned node; /* of the first core */
	uint64_t window_end;
	struct core_image_plan plan;
	struct core_boot boot; /* what the image's own core_boot is copied from */
};

extern uint8_t loader_start[], loader_end[];
_Noreturn void loader_main(uint64_t information, uint64_t start_tsc);

/* ---- read ---- */

static void read_information(struct loader *l, uint64_t address)
{
	uint32_t bytes;

	memcpy(&bytes, (const void *)address, sizeof(bytes));
	struct boot_information_error e = boot_information_read((const void *)address, bytes, &l->information);
	if (e.why && e.name[0])
		FAIL("boot module ", e.name, " ", e.why);
	if (e.why)
		FAIL(e.why);
	if (regions_keep_largest(&l->information.memory))
		warn("The memory map has very many ranges: the smallest of them stay unused.");

	l->free = l->information.memory;
	ranges_remove(&l->free, (uint64_t)loader_start, (uint64_t)loader_end);
	ranges_remove(&l->free, page_down(address), page_up(address + bytes));
	for (uint32_t i = 0; i < l->information.modules; i++) {
		const struct boot_module *m = &l->information.module[i];
		ranges_remove(&l->free, m->base, page_up(m->base + m->bytes));
	}
}

/* GRUB's line, then what QEMU's launcher gave, so that one image serves every run. */
static void read_command_line(struct loader *l)
{
	static char given[COMMAND_LINE_BYTES];
	char *line = l->boot.command_line;

	line[0] = 0;
	const char *why = command_line_append(line, l->information.command_line, strlen(l->information.command_line));
	if (!why)
		why = command_line_append(line, given, fw_cfg_read(FW_CFG_NAME, given, sizeof(given)));
	if (why)
		FAIL(why);
}

/* ---- check ---- */

static const void *module_bytes(const struct boot_module *m)
{
	return (const void *)m->base;
}

static const struct boot_module *find_module(struct loader *l, const char *name)
{
	const struct boot_module *m = boot_information_module(&l->information, name);

	if (!m)
		FAIL("boot module ", name, " is missing");
	return m;
}

static void check_program(struct loader *l, const char *name, uint64_t low, uint64_t high)
{
	static struct elf_program program;
	const struct boot_module *m = find_module(l, name);
	const char *why;

	if (is_err(elf_read(module_bytes(m), m->bytes, low, high, &program, &why)))
		FAIL("boot module ", name, " is damaged: ", why);
}

static void check_modules(struct loader *l)
{
	check_program(l, "cpudriver", IMAGE_BASE, DEVICE_BASE);
	check_program(l, "monitor", USER_PROGRAM, USER_START_PAGE);
	check_program(l, "acpi", USER_PROGRAM, USER_START_PAGE);

	const struct boot_module *archive = find_module(l, "archive");
	if (archive->bytes < sizeof(ARCHIVE_MAGIC) || memcmp(module_bytes(archive), ARCHIVE_MAGIC, sizeof(ARCHIVE_MAGIC) - 1) != 0)
		FAIL("boot module archive is damaged: it is no cpio archive of the new ASCII format");
}

/* ---- reserve ----
 *
 * As low as possible: there memory has been used before, and on a virtual machine the first use of a page costs as much as copying it. */

static struct range reserve(struct loader *l, uint64_t bytes, uint64_t low, uint64_t high, const char *what)
{
	uint64_t base = ranges_find_lowest(&l->free, bytes, low, high);

	if (base == 0)
		FAIL("too little memory: there is no place for ", what);
	ranges_remove(&l->free, base, base + bytes);
	return (struct range){base, base + bytes};
}

static void set_window_end(struct loader *l)
{
	const struct ranges *memory = &l->information.memory;
	uint64_t end = memory->range[memory->count - 1].end;

	if (end < LOW_32BIT_END)
		end = LOW_32BIT_END;
	l->window_end = (end + PAGE_BYTES_HUGE - 1) & ~(PAGE_BYTES_HUGE - 1);
}

/* Also loads the new page tables: from here on all memory is in view, through the window. */
static void make_trampoline(struct loader *l)
{
	bool huge = l->processor.huge_pages;
	uint64_t bytes = trampoline_tables_bytes(l->window_end, huge), page, tables;

	l->reserved.trampoline = reserve(l, PAGE_BYTES, PAGE_BYTES, LOW_MEMORY_END, "the page that starts cores, below 640 KiB");
	l->reserved.tables = reserve(l, bytes, MIB, LOW_32BIT_END, "page tables, below 4 GiB");
	page = l->reserved.trampoline.base;
	tables = l->reserved.tables.base;
	trampoline_tables_build((void *)tables, tables, l->window_end, huge, page);
	trampoline_install(page, tables);
	l->boot.trampoline = page;
	__asm__ volatile("mov %0, %%cr3" : : "r"(tables) : "memory");
}

/* GRUB's copy of the root pointer lies in memory that is given away; this one lies in a page that the acpi domain can map. */
static void keep_rsdp(struct loader *l)
{
	if (!l->information.rsdp)
		return;
	l->reserved.rsdp = reserve(l, PAGE_BYTES, MIB, LOW_32BIT_END, "the ACPI root pointer, below 4 GiB");
	l->boot.rsdp = l->reserved.rsdp.base;
	memset((void *)l->boot.rsdp, 0, PAGE_BYTES);
	memcpy((void *)l->boot.rsdp, l->information.rsdp, l->information.rsdp_bytes);
}

/* ---- look ---- */

static const void *view(void *context, uint64_t physical, size_t bytes)
{
	const struct loader *l = context;

	if (physical >= l->window_end || bytes > l->window_end - physical)
		return NULL;
	return (const void *)(WINDOW_BASE + physical);
}

static void look_at_machine(struct loader *l)
{
	static struct machine_span spans[RANGES_MAX];
	const struct ranges *memory = &l->information.memory;
	struct machine_memory see = {view, l};
	struct machine_sources sources = {0};

	(void)machine_find_sources(&see, l->boot.rsdp, &sources);
	for (uint32_t i = 0; i < memory->count; i++)
		spans[i] = (struct machine_span){memory->range[i].base, memory->range[i].end - memory->range[i].base};
	sources.boot_apic = l->processor.apic;
	sources.memory = spans;
	sources.memory_count = memory->count;
	machine_build(&l->machine, &sources);

	l->node = machine_node_of_core(&l->machine, 0);
	l->boot.hpet_base = l->machine.hpet_address;
	l->boot.pm_timer_port = l->machine.pm_timer_bits == 0 ? 0 : l->machine.pm_timer_port;
	if (l->machine.pm_timer_bits == 32)
		l->boot.pm_timer_port |= PM_TIMER_WIDE;
}

/* ---- build ---- */

static struct range find_image_place(struct loader *l)
{
	for (uint32_t i = 0; i < l->machine.range_count; i++) {
		const struct machine_range *r = &l->machine.ranges[i];
		uint64_t low = r->base < MIB ? MIB : page_up(r->base);
		uint64_t base = r->node == l->node ? ranges_find_lowest(&l->free, l->plan.bytes, low, r->base + r->size) : 0;
		if (base != 0)
			return (struct range){base, base + l->plan.bytes};
	}
	/* One node, or none with memory here: anywhere. */
	return reserve(l, l->plan.bytes, MIB, l->window_end, "the first core's image");
}

static struct core_boot *build_image(struct loader *l)
{
	const struct boot_module *cpudriver = find_module(l, "cpudriver"), *monitor = find_module(l, "monitor");
	uint32_t cores = l->machine.core_count;
	const char *why;

	if (is_err(core_image_plan(module_bytes(cpudriver), cpudriver->bytes, module_bytes(monitor), monitor->bytes, cores, l->window_end,
	                           l->processor.huge_pages, &l->plan, &why)))
		FAIL("boot modules cpudriver and monitor make no image: ", why);
	if (is_err(core_image_plan_trace(&l->plan, l->boot.command_line, &why)))
		FAIL(why);

	l->reserved.image = find_image_place(l);
	const struct core_image_target target = {
	    .base = l->reserved.image.base,
	    .memory = (void *)(WINDOW_BASE + l->reserved.image.base),
	    .core = 0,
	    .apic = l->processor.apic,
	    .node = l->node,
	    .cores = cores,
	    .window_end = l->window_end,
	    .huge_pages = l->processor.huge_pages,
	};
	return core_image_build(&l->plan, module_bytes(cpudriver), module_bytes(monitor), &target, &l->boot);
}

/* The firmware's timer ticks 18 times a second. Masked it would do no harm, but an emulator that counts instructions changes from core to
 * core with each tick, and when it ticks depends on how long the firmware took to read the disk. */
static void silence_old_interrupts(void)
{
	port_out8(PIC_1_MASK, 0xff);
	port_out8(PIC_2_MASK, 0xff);
	port_out8(PIT_CONTROL, PIT_0_TERMINAL);
	port_out8(PIT_COUNTER_0, 1);
	port_out8(PIT_COUNTER_0, 0);
}

void loader_main(uint64_t information, uint64_t start_tsc)
{
	static struct loader loader;
	struct loader *l = &loader;

	silence_old_interrupts();
	l->boot.start_tsc = start_tsc;
	l->processor = processor_read();
	read_information(l, information);
	read_command_line(l);
	check_modules(l);

	set_window_end(l);
	make_trampoline(l);
	keep_rsdp(l);
	look_at_machine(l);

	struct core_boot *boot = build_image(l);
	const struct region_sources sources = {
	    .information = &l->information,
	    .reserved = &l->reserved,
	    .machine = &l->machine,
	    .address_end = l->processor.address_end < WINDOW_BYTES ? l->processor.address_end : WINDOW_BYTES,
	    .node = l->node,
	};
	regions_build(&sources, boot);
	trampoline_enter(l->reserved.trampoline.base, l->reserved.image.base);
}
