/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The part of numa/acpi/hardware.c that only main.c uses. */

#include "cpudriver/abi/core_boot.h"
#include "cpudriver/abi/errors.h"
#include "numa/model.h"

/* Finds the capabilities that the monitor handed over (hand_over.h). *boot is the first core's core_boot page. */
MUST_USE err_t hardware_start(const struct core_boot **boot);

/* From now on interrupts can be attached: this says where they arrive. */
void hardware_know(const struct machine *machine);
