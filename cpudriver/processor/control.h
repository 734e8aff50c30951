/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The processor's control registers: what Atoll needs, and what protects it where the CPU has it. */

#include "cpudriver/abi/core_boot.h"

struct control_features {
	uint64_t xcr0;
	uint32_t xstate_bytes; /* of an XSAVE area for xcr0 */
	bool no_execute;       /* page tables may say so */
	bool huge_pages;       /* of 1 GiB */
};

/* Sets up CR0, CR4, EFER, PAT and XCR0. NULL, or a sentence that says what this CPU lacks. */
MUST_USE const char *control_start(struct control_features *out);

/* What is set up now. */
struct control_state control_read(void);

/* Reports each register in which this core differs from the first one. */
void control_compare(const struct control_state *here, const struct control_state *first);
