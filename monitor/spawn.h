/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Makes a domain out of a program and one block of memory.
 *
 *   low end                                                                                           high end
 *   segments | stack | CNodes, page tables, dispatcher | the domain's to retype ...  | start area, not the domain's
 *   ◀──────────────── ram_used ───────────────▶                                      |
 *   ◀──────────────────────── CAP_RAM_GRANT, an object of its own ──────────────────▶
 *
 * A further member of a span gets all that can't be written to and the library OS's data, not what it has in common with the others.
 *
 * Everything is made of the block, so revoking the block ends the domain, whatever it did. The start area stays outside of what the domain
 * may revoke, because the monitor has it mapped. */

#include "monitor/monitor.h"

struct spawn_request {
	const void *program; /* ELF file */
	size_t program_bytes;
	const char *text; /* arguments and environment, as spawn_text.h reads them */
	size_t text_bytes;
	uint64_t memory; /* 0: the default */
	uint32_t parent;
	uint32_t span; /* a further member of this domain; 0: a domain of its own */
	uint8_t member;
};

/* Starts the program, as its first argument names it, with the rights that the manifest gives to that name. */
MUST_USE err_t spawn_here(struct monitor *m, const struct spawn_request *r, uint32_t *domain);
/* The same for a program of the archive, which the text names: `request` says the rest. */
MUST_USE err_t spawn_archived(struct monitor *m, const struct spawn_request *request, uint32_t *domain);

/* A domain's request: on this core or another. */
MUST_USE err_t spawn_request(struct monitor *m, struct domain *d, uint32_t tag, uint32_t core, const char *text, size_t bytes,
                             uint64_t memory);
