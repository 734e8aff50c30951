/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The service of the acpi domain, for drivers. Calls (atoll/ipc.h); the reply's label is 0 if it worked, else an error number.
 *
 *   ACPI_ROUTE   word 0 segment << 24 | bus << 16 | device << 8 | pin (0: INTA#)
 *                -> word 0 global system interrupt, word 1 INTERRUPT_* flags (cpudriver/abi/calls.h). NOT_FOUND, ARGUMENT */

#define ACPI_SERVICE "acpi"

enum acpi_label {
	ACPI_ROUTE = 1,
};
