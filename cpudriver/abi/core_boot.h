/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The boot contract: what a core's starter hands to the CPU driver of that core, and the CPU driver to its monitor.
 *
 * The loader starts the first core and a monitor every other one, with the same structure and through the same entry:
 *
 *   long mode, CR3 = page tables of this core's image (below), interrupts off, caches on, RSP undefined,
 *   RDI = address of this structure in the physical window, RIP = the image's ELF entry.
 *
 * Physical layout, all of it on the core's own node (core_image.h makes it):
 *
 *   core_boot page | image (text, rodata, data, bss, stack with a hole for the guard page) | page tables | monitor's segments | mailbox |
 *   trace area, if the command line asks for one
 *
 * The CPU driver makes the first domain, the monitor, out of `monitor` and of memory from the first RAM region of `regions`, and turns
 * each region and module into a capability in the monitor's ROOT_BOOT CNode. It gives the monitor this page read-only. */

#include "cpudriver/abi/memory_map.h"
#include "cpudriver/abi/types.h"

#define CORE_BOOT_MAGIC   UINT64_C(0x746f6f626c6c6f74) /* "tollboot" */
#define CORE_BOOT_VERSION 1

#define CORES_MAX   256 /* core IDs */
#define REGIONS_MAX 64
#define MODULES_MAX 8
#define COMMAND_LINE_BYTES 1024

/* A core's mailbox has two cache lines for each core that may write to it. */
#define MAILBOX_BYTES_EACH (2 * LINE_BYTES)

static inline uint64_t mailbox_bytes(uint32_t cores) { return page_up(cores * MAILBOX_BYTES_EACH); }

enum region_kind {
	REGION_RAM = 1,    /* free memory: becomes RAM */
	REGION_MODULE,     /* a boot module: becomes a read-only Frame; its name is in `modules` */
	REGION_DEVICE,     /* every gap between RAM ranges: becomes DeviceFrame; ACPI tables and registers lie there */
	REGION_TRAMPOLINE, /* the page below 1 MiB that starts cores: becomes a Frame */
	REGION_IMAGE,      /* this core's own, see above: no capability */
};

struct region {
	uint64_t base, bytes;
	uint32_t kind;
	uint32_t index; /* of the module */
};
_Static_assert(sizeof(struct region) == 24, "");

struct boot_module {
	char name[24]; /* "cpudriver", "monitor", "acpi", "archive" */
	uint64_t base, bytes;
};
_Static_assert(sizeof(struct boot_module) == 40, "");

/* A program laid out in memory by its starter. */
struct boot_segment {
	uint64_t vaddr, paddr, bytes; /* multiples of PAGE_BYTES */
	uint64_t rights;              /* RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE */
};
#define BOOT_SEGMENTS_MAX 6

struct boot_program {
	uint64_t entry;
	uint64_t phdr, phdr_count; /* vaddr of the program headers in the first segment */
	uint64_t segments;
	struct boot_segment segment[BOOT_SEGMENTS_MAX];
};

/* The processor's control state; every core compares its own with the first core's and reports a difference. */
struct control_state {
	uint64_t cr0, cr4, efer, pat, xcr0, misc;
};

/* The memory type range registers (Intel SDM vol. 3, 11.11), which must say the same on all cores. INIT keeps them on processors, but not on every
 * emulated one. */
#define MEMORY_TYPES_FIXED    11
#define MEMORY_TYPES_VARIABLE 10

struct memory_types {
	uint64_t fixed[MEMORY_TYPES_FIXED];
	struct {
		uint64_t base, mask;
	} variable[MEMORY_TYPES_VARIABLE];
};

struct core_boot {
	uint64_t magic;
	uint32_t version, bytes;

	/* this core */
	uint32_t core, apic, node;
	uint32_t cores; /* that the machine may have: sizes the mailbox */
	uint64_t image_base, image_bytes; /* physical range of everything that the starter laid out for this core */
	uint64_t page_table4;             /* physical address */
	uint64_t entry;                   /* virtual address of the CPU driver's first instruction */
	uint64_t mailbox_base, mailbox_bytes;
	uint64_t window_end; /* the window maps physical addresses below this */
	struct boot_program monitor;

	/* the machine */
	uint64_t rsdp;          /* physical address, 0: the machine has no ACPI */
	uint64_t hpet_base;     /* physical address of the HPET's registers, 0: none */
	uint64_t pm_timer_port; /* of the ACPI PM timer, 0: none; bit 32 set: it counts 32 bits, not 24 */
	uint64_t start_tsc;     /* time-stamp counter at the loader's first instruction */
	uint64_t tsc_hz;        /* 0: the first core, calibrate */
	uint64_t local_apic_hz; /* likewise: ticks of its timer per second at divisor 1 */
	uint32_t local_apic_mode; /* 0: the first core, choose; 1 xAPIC, 2 x2APIC */
	uint32_t starter;         /* core ID of who started this one; the first core: its own */
	struct control_state control; /* the first core's; all zero on the first core */
	struct memory_types memory_types; /* likewise; their default is in control.misc */

	/* between the two monitors (monitor/mesh.h), all physical; 0 on the first core: this core's mesh area, a page for each core of the
	 * machine, and the page of the starter's area that is this core's to write */
	uint64_t channel_receive, channel_send, channel_bytes;
	uint64_t model_base, model_bytes;                      /* machine model (numa/model.h), 0: not known yet */
	uint64_t starter_doorbell;                             /* Kernel.install base and */
	uint64_t starter_doorbell_extra;                       /* extra of the starter's doorbell */
	uint64_t trampoline;                                   /* physical address of the page below 1 MiB that starts cores */
	uint64_t starter_mailbox;                              /* physical base, for Kernel.peer */
	uint64_t entered_tsc;                                  /* time-stamp counter when this core entered its CPU driver, which says so itself */
	uint64_t stopped;   /* this core's CPU driver took an exception after which it can't go on: vector + 1. Read by whoever buries it */
	uint64_t restarted; /* not 0: the core was up before, and died after so many views; it starts no others */
	uint64_t trace_base, trace_bytes; /* physical: the trace area (trace.h); 0: there is none */
	uint64_t reserved[1];

	uint32_t regions, modules;
	struct region region[REGIONS_MAX];
	struct boot_module module[MODULES_MAX];
	char command_line[COMMAND_LINE_BYTES]; /* ends with 0 */
};
_Static_assert(sizeof(struct core_boot) <= PAGE_BYTES, "one page");
_Static_assert(offsetof(struct core_boot, command_line) % 8 == 0, "");

/* The trampoline page: code, then words that the loader and the starters write.
 *
 * A core looks for the entry with its APIC ID through the whole table, from (APIC ID mod TRAMPOLINE_ENTRIES) on; if there is none, nobody
 * wanted it, and it halts. Starters fill an entry that is free, first the core_boot address, then the APIC ID, and free it when the core has
 * come up: entries may come and go around one that another core still looks for. The page tables at
 * TRAMPOLINE_PAGE_TABLE4 identity-map the low 4 GiB and the physical window; the loader made them, below 4 GiB.
 *
 * Both those page tables and the ones of every core's image map the page, executable, at DEVICE_TRAMPOLINE: there the core changes from
 * the first to the second. The CPU driver removes that mapping when it has started: nothing writable by a domain stays executable. */
#define TRAMPOLINE_PAGE_TABLE4 0x7f0 /* u32 physical address */
#define TRAMPOLINE_TABLE       0x800
#define TRAMPOLINE_ENTRIES     128
#define TRAMPOLINE_FREE        0xffffffff

struct trampoline_entry {
	uint32_t apic;      /* TRAMPOLINE_FREE: empty */
	uint32_t passed;    /* the core writes 1: it has taken its INIT, and nothing of what it did before goes on */
	uint64_t core_boot; /* physical address of the core's core_boot, anywhere in the window; 0: it shall halt */
};
_Static_assert(sizeof(struct trampoline_entry) * TRAMPOLINE_ENTRIES == 0x800, "the second half of the page");
