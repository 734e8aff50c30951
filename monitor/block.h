/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Blocks of this core's memory, with their capabilities. */

#include "monitor/monitor.h"

/* Finds the RAM that the starter gave to this core and makes it available. */
MUST_USE err_t blocks_start(struct monitor *m);

/* A capability of `type` (RAM or Frame) over `bytes` of free memory. */
MUST_USE err_t block_take(struct monitor *m, enum cap_type type, uint64_t bytes, struct block *out);
/* The same at a multiple of `alignment`. ALIGNMENT: that is no power of two, or less than a page. */
MUST_USE err_t block_take_aligned(struct monitor *m, enum cap_type type, uint64_t bytes, uint64_t alignment, struct block *out);
/* The same over the part of a node: within [low, high). */
MUST_USE err_t block_take_within(struct monitor *m, enum cap_type type, uint64_t bytes, uint64_t low, uint64_t high, struct block *out);
/* RAM that lies as `like` does within 1 GiB, if it is as large, or else within 2 MiB, if there is any that does: what was mapped by large
 * pages there can be so here. */
MUST_USE err_t block_take_like(struct monitor *m, uint64_t like, uint64_t bytes, struct block *out);
/* Nothing must be left that was derived from it. */
void block_give(struct monitor *m, struct block *b);
/* RAM of which nothing has been made and that nothing else covers is free memory of this core's from now on. The slot may be empty then:
 * what adjoins has one capability. */
MUST_USE err_t block_adopt(struct monitor *m, cap_t ram);
/* Another core has it now. */
void block_part_with(struct monitor *m, struct block *b);

/* The block as this monitor sees it, while it writes something there. The mapping has a Frame of its own. */
struct view {
	cap_t frame;
	uint8_t *at;
};
MUST_USE err_t view_open(const struct block *b, uint64_t offset, uint64_t bytes, struct view *out);
void view_close(struct view *v);
