/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a monitor hands to a domain that it starts, mapped at USER_START_PAGE (four pages, shared with the monitor for the domain's life):
 *
 *   page 0   struct domain_start, then its strings      read-only for the domain
 *   page 1   request buffer: the domain writes, the monitor copies once, then validates; answers that are longer than a message
 *            come back in it too
 *   page 2   event ring, monitor to domain (channels)   with page 3 a channel whose peer is on the same core
 *   page 3   its other direction                        acknowledgements only
 *
 * The domain's memory is one block of RAM (CAP_RAM_GRANT). The monitor made the domain's first objects from the block's low end, up to
 * ram_used; the rest is the domain's to retype. When the domain ends its monitor revokes the block, and with it everything that was
 * ever derived from it. The page tables that exist at start are listed, so that the library OS can go on where the monitor stopped.
 *
 * A monitor itself is started by its CPU driver, with the core_boot page instead (cpudriver/abi/core_boot.h). */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/memory_map.h"
#include "monitor/abi/messages.h"

#define DOMAIN_START_MAGIC   UINT64_C(0x74726174736d6f64) /* "domstart" */
#define DOMAIN_START_VERSION 4

#define DOMAIN_REQUEST_BUFFER (USER_START_PAGE + PAGE_BYTES)
#define DOMAIN_EVENT_RING     (USER_START_PAGE + 2 * PAGE_BYTES)
#define DOMAIN_EVENT_RETURN   (USER_START_PAGE + 3 * PAGE_BYTES)
#define DOMAIN_START_BYTES    (4 * PAGE_BYTES)
#define DOMAIN_EVENT_SLOTS    16

#define DOMAIN_TABLES_MAX 24
#define DOMAIN_PIECES_MAX 20

/* A domain may span several cores: then it is made of *members*, each of which its core's monitor made like a domain of its own. They run
 * the same program; text, constants and what the library OS knows (from USER_PRIVATE on) each of them has a copy of, at the same addresses.
 * What the program writes to is common: member 0 is given it in the pieces below, and hands it on. Of the addresses from USER_HEAP on each
 * member has SPAN_AREA_BYTES to place things in, so an address says whose it is. */
#define SPAN_MAX        64
#define SPAN_AREA_SHIFT 38
#define SPAN_AREA_BYTES (UINT64_C(1) << SPAN_AREA_SHIFT)

/* What is common, as far as it exists at the start: the program's data, and the first stack. */
struct start_piece {
	uint64_t vaddr;
	uint32_t pages;
	uint16_t cap; /* a Frame over exactly these pages */
	uint16_t rights;
};
_Static_assert(sizeof(struct start_piece) == 16, "");

struct start_table {
	uint64_t vaddr; /* first address that the table translates */
	uint16_t cap;
	uint16_t level; /* 1..3 */
	uint32_t reserved;
};
_Static_assert(sizeof(struct start_table) == 16, "");

struct domain_start {
	uint64_t magic;
	uint32_t version, bytes; /* sizeof(struct domain_start) */

	uint32_t domain; /* number, unique in the system: core << 16 | count on that core */
	uint32_t core, node;
	uint32_t span; /* the number of member 0: the one under which programs know the whole domain */
	char name[24];

	uint64_t ram_base, ram_bytes; /* CAP_RAM_GRANT */
	uint64_t ram_used;            /* bytes from its low end that are taken */
	uint64_t program_high;        /* end of the program's segments below USER_PRIVATE: the program break starts here */
	uint64_t phdr, phdr_bytes, phdr_count, entry;
	uint64_t stack_low, stack_high; /* of the first thread's stack, mapped for member 0 */
	uint64_t tsc_hz, start_tsc;     /* of the time-stamp counter; its value at the loader's first instruction */
	uint64_t model_bytes;           /* machine model at USER_MACHINE, 0: none */
	uint64_t trace_bytes;           /* trace ring at USER_TRACE, 0: none */

	uint32_t tables;
	uint32_t first_free_slot; /* of the task CNode */
	struct start_table table[DOMAIN_TABLES_MAX];

	uint32_t member; /* 0 .. SPAN_MAX - 1 */
	uint32_t pieces; /* of member 0 only */
	struct start_piece piece[DOMAIN_PIECES_MAX];

	/* of member 0 only: what its spawner wanted (struct spawn_order) */
	uint32_t gifts;
	uint32_t moves; /* how often the domain has moved to another core (monitor/move.h); 0: it begins */
	uint64_t cores[CORE_SET_WORDS];

	/* strings in this page, each ends with 0: offsets from the page's start */
	uint32_t arguments, argument_offset; /* count, first; one follows the other */
	uint32_t environment, environment_offset;
};
_Static_assert(sizeof(struct domain_start) <= 1024, "most of the page is for strings");
