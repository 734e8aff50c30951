// sources: cpudriver/image/elf.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A sound program, then the same with every header field wrong in turn. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/elf.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOW  UINT64_C(0x400000)
#define HIGH UINT64_C(0x800000)

enum { TEXT, DATA, STACK, TLS, HEADERS };

struct program {
	Elf64_Ehdr header;
	Elf64_Phdr segment[HEADERS];
	uint8_t text[0x1000 - sizeof(Elf64_Ehdr) - HEADERS * sizeof(Elf64_Phdr)];
	uint8_t data[0x200];
	Elf64_Shdr section[2];
};

static const struct program sound = {
    .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_version = EV_CURRENT,
               .e_entry = LOW + 0x800,
               .e_phoff = offsetof(struct program, segment),
               .e_shoff = offsetof(struct program, section),
               .e_ehsize = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = HEADERS,
               .e_shentsize = sizeof(Elf64_Shdr),
               .e_shnum = 2,
               .e_shstrndx = 1},
    .segment = {[DATA] = {PT_LOAD, PF_R | PF_W, 0x1000, LOW + 0x2000, 0, 0x200, 0x1800, 0x1000},
                [TEXT] = {PT_LOAD, PF_R | PF_X, 0, LOW, 0, 0x1000, 0x1000, 0x1000},
                [STACK] = {PT_LOAD, PF_R | PF_W, 0, LOW + 0x5000, 0, 0, 0x2000, 0x1000},
                [TLS] = {PT_TLS, PF_R, 0, 0, 0, 0, 8, 8}},
};

/* The file lies in memory of exactly its size, so that the sanitizer sees every byte too far. */
static err_t read_bytes(const void *file, size_t bytes, struct elf_program *out, const char **why)
{
	void *exact = malloc(bytes ? bytes : 1);
	memcpy(exact, file, bytes);
	err_t e = elf_read(exact, bytes, LOW, HIGH, out, why);
	free(exact);
	return e;
}

static void a_sound_program_is_read(void **state)
{
	(void)state;
	struct elf_program p;
	const char *why = NULL;

	assert_true(is_ok(read_bytes(&sound, sizeof(sound), &p, &why)));
	assert_int_equal(p.entry, LOW + 0x800);
	assert_int_equal(p.phdr, LOW + offsetof(struct program, segment));
	assert_int_equal(p.phdr_count, HEADERS);
	assert_int_equal(p.segments, 3);
	assert_int_equal(p.low, LOW);
	assert_int_equal(p.high, LOW + 0x7000);
	assert_int_equal(p.segment[0].rights, RIGHT_READ | RIGHT_EXECUTE);
	assert_int_equal(p.segment[1].vaddr, LOW + 0x2000);
	assert_int_equal(p.segment[1].file_bytes, 0x200);
	assert_int_equal(p.segment[1].bytes, 0x1800);
	assert_int_equal(p.segment[1].rights, RIGHT_READ | RIGHT_WRITE);
	assert_int_equal(p.segment[2].bytes, 0x2000);
}

static void segments_are_sorted(void **state)
{
	(void)state;
	struct program program = sound;
	struct elf_program p;
	const char *why = NULL;

	program.segment[TEXT] = sound.segment[STACK];
	program.segment[STACK] = sound.segment[TEXT];
	assert_true(is_ok(read_bytes(&program, sizeof(program), &p, &why)));
	assert_int_equal(p.segment[0].vaddr, LOW);
	assert_int_equal(p.segment[1].vaddr, LOW + 0x2000);
	assert_int_equal(p.segment[2].vaddr, LOW + 0x5000);
}

static void refused(const struct program *program, size_t bytes, const char *field)
{
	struct elf_program p;
	const char *why = NULL;

	assert_true(err_is(read_bytes(program, bytes, &p, &why), ERR_NUMBER_FORMAT));
	assert_non_null(why);
	if (!strstr(why, field))
		fail_msg("\"%s\" does not name %s", why, field);
}

#define WRONG(part, value, field)                                                                                                          \
	do {                                                                                                                               \
		struct program wrong = sound;                                                                                              \
		wrong.part = (value);                                                                                                      \
		refused(&wrong, sizeof(wrong), field);                                                                                     \
	} while (0)

static void each_field_of_the_file_header_is_checked(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		WRONG(header.e_ident[i], 'x', "e_ident");
	WRONG(header.e_ident[EI_CLASS], ELFCLASS32, "EI_CLASS");
	WRONG(header.e_ident[EI_DATA], ELFDATA2MSB, "EI_DATA");
	WRONG(header.e_ident[EI_VERSION], 0, "EI_VERSION");
	WRONG(header.e_ident[EI_OSABI], ELFOSABI_FREEBSD, "EI_OSABI");
	WRONG(header.e_ident[EI_ABIVERSION], 1, "EI_ABIVERSION");
	WRONG(header.e_type, ET_DYN, "e_type");
	WRONG(header.e_machine, EM_AARCH64, "e_machine");
	WRONG(header.e_version, 2, "e_version");
	WRONG(header.e_entry, LOW - 1, "e_entry");
	WRONG(header.e_entry, LOW + 0x1000, "e_entry");
	WRONG(header.e_entry, LOW + 0x2000, "e_entry");
	WRONG(header.e_phoff, 0, "e_phoff");
	WRONG(header.e_phoff, sizeof(sound) - 8, "e_phoff");
	WRONG(header.e_phoff, UINT64_MAX - 7, "e_phoff");
	WRONG(header.e_phoff, offsetof(struct program, segment) + 4, "e_phoff");
	WRONG(header.e_shoff, sizeof(sound), "e_shoff");
	WRONG(header.e_shoff, UINT64_MAX, "e_shoff");
	WRONG(header.e_shoff, 0, "e_shoff");
	WRONG(header.e_flags, 1, "e_flags");
	WRONG(header.e_ehsize, 52, "e_ehsize");
	WRONG(header.e_phentsize, 32, "e_phentsize");
	WRONG(header.e_phnum, 0, "e_phnum");
	WRONG(header.e_phnum, 0xffff, "e_phnum");
	WRONG(header.e_shentsize, 40, "e_shentsize");
	WRONG(header.e_shnum, 0, "e_shoff");
	WRONG(header.e_shnum, 0xffff, "e_shnum");
	WRONG(header.e_shstrndx, 2, "e_shstrndx");
}

static void each_field_of_a_program_header_is_checked(void **state)
{
	(void)state;
	WRONG(segment[TLS].p_type, PT_INTERP, "PT_INTERP");
	WRONG(segment[TEXT].p_type, PT_NULL, "e_entry");
	WRONG(segment[TEXT].p_flags, PF_R | PF_W | PF_X, "p_flags");
	WRONG(segment[TEXT].p_flags, PF_R, "e_entry");
	WRONG(segment[DATA].p_flags, PF_W, "p_flags");
	WRONG(segment[DATA].p_flags, PF_R | 0x100, "p_flags");
	WRONG(segment[DATA].p_offset, sizeof(sound) - 0x1ff, "p_offset");
	WRONG(segment[DATA].p_offset, UINT64_MAX - 0xfff, "p_offset");
	WRONG(segment[DATA].p_offset, 0x10, "p_align");
	WRONG(segment[DATA].p_vaddr, LOW - 0x1000, "p_vaddr");
	WRONG(segment[DATA].p_vaddr, HIGH, "p_vaddr");
	WRONG(segment[DATA].p_vaddr, HIGH - 0x1000, "p_vaddr");
	WRONG(segment[DATA].p_vaddr, UINT64_MAX - 0xfff, "p_vaddr");
	WRONG(segment[DATA].p_vaddr, LOW, "overlaps");
	WRONG(segment[DATA].p_vaddr, LOW + 0x4000, "overlaps");
	WRONG(segment[DATA].p_filesz, 0x1801, "p_filesz");
	WRONG(segment[DATA].p_filesz, sizeof(sound), "p_filesz");
	WRONG(segment[DATA].p_memsz, 0x3001, "overlaps");
	WRONG(segment[DATA].p_memsz, UINT64_MAX, "p_memsz");
	WRONG(segment[DATA].p_align, 0x1800, "p_align");
	WRONG(segment[DATA].p_align, 0x4000, "p_align");
}

static void a_program_without_segments_is_refused(void **state)
{
	(void)state;
	struct program wrong = sound;

	for (int i = 0; i < HEADERS; i++)
		wrong.segment[i].p_type = PT_NOTE;
	refused(&wrong, sizeof(wrong), "p_type");
}

static void more_segments_than_fit_are_refused(void **state)
{
	(void)state;
	struct program wrong = sound;
	Elf64_Phdr *more = (Elf64_Phdr *)(void *)wrong.text;

	for (int i = 0; i < ELF_SEGMENTS_MAX; i++)
		more[i] = (Elf64_Phdr){PT_LOAD, PF_R, 0, LOW + 0x10000 + 0x1000u * (unsigned)i, 0, 0, 0x1000, 0};
	wrong.header.e_phnum = HEADERS + ELF_SEGMENTS_MAX;
	refused(&wrong, sizeof(wrong), "e_phnum");
}

/* At any length: nothing beyond the end is touched, and what was cut off is noticed. */
static void a_cut_off_file_is_refused(void **state)
{
	(void)state;
	for (size_t bytes = 0; bytes < sizeof(sound); bytes++)
		refused(&sound, bytes, bytes < sizeof(Elf64_Ehdr) ? "header" : "outside the file");
}

static void a_stripped_program_is_read(void **state)
{
	(void)state;
	struct program stripped = sound;
	struct elf_program p;
	const char *why = NULL;

	stripped.header.e_shoff = 0;
	stripped.header.e_shnum = 0;
	stripped.header.e_shstrndx = 0;
	assert_true(is_ok(read_bytes(&stripped, offsetof(struct program, section), &p, &why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sound_program_is_read),
	    cmocka_unit_test(segments_are_sorted),
	    cmocka_unit_test(each_field_of_the_file_header_is_checked),
	    cmocka_unit_test(each_field_of_a_program_header_is_checked),
	    cmocka_unit_test(a_program_without_segments_is_refused),
	    cmocka_unit_test(more_segments_than_fit_are_refused),
	    cmocka_unit_test(a_cut_off_file_is_refused),
	    cmocka_unit_test(a_stripped_program_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
