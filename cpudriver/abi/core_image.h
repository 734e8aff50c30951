/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Lays out one core's CPU driver and monitor in physical memory: the private copy of the image, its page tables, its core_boot, its
 * mailbox. Pure: the loader (first core), monitors (all others) and the hosted tests run the same code; it writes only through `memory`.
 *
 *   1. core_image_plan  reads both ELF files and says how many bytes the layout takes
 *   2. the caller finds that many bytes, page-aligned, on the core's node
 *   3. core_image_build fills them; core_boot's "this core" part is written, the "machine" part is copied from `template`
 *
 * The page tables map, all for the supervisor only and with the accessed and dirty bits set, so that the CPU never writes to them:
 *
 *   window     2 MiB or 1 GiB pages, read and write; what is no memory there is uncached by the firmware's MTRRs
 *   image      4 KiB pages, each with its segment's rights
 *   devices    the local APIC (uncached) and the trampoline (executable); the CPU driver maps I/O APICs in the same level-1 table */

#include "cpudriver/abi/core_boot.h"
#include "cpudriver/abi/elf.h"

struct core_image_plan {
	struct elf_program cpudriver, monitor;
	uint64_t bytes; /* of physically contiguous memory, for everything */
	uint64_t trace_bytes; /* of them: the trace area (trace.h) */
	uint64_t driver_bytes; /* of them: CPU driver's image, stack, page tables, core_boot and mailbox: the @boot fact's image_bytes */
};

/* `cores`: how many the machine may have; `window_end`: highest physical address + 1; `huge_pages`: the CPU has 1 GiB pages. */
MUST_USE err_t core_image_plan(const void *cpudriver, size_t cpudriver_bytes, const void *monitor, size_t monitor_bytes, uint32_t cores,
                               uint64_t window_end, bool huge_pages, struct core_image_plan *out, const char **why);

/* Adds the trace area, if the command line has the setting `trace=on` before `app=`. Errors: ARGUMENT (another value than on and off). */
MUST_USE err_t core_image_plan_trace(struct core_image_plan *plan, const char *command_line, const char **why);

struct core_image_target {
	uint64_t base; /* physical, page-aligned, plan.bytes long */
	void *memory;  /* where the caller sees it */
	uint32_t core, apic, node, cores;
	uint64_t window_end;
	bool huge_pages;
};

/* Returns the core_boot inside `target->memory`; the caller completes its machine part (regions and so on). */
struct core_boot *core_image_build(const struct core_image_plan *plan, const void *cpudriver, const void *monitor,
                                   const struct core_image_target *target, const struct core_boot *template);

/* The trampoline's page tables (core_boot.h): bytes that they take, and building them at physical address `base`, seen at `memory`. They
 * identity-map the first 512 GiB of the window, of which at least 4 GiB are there. */
uint64_t trampoline_tables_bytes(uint64_t window_end, bool huge_pages);
void trampoline_tables_build(void *memory, uint64_t base, uint64_t window_end, bool huge_pages, uint64_t trampoline);
