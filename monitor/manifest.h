/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The boot manifest: what each program of the archive may have beyond memory and time. A text file `manifest` in the archive, one program a
 * line, `#` begins a comment. A program that it does not name gets nothing but the defaults.
 *
 *   console  boot core=0 ioports=0x3f8+8 interrupt=isa:4 may=interrupt last
 *
 *   boot              is started when all cores are up, in the order of the file
 *   last              ends after all others when the system ends, so that it can still show what they said
 *   arguments         gets the kernel's command line, word by word
 *   core=N            runs on that core only
 *   memory=BYTES      of its block, with K or M behind the number
 *   ioports=FIRST+COUNT
 *   interrupt=isa:N   or gsi:N; `sci` is ACPI's own
 *   devices           may map everything that is no RAM
 *   may=REQUEST,...   privileged requests (monitor/abi/requests.def)
 *
 * Pure. */

#include "cpudriver/abi/errors.h"

#define MANIFEST_PROGRAMS 32
#define MANIFEST_NAME     24
#define MANIFEST_ANY_CORE UINT32_MAX

enum manifest_interrupt { INTERRUPT_NONE, INTERRUPT_ISA, INTERRUPT_GSI, INTERRUPT_SCI };

struct manifest_program {
	char name[MANIFEST_NAME];
	bool boot, last, arguments, devices;
	uint32_t core;
	uint64_t memory; /* 0: the default */
	uint32_t port, ports;
	enum manifest_interrupt interrupt_kind;
	uint32_t interrupt;
	uint64_t may; /* bit n: request number n */
};

struct manifest {
	unsigned programs;
	struct manifest_program program[MANIFEST_PROGRAMS];
};

/* Reads `text`. On FORMAT, *why is a sentence that names what is wrong, *line the line. */
MUST_USE err_t manifest_read(const char *text, size_t bytes, struct manifest *out, const char **why, unsigned *line);

/* NULL: not named. */
const struct manifest_program *manifest_find(const struct manifest *m, const char *name);
