/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the acpi domain needs of the machine, and all that it can touch of it.
 *
 * There are two implementations: numa/acpi/hardware.c goes through the domain's capabilities, and the hosted tests imitate a machine over
 * tables that QEMU's firmware made. Everything else in this directory is the same in both. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Physical address of the root system description pointer; 0: the machine has no ACPI. */
uint64_t hardware_rsdp(void);

/* `bytes` of physical memory from `physical` on, readable and writable, or NULL: not ours to see. Each map has its unmap. */
void *hardware_map(uint64_t physical, size_t bytes);
void hardware_unmap(void *address, size_t bytes);

/* `bytes` is 1, 2 or 4. false: not our port. */
bool hardware_read_port(uint16_t port, unsigned bytes, uint32_t *value);
bool hardware_write_port(uint16_t port, unsigned bytes, uint32_t value);

/* A clock that never goes back, and a wait of at least that long. */
uint64_t hardware_nanoseconds(void);
void hardware_wait(uint64_t nanoseconds);

/* From now on the handler runs whenever this ISA interrupt, which is level-triggered and shared, has been raised. */
bool hardware_attach_interrupt(uint32_t isa, void (*handler)(void *context), void *context);

/* One line of text, without its line end, for the person at the console. */
void hardware_print(const char *line);
