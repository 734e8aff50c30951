/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "numa/model.h"

/* Where an interrupt pin of a PCI device arrives. */
struct route {
	uint32_t gsi;
	bool level, active_low;
};

/* Evaluates _PRT of every root bridge and of the bridges below. NULL, or what went wrong. The model stays in use. */
const char *routes_read(const struct machine *machine);

/* How many pins are known. */
unsigned routes_count(void);

/* The route of a device's pin 0 (INTA#) to 3 (INTD#). Where a bus has no routes of its own, its bridge's wiring is followed up
 * (PCI-to-PCI Bridge Architecture Specification 1.2, 9.1). false: nothing is known. */
bool routes_find(uint16_t segment, uint8_t bus, uint8_t device, uint8_t pin, struct route *route);
