/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/devices/io_apic.h"

/* Intel 82093AA datasheet, 3.1: an index register, and a window on the register that it names. */
#define SELECT 0x00
#define WINDOW 0x10

#define VERSION        0x01             /* 3.2.2: bits 23:16 are the last input's number */
#define REDIRECTION(n) (0x10 + 2 * (n)) /* 3.2.4; the upper half follows */
#define ACTIVE_LOW     (1u << 13)
#define LEVEL          (1u << 15)
#define MASKED         (1u << 16)

static uint32_t read_indexed(const struct io_apic *io_apic, uint32_t index)
{
	register_write(io_apic->registers + SELECT, index);
	return register_read(io_apic->registers + WINDOW);
}

static void write_indexed(const struct io_apic *io_apic, uint32_t index, uint32_t value)
{
	register_write(io_apic->registers + SELECT, index);
	register_write(io_apic->registers + WINDOW, value);
}

void io_apic_init(struct io_apic *io_apic, uint64_t registers, uint32_t first)
{
	*io_apic = (struct io_apic){.registers = registers, .first = first};
	io_apic->inputs = (read_indexed(io_apic, VERSION) >> 16 & 0xff) + 1;
	for (uint32_t i = 0; i < io_apic->inputs; i++)
		write_indexed(io_apic, REDIRECTION(i), MASKED);
}

/* The lower half first: it masks, so that no interrupt goes to a half-written route. */
void io_apic_route(const struct io_apic *io_apic, uint32_t interrupt, const struct io_apic_route *route)
{
	uint32_t index = REDIRECTION(interrupt - io_apic->first);

	write_indexed(io_apic, index, MASKED | route->vector | (route->level ? LEVEL : 0) | (route->active_low ? ACTIVE_LOW : 0));
	write_indexed(io_apic, index + 1, (uint32_t)route->target << 24);
}

void io_apic_mask(const struct io_apic *io_apic, uint32_t interrupt)
{
	uint32_t index = REDIRECTION(interrupt - io_apic->first);

	write_indexed(io_apic, index, read_indexed(io_apic, index) | MASKED);
}

void io_apic_unmask(const struct io_apic *io_apic, uint32_t interrupt)
{
	uint32_t index = REDIRECTION(interrupt - io_apic->first);

	write_indexed(io_apic, index, read_indexed(io_apic, index) & ~MASKED);
}
