/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* For programs that drive a device: ports and interrupts, as far as their capabilities go. */

#include "cpudriver/abi/calls.h"

/* `bytes` is 1, 2 or 4. Errors: RANGE (the capability does not cover the port), CAP_RIGHTS. */
MUST_USE err_t port_in(cap_t ports, uint16_t port, unsigned bytes, uint32_t *value);
MUST_USE err_t port_out(cap_t ports, uint16_t port, unsigned bytes, uint32_t value);

/* Binds the interrupt source to this dispatcher. From then on the handler runs, in the thread that is in ipc_serve_once or ipc_serve (never
 * inside an upcall), each time after the source has signalled; when it returns, the interrupt is acknowledged. `flags` are INTERRUPT_*.
 * At most 16 for each domain; more: LIMIT. */
MUST_USE err_t interrupt_attach(cap_t interrupt, unsigned flags, void (*handler)(void *context), void *context);

/* The acpi domain: the handler runs, in the thread that serves, when the monitor wants the machine switched off. */
void power_off_attach(void (*handler)(void *context), void *context);
