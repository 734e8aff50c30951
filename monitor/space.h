/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The first objects of a domain that is being made: capability space, page tables, mapped frames. All calls between space_begin and
 * space_end; the task CNode is open meanwhile (domain.h). */

#include "monitor/monitor.h"

struct space {
	cap_t ram;          /* what objects are made of */
	uint64_t used;      /* bytes of it that are objects */
	uint64_t limit;     /* none behind this */
	unsigned next_slot; /* of the task CNode */
	cap_t root, task, level4;
	unsigned tables;
	struct start_table table[DOMAIN_TABLES_MAX];
	unsigned pieces;
	struct start_piece piece[DOMAIN_PIECES_MAX];
};

/* `used` bytes of the RAM are taken already, objects may lie up to `limit`. Makes the CNodes and the level-4 table. */
MUST_USE err_t space_begin(struct space *s, cap_t ram, uint64_t used, uint64_t limit);
void space_end(struct space *s);

/* An object of `bytes` in slot `slot` of the task CNode (0: the next). */
MUST_USE err_t space_object(struct space *s, enum cap_type type, uint64_t bytes, unsigned slot, cap_t *out);

/* A Frame over the RAM's [offset, offset + bytes), mapped at `vaddr`; in pieces where page tables end. All multiples of pages. `common`: the
 * pieces are noted. */
MUST_USE err_t space_map_ram(struct space *s, uint64_t offset, uint64_t bytes, uint64_t vaddr, unsigned rights, bool common);
/* Maps `pages` pages from the capability's byte `offset` on; they lie under one level-1 table. */
MUST_USE err_t space_map(struct space *s, cap_t frame, uint64_t offset, unsigned pages, uint64_t vaddr, unsigned rights);
