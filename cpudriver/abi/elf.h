/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A checked view of an ELF-64 program for x86-64 (System V gABI 4.1, chapters 4 and 5). Pure: used by the loader (CPU driver, monitor),
 * by monitors (programs) and by the hosted tests. Nothing in the file is trusted: every offset, size, count and alignment is checked
 * against the file's bytes, segments must not overlap and must lie in the range that the caller allows. */

#include "cpudriver/abi/errors.h"

#define ELF_SEGMENTS_MAX 8

struct elf_segment {
	uint64_t vaddr;      /* not rounded */
	uint64_t offset;     /* of its bytes in the file */
	uint64_t file_bytes; /* in the file; the rest, up to bytes, is zero */
	uint64_t bytes;
	uint64_t rights; /* RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE; never write and execute together */
};

struct elf_program {
	uint64_t entry;
	uint64_t phdr; /* virtual address of the program headers, 0 if no segment covers them */
	uint32_t phdr_count;
	uint32_t segments;
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* ascending addresses */
	uint64_t low, high;                           /* [low, high) covers all segments, rounded to pages */
};

/* Reads the program in file[0..bytes). All segments must lie in [low, high). On FORMAT, *why is a sentence that names the header
 * field at fault and its value's role ("e_phoff lies outside the file"); it is a static string. */
MUST_USE err_t elf_read(const void *file, size_t bytes, uint64_t low, uint64_t high, struct elf_program *out, const char **why);
