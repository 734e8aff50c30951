/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Pagers of a program's own: it decides what is in a page when somebody touches it.
 *
 * A region has a pager from the start. Whoever touches a page of it that is not there, on whatever member, waits; a thread of the pager's,
 * on the member that has started it, calls the program's function, and what that answers becomes the page. The thread is an ordinary one:
 * it may wait, allocate, call other domains, touch any memory but the region's own. One page is asked for at a time.
 *
 * A page may be taken back (pager_take): then its contents are the program's to keep elsewhere, and the next touch asks again. So memory
 * can be compressed (apps/compress), written somewhere, or be another domain's. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

struct pager;

/* A page that is asked for. */
struct pager_request {
	void *page;      /* that was touched */
	uint64_t offset; /* from the beginning of the region, as it was mapped */
	bool write;
	unsigned member; /* that touches it */
	void *contents;  /* a zeroed page, which becomes the page if the answer names no frame; fill it, or leave it as it is */
};

/* What it is to be; all zero, as it comes: `contents`. */
struct pager_answer {
	cap_t frame; /* CAP_NULL: `contents`; else a Frame of which a page is mapped. The capability stays the program's, who keeps it until
	                pager_stop, and may then end it */
	uint64_t offset;    /* of the page in the frame */
	bool copy_on_write; /* the frame's page is only read; who writes gets a copy */
};

/* An error is the end of the touch, and so of the program, unless a system call has touched: the sentence names it. */
typedef err_t pager_function(void *argument, const struct pager_request *request, struct pager_answer *answer);

/* Errors: NO_MEMORY. */
MUST_USE err_t pager_start(pager_function *function, void *argument, struct pager **out);
/* All of its regions must have been unmapped: STATE. */
MUST_USE err_t pager_stop(struct pager *pager);

/* Address space whose pages that pager provides; unmapped by memory_unmap. On the pager's member: STATE. Errors as memory_map. */
MUST_USE err_t pager_map(struct pager *pager, uint64_t bytes, rights_t rights, void **out);

/* Takes a page away from everybody. Its contents are at *contents until pager_release; one at a time (STATE). Errors: NOT_MAPPED (it is not
 * there), NOT_SUPPORTED (not this pager's, or a page of a frame), NO_MEMORY. On the pager's member, by any thread. */
MUST_USE err_t pager_take(struct pager *pager, void *page, void **contents);
void pager_release(struct pager *pager);
