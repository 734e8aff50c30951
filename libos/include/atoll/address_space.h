/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The domain's address space: it owns its page tables and decides what lies where (self-paging).
 *
 * A domain on several cores (<atoll/span.h>) has one address space. Each member places what it makes in an area of its own, is *home* to
 * it, and makes it of its own node's memory, if nothing else is asked for. Other members find it at the first touch. What is here called
 * for an address that is at home elsewhere is done there, and the calling thread waits; ranges lie in one member's area. */

#include "cpudriver/abi/errors.h"
#include "cpudriver/abi/capabilities.h"

/* When memory is taken for a region. */
enum placement {
	PLACE_NOW,   /* frames are taken at once */
	PLACE_TOUCH, /* at the first touch, by this domain's pager, zeroed */
};

/* Reserves `bytes` (rounded up to pages) of address space backed by zeroed memory of this core's node. What is 2 MiB or more and taken at
 * once lies in large pages of 2 MiB and, from 1 GiB on, of 1 GiB, as far as the CPU has such pages and the node memory for them. A large
 * page of which a part is unmapped or protected becomes smaller ones. Errors: ARGUMENT, NO_MEMORY, NO_SLOT. */
MUST_USE err_t memory_map(uint64_t bytes, rights_t rights, enum placement placement, void **out);
/* Takes a range away, which others may not use any more; returns when no member has it mapped. Errors: NOT_MAPPED (part of it is nothing),
 * ALIGNMENT (it begins or ends inside a frame), NOT_SUPPORTED (the program's own segments), PEER_GONE (its home). */
MUST_USE err_t memory_unmap(void *address, uint64_t bytes);
MUST_USE err_t memory_protect(void *address, uint64_t bytes, rights_t rights);

/* ---- Whose memory ---- */

/* Whose memory a page is. */
enum memory_kind {
	MEMORY_LOCAL,       /* the caller's member's */
	MEMORY_BIND,        /* that of the one member in `members`, which is home to it, too */
	MEMORY_INTERLEAVE,  /* that of all in `members` in turn, MEMORY_INTERLEAVE_BYTES each */
	MEMORY_FIRST_TOUCH, /* that of whoever touches it first */
	MEMORY_REPLICATE, /* read-mostly: each member that reads it has a copy near itself; a write takes the copies away first, so all see
	                     it */
};
/* How much of an interleaved region lies with one member before it is the next one's turn. */
#define MEMORY_INTERLEAVE_BYTES (64 * KIB)

/* A wish; all zero: the caller's member's. */
struct memory_policy {
	enum memory_kind kind;
	uint64_t members; /* a bit each; 0: all that there are */
};

/* memory_map with a wish: where that member has no memory, another's is taken. Errors: also PEER_GONE (bind: no such member). */
MUST_USE err_t memory_map_with(uint64_t bytes, rights_t rights, enum placement placement, struct memory_policy policy, void **out);
/* The members on the cores of a node, a bit each. */
uint64_t memory_members_of_node(unsigned node);

/* Where a page is; the node and the physical address are those of the memory. */
struct memory_place {
	unsigned home;   /* the member that answers for the address */
	unsigned member; /* whose memory it is */
	unsigned node;
	paddr_t paddr;
};
/* Where an address lives. Errors: NOT_MAPPED (nothing is there, or nothing yet: see PLACE_TOUCH), PEER_GONE. */
MUST_USE err_t memory_where(const void *address, struct memory_place *out);
/* Moves what there is of a range to that member's memory; the addresses stay as they are. Errors: as memory_unmap, and NO_MEMORY: then a
 * part of it may have moved. */
MUST_USE err_t memory_migrate(void *address, uint64_t bytes, unsigned member);

/* What the calling thread's member has said to others for memory's sake, since it began. */
struct memory_counts {
	uint64_t touches;  /* touches of pages that are at home elsewhere, */
	uint64_t served;   /* touches of others, answered */
	uint64_t drops;    /* messages that take something away from a member */
	uint64_t borrowed; /* pages */
};
void memory_counts(struct memory_counts *out);

/* The memory of the calling thread's member: granted to it, in bytes, and not made into anything. */
struct memory_usage {
	uint64_t granted, free;
};
void memory_usage(struct memory_usage *out);

/* ---- Frames ---- */

/* Maps all of a Frame or DeviceFrame, or `bytes` of it from `offset` on; the capability stays the caller's, who keeps it while mapped. */
MUST_USE err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out);
MUST_USE err_t frame_unmap(void *address);

/* A Frame of this node's memory in a new slot, mapped: what a ring or a shared page is made of. */
MUST_USE err_t frame_create(uint64_t bytes, rights_t rights, cap_t *frame, void **out, paddr_t *base);
