// sources: cpudriver/image/elf.c cpudriver/image/core_image.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A sound program in which the input flips bits, or which it cuts off, so that the fuzzer begins behind the magic numbers. What is accepted
 * must keep all that elf.h promises, and must be loadable without touching a byte outside. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/core_image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define LOW  USER_PROGRAM
#define HIGH USER_START_PAGE

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment[4];
	uint8_t body[0x2000];
};

static const struct file sound = {
    .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_version = EV_CURRENT,
               .e_entry = LOW + 0x800,
               .e_phoff = offsetof(struct file, segment),
               .e_ehsize = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 4},
    .segment = {{PT_LOAD, PF_R | PF_X, 0, LOW, 0, 0x1000, 0x1000, 0x1000},
                {PT_LOAD, PF_R, 0x1000, LOW + 0x2000, 0, 0x800, 0x800, 0x1000},
                {PT_LOAD, PF_R | PF_W, 0x1800, LOW + 0x3800, 0, 0x100, 0x2000, 0x800},
                {PT_TLS, PF_R, 0, LOW, 0, 8, 8, 8}},
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_program(const struct elf_program *p, size_t bytes)
{
	uint64_t last = p->low;
	bool entry = false;

	check(p->segments > 0 && p->segments <= ELF_SEGMENTS_MAX);
	for (uint32_t i = 0; i < p->segments; i++) {
		const struct elf_segment *s = &p->segment[i];
		check(s->vaddr >= LOW && s->bytes > 0 && s->vaddr + s->bytes <= HIGH);
		check(s->vaddr / PAGE_BYTES * PAGE_BYTES >= last);
		check(s->file_bytes <= s->bytes && s->offset <= bytes && s->file_bytes <= bytes - s->offset);
		check((s->rights & (RIGHT_WRITE | RIGHT_EXECUTE)) != (RIGHT_WRITE | RIGHT_EXECUTE));
		entry = entry || ((s->rights & RIGHT_EXECUTE) && p->entry >= s->vaddr && p->entry < s->vaddr + s->bytes);
		last = (s->vaddr + s->bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	}
	check(entry && p->high == last);
}

/* As the monitor of a core whose CPU driver has no segment to speak of. */
static void load(const struct elf_program *program, const uint8_t *data)
{
	static struct core_boot template;
	struct core_image_plan plan = {.cpudriver = {.segments = 0}, .monitor = *program};
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < program->segments; i++)
		bytes += program->segment[i].bytes + 2 * PAGE_BYTES;
	if (program->segments > BOOT_SEGMENTS_MAX || bytes > 16 * MIB)
		return;
	/* core_boot, page tables and mailbox of this setting: fewer than 16 pages */
	bytes += 16 * PAGE_BYTES;
	plan.bytes = bytes;
	uint8_t *memory = malloc(bytes);
	const struct core_image_target target = {.base = MIB, .memory = memory, .cores = 1, .window_end = 4 * GIB, .huge_pages = true};
	struct core_boot *boot = core_image_build(&plan, NULL, data, &target, &template);
	check(boot->monitor.segments == program->segments);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint16_t cut = 0;
	struct elf_program program;
	const char *why = NULL;

	if (bytes >= sizeof(cut))
		memcpy(&cut, data, sizeof(cut));
	size_t file_bytes = sizeof(sound) - cut % (sizeof(sound) + 1);
	uint8_t *file = malloc(file_bytes ? file_bytes : 1);
	memcpy(file, &sound, file_bytes);
	for (size_t i = sizeof(cut); i < bytes && i - sizeof(cut) < file_bytes; i++)
		file[i - sizeof(cut)] ^= data[i];

	if (is_err(elf_read(file, file_bytes, LOW, HIGH, &program, &why))) {
		check(why != NULL);
	} else {
		check_program(&program, file_bytes);
		load(&program, file);
	}
	free(file);
	return 0;
}
