/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/abi/core_image.h"
#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/trace.h"

#include <string.h>

/* Intel SDM vol. 3, 4.5.4, tables 4-15 to 4-20: entries of 4-level page tables. */
#define ENTRY_PRESENT   (UINT64_C(1) << 0)
#define ENTRY_WRITE     (UINT64_C(1) << 1)
#define ENTRY_UNCACHED  (UINT64_C(3) << 3) /* PWT and PCD: the page attribute table's entry 3 (12.12.4) */
#define ENTRY_ACCESSED  (UINT64_C(1) << 5)
#define ENTRY_DIRTY     (UINT64_C(1) << 6)
#define ENTRY_LARGE     (UINT64_C(1) << 7)
#define ENTRY_GLOBAL    (UINT64_C(1) << 8)
#define ENTRY_NOEXECUTE (UINT64_C(1) << 63)

#define ENTRY_TABLE (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_ACCESSED)
#define ENTRY_PAGE  (ENTRY_PRESENT | ENTRY_ACCESSED)
#define ENTRY_DATA  (ENTRY_PAGE | ENTRY_WRITE | ENTRY_DIRTY | ENTRY_NOEXECUTE)

#define TABLE_ENTRIES 512
#define LEVEL3_BYTES  (TABLE_ENTRIES * PAGE_BYTES_HUGE) /* that one level-3 table maps */

/* The image lies under one level-1 table, the devices under another. */
#define IMAGE_BYTES_MAX PAGE_BYTES_LARGE
#define FIXED_TABLES    (4 + IMAGE_TABLES) /* level 4 and 3, then 2 and 1 of the devices; the rest belongs to the window */
#define IMAGE_TABLES    2

/* Intel SDM vol. 3, 10.4.1: where local_apic_init puts the registers. */
#define LOCAL_APIC_ADDRESS UINT64_C(0xfee00000)

_Static_assert(DEVICE_BASE - IMAGE_BASE == PAGE_BYTES_HUGE, "neighbours in one level-3 table");
_Static_assert(IMAGE_BASE % PAGE_BYTES_HUGE == 0, "");
_Static_assert(DEVICE_TRAMPOLINE - DEVICE_BASE < PAGE_BYTES_LARGE, "in the devices' level-1 table");

static uint64_t divide_up(uint64_t a, uint64_t by)
{
	return (a + by - 1) / by;
}
static unsigned entry_index(uint64_t vaddr, unsigned level)
{
	return vaddr >> (12 + 9 * (level - 1)) & (TABLE_ENTRIES - 1);
}

/* Page-rounded bytes that a segment takes in memory. */
static uint64_t segment_bytes(const struct elf_segment *s)
{
	return page_up(s->vaddr + s->bytes) - page_down(s->vaddr);
}

static uint64_t program_bytes(const struct elf_program *p)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < p->segments; i++)
		bytes += segment_bytes(&p->segment[i]);
	return bytes;
}

static uint64_t table_bytes(uint64_t window_end, bool huge_pages)
{
	uint64_t tables = FIXED_TABLES + divide_up(window_end, LEVEL3_BYTES);

	if (!huge_pages)
		tables += divide_up(window_end, PAGE_BYTES_HUGE);
	return tables * PAGE_BYTES;
}

err_t core_image_plan(const void *cpudriver, size_t cpudriver_bytes, const void *monitor, size_t monitor_bytes, uint32_t cores,
                      uint64_t window_end, bool huge_pages, struct core_image_plan *out, const char **why)
{
	err_t e = elf_read(cpudriver, cpudriver_bytes, IMAGE_BASE, IMAGE_BASE + IMAGE_BYTES_MAX, &out->cpudriver, why);
	if (is_err(e))
		return e;
	e = elf_read(monitor, monitor_bytes, USER_PROGRAM, USER_START_PAGE, &out->monitor, why);
	if (is_err(e))
		return e;
	if (out->monitor.segments > BOOT_SEGMENTS_MAX) {
		*why = "e_phnum: the monitor has more than 6 segments to load";
		return ERR(FORMAT);
	}
	if (cores == 0 || cores > CORES_MAX || window_end == 0 || window_end > WINDOW_BYTES) {
		*why = "the number of cores or the end of memory is out of range";
		return ERR(ARGUMENT);
	}
	out->driver_bytes = PAGE_BYTES + program_bytes(&out->cpudriver) + table_bytes(window_end, huge_pages) + mailbox_bytes(cores);
	out->trace_bytes = 0;
	out->bytes = out->driver_bytes + program_bytes(&out->monitor);
	return OK;
}

static bool is_word(const char *word, size_t bytes, const char *text)
{
	return bytes == strlen(text) && memcmp(word, text, bytes) == 0;
}

static bool begins_with(const char *word, size_t bytes, const char *text)
{
	return bytes >= strlen(text) && memcmp(word, text, strlen(text)) == 0;
}

err_t core_image_plan_trace(struct core_image_plan *plan, const char *command_line, const char **why)
{
	bool wanted = false;

	for (const char *word = command_line; *word != 0;) {
		size_t bytes = 0;

		while (word[bytes] != 0 && word[bytes] != ' ')
			bytes++;
		if (begins_with(word, bytes, "app="))
			break;
		if (begins_with(word, bytes, "trace=")) {
			wanted = is_word(word, bytes, "trace=on");
			*why = "trace= on the command line is neither on nor off";
			if (!wanted && !is_word(word, bytes, "trace=off"))
				return ERR(ARGUMENT);
		}
		word += word[bytes] == ' ' ? bytes + 1 : bytes;
	}
	plan->bytes -= plan->trace_bytes;
	plan->trace_bytes = wanted ? trace_area_bytes() : 0;
	plan->bytes += plan->trace_bytes;
	return OK;
}

/* The layout grows from the front: the next bytes, as this code sees them and as the hardware does. */
struct builder {
	uint8_t *memory;
	uint64_t paddr;
};

struct place {
	void *memory;
	uint64_t paddr;
};

static struct place take(struct builder *b, uint64_t bytes)
{
	struct place p = {b->memory, b->paddr};

	b->memory += bytes;
	b->paddr += bytes;
	return p;
}

struct table {
	uint64_t *entry;
	uint64_t paddr;
};

static struct table take_table(struct builder *b)
{
	struct place p = take(b, PAGE_BYTES);

	return (struct table){memset(p.memory, 0, PAGE_BYTES), p.paddr};
}

/* A new table under entry `index` of `above`. */
static struct table take_table_under(struct builder *b, struct table above, unsigned index)
{
	struct table t = take_table(b);

	above.entry[index] = t.paddr | ENTRY_TABLE;
	return t;
}

/* Copies a program's segments; physical addresses go to paddr[]. */
static void load_program(struct builder *b, const struct elf_program *program, const void *file, uint64_t paddr[])
{
	for (uint32_t i = 0; i < program->segments; i++) {
		const struct elf_segment *s = &program->segment[i];
		struct place p = take(b, segment_bytes(s));
		uint8_t *to = p.memory;
		uint64_t lead = s->vaddr - page_down(s->vaddr);

		memset(to, 0, lead);
		memcpy(to + lead, (const uint8_t *)file + s->offset, s->file_bytes);
		memset(to + lead + s->file_bytes, 0, segment_bytes(s) - lead - s->file_bytes);
		paddr[i] = p.paddr;
	}
}

/* `rights`: of every page of the window. */
static void map_window(struct builder *b, struct table level4, uint64_t window_end, bool huge_pages, uint64_t rights)
{
	uint64_t end = divide_up(window_end, PAGE_BYTES_HUGE) * PAGE_BYTES_HUGE;
	struct table level3 = {0};

	for (uint64_t at = 0; at < end; at += PAGE_BYTES_HUGE) {
		if (at % LEVEL3_BYTES == 0)
			level3 = take_table_under(b, level4, entry_index(WINDOW_BASE + at, 4));
		if (huge_pages) {
			level3.entry[entry_index(WINDOW_BASE + at, 3)] = at | rights | ENTRY_LARGE | ENTRY_GLOBAL;
			continue;
		}
		struct table level2 = take_table_under(b, level3, entry_index(WINDOW_BASE + at, 3));
		for (unsigned i = 0; i < TABLE_ENTRIES; i++)
			level2.entry[i] = (at + i * PAGE_BYTES_LARGE) | rights | ENTRY_LARGE | ENTRY_GLOBAL;
	}
}

static uint64_t entry_of_rights(uint64_t rights)
{
	return ENTRY_PAGE | ENTRY_GLOBAL | (rights & RIGHT_WRITE ? ENTRY_WRITE | ENTRY_DIRTY : 0) |
	       (rights & RIGHT_EXECUTE ? 0 : ENTRY_NOEXECUTE);
}

static void map_image(struct table level1, const struct elf_program *program, const uint64_t paddr[])
{
	for (uint32_t i = 0; i < program->segments; i++) {
		const struct elf_segment *s = &program->segment[i];
		for (uint64_t at = 0; at < segment_bytes(s); at += PAGE_BYTES)
			level1.entry[entry_index(page_down(s->vaddr) + at, 1)] = (paddr[i] + at) | entry_of_rights(s->rights);
	}
}

/* The level-1 table of the device pages, which the trampoline's tables have too. */
static struct table map_devices(struct builder *b, struct table level3, uint64_t trampoline)
{
	struct table level2 = take_table_under(b, level3, entry_index(DEVICE_BASE, 3));
	struct table level1 = take_table_under(b, level2, entry_index(DEVICE_BASE, 2));

	level1.entry[entry_index(DEVICE_TRAMPOLINE, 1)] = trampoline | ENTRY_PAGE;
	return level1;
}

static uint64_t build_tables(struct builder *b, const struct elf_program *program, const uint64_t paddr[],
                             const struct core_image_target *target, uint64_t trampoline)
{
	struct table level4 = take_table(b);
	struct table level3 = take_table_under(b, level4, entry_index(IMAGE_BASE, 4));

	struct table image2 = take_table_under(b, level3, entry_index(IMAGE_BASE, 3));
	map_image(take_table_under(b, image2, entry_index(IMAGE_BASE, 2)), program, paddr);

	struct table device1 = map_devices(b, level3, trampoline);
	device1.entry[entry_index(DEVICE_LOCAL_APIC, 1)] = LOCAL_APIC_ADDRESS | ENTRY_DATA | ENTRY_UNCACHED | ENTRY_GLOBAL;

	map_window(b, level4, target->window_end, target->huge_pages, ENTRY_DATA);
	return level4.paddr;
}

static void describe_program(struct boot_program *out, const struct elf_program *program, const uint64_t paddr[])
{
	*out = (struct boot_program){
	    .entry = program->entry, .phdr = program->phdr, .phdr_count = program->phdr_count, .segments = program->segments};
	for (uint32_t i = 0; i < program->segments; i++) {
		const struct elf_segment *s = &program->segment[i];
		out->segment[i] = (struct boot_segment){page_down(s->vaddr), paddr[i], segment_bytes(s), s->rights};
	}
}

struct core_boot *core_image_build(const struct core_image_plan *plan, const void *cpudriver, const void *monitor,
                                   const struct core_image_target *target, const struct core_boot *template)
{
	struct builder b = {target->memory, target->base};
	uint64_t paddr[ELF_SEGMENTS_MAX];
	struct place first = take(&b, PAGE_BYTES);
	struct core_boot *boot = first.memory;

	memcpy(boot, template, sizeof(*boot));
	memset(boot + 1, 0, PAGE_BYTES - sizeof(*boot));
	load_program(&b, &plan->cpudriver, cpudriver, paddr);
	boot->page_table4 = build_tables(&b, &plan->cpudriver, paddr, target, template->trampoline);
	load_program(&b, &plan->monitor, monitor, paddr);
	describe_program(&boot->monitor, &plan->monitor, paddr);

	boot->mailbox_bytes = mailbox_bytes(target->cores);
	struct place mailbox = take(&b, boot->mailbox_bytes);
	memset(mailbox.memory, 0, boot->mailbox_bytes);
	boot->mailbox_base = mailbox.paddr;
	boot->trace_bytes = plan->trace_bytes;
	boot->trace_base = plan->trace_bytes == 0 ? 0 : take(&b, plan->trace_bytes).paddr;

	boot->magic = CORE_BOOT_MAGIC;
	boot->version = CORE_BOOT_VERSION;
	boot->bytes = sizeof(*boot);
	boot->core = target->core;
	boot->apic = target->apic;
	boot->node = target->node;
	boot->cores = target->cores;
	boot->image_base = target->base;
	boot->image_bytes = plan->bytes;
	boot->entry = plan->cpudriver.entry;
	boot->window_end = target->window_end;
	return boot;
}

uint64_t trampoline_tables_bytes(uint64_t window_end, bool huge_pages)
{
	return table_bytes(window_end, huge_pages) - IMAGE_TABLES * PAGE_BYTES;
}

void trampoline_tables_build(void *memory, uint64_t base, uint64_t window_end, bool huge_pages, uint64_t trampoline)
{
	struct builder b = {memory, base};
	struct table level4 = take_table(&b);

	(void)map_devices(&b, take_table_under(&b, level4, entry_index(DEVICE_BASE, 4)), trampoline);
	map_window(&b, level4, window_end, huge_pages, ENTRY_DATA & ~ENTRY_NOEXECUTE);
	level4.entry[0] = level4.entry[entry_index(WINDOW_BASE, 4)];
}
