/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* ACPICA's environment on Atoll, and on the host for tests.
 *
 * ACPICA's acenv.h picks one header by the compiler's idea of the target, which is "linux" for us. This directory
 * comes first in the include path, so the file that is found under that name is ours. It says:
 *   - a C library with its standard headers is there (musl in a domain, glibc on the host);
 *   - everything runs in one thread: locks need not exclude anybody, semaphores only count;
 *   - ACPICA keeps its own caches of small objects, so most allocations don't reach the C library;
 *   - PCI configuration space is available to AML. */

#define ACPI_USE_SYSTEM_CLIBRARY
#define ACPI_USE_STANDARD_HEADERS
#define ACPI_USE_LOCAL_CACHE
#define ACPI_USE_DO_WHILE_0
#define ACPI_SINGLE_THREADED
#define ACPI_PCI_CONFIGURED

/* QEMU's and many vendors' packages refer to names that are not there yet; that is no reason for a message. */
#define ACPI_IGNORE_PACKAGE_RESOLUTION_ERRORS

#define ACPI_MACHINE_WIDTH        64
#define COMPILER_DEPENDENT_INT64  long
#define COMPILER_DEPENDENT_UINT64 unsigned long

#define ACPI_FLUSH_CPU_CACHE()

/* Lets the OS services layer tell messages that merely inform from warnings and errors. */
#define ACPI_MSG_INFO "ACPI info: "

/* The lock word in the FACS (numa/acpi/osl_sync.c). */
int osl_acquire_global_lock(unsigned int *lock);
int osl_release_global_lock(unsigned int *lock);
#define ACPI_ACQUIRE_GLOBAL_LOCK(facs, acquired) ((acquired) = osl_acquire_global_lock(&(facs)->global_lock))
#define ACPI_RELEASE_GLOBAL_LOCK(facs, pending)  ((pending) = osl_release_global_lock(&(facs)->global_lock))

#define __init
#define __iomem
