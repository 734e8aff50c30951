/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stddef.h>

#include "numa/model.h"

/* Starts ACPICA's table manager and fills the model from the tables that it finds. Cannot fail: without ACPI the model has one core and one
 * node, and a note says why. `boot_apic` and the RAM are those of the first core's core_boot. */
void discover_machine(struct machine *machine, uint32_t boot_apic, const struct machine_span *memory, size_t memory_count);

/* Loads the namespace, switches the machine to ACPI mode and starts to listen to its events. NULL, or what went wrong. Only after
 * discover_machine, and only if the model says has_acpi. */
const char *discover_namespace(void);
