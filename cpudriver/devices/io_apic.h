/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* An I/O APIC: routes its inputs (global system interrupts) to local APICs. Intel 82093AA datasheet, section 3. The caller maps the page of
 * its registers uncached. */

#include "cpudriver/devices/access.h"

struct io_apic {
	uint64_t registers; /* virtual address, 0: not there */
	uint32_t first;     /* global system interrupt of input 0 */
	uint32_t inputs;
};

struct io_apic_route {
	uint8_t vector;
	uint8_t target; /* APIC ID; the redirection table has 8 bits for it */
	bool level;     /* else edge */
	bool active_low;
};

/* Masks all inputs. */
void io_apic_init(struct io_apic *io_apic, uint64_t registers, uint32_t first);

static inline bool io_apic_has(const struct io_apic *io_apic, uint32_t interrupt)
{
	return interrupt >= io_apic->first && interrupt - io_apic->first < io_apic->inputs;
}

/* `interrupt` is a global system interrupt that this one has. A new route starts masked. */
void io_apic_route(const struct io_apic *io_apic, uint32_t interrupt, const struct io_apic_route *route);
void io_apic_mask(const struct io_apic *io_apic, uint32_t interrupt);
void io_apic_unmask(const struct io_apic *io_apic, uint32_t interrupt);
