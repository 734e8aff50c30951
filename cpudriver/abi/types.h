/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Addresses and rights have types of their own, so that the compiler finds a physical address where a virtual one belongs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))

/* A physical address in bytes. */
typedef struct {
	uint64_t value;
} paddr_t;

/* A virtual address in bytes, in the address space of whoever the text around it names. */
typedef struct {
	uint64_t value;
} vaddr_t;

/* A set of rights, see RIGHT_* in capabilities.h. */
typedef struct {
	uint8_t bits;
} rights_t;

/* A capability address: the slot of the root CNode that holds a CNode, and the slot in that CNode. */
typedef struct {
	uint16_t value;
} cap_t;

#define PADDR(v)        ((paddr_t){(uint64_t)(v)})
#define VADDR(v)        ((vaddr_t){(uint64_t)(v)})
#define RIGHTS(b)       ((rights_t){(uint8_t)(b)})
#define CAP(root, slot) ((cap_t){(uint16_t)((root) << 8 | (slot))})
#define CAP_NULL        CAP(0, 0)

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* Intel SDM vol. 3, 4.5: page sizes of 4-level paging. */
#define PAGE_BYTES       (4 * KIB)
#define PAGE_BYTES_LARGE (2 * MIB)
#define PAGE_BYTES_HUGE  (1 * GIB)

/* The next boundary of a page at or below an address, and at or above it; of a size, the latter is that in whole pages. */
static inline uint64_t page_down(uint64_t a)
{
	return a & ~(PAGE_BYTES - 1);
}
static inline uint64_t page_up(uint64_t a)
{
	return page_down(a + PAGE_BYTES - 1);
}

/* Bytes of a cache line, and the unit of everything that one core writes and another reads. */
#define LINE_BYTES 64
