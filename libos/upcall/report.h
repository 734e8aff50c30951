/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The end of a program that did what it may not: a line on the console, then exit with 128 and the number of the signal that Linux would
 * have sent. Inside an upcall; the thread goes on in the library OS, so that the line gets out. */

#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/abi/errors.h"

void report_page_fault(struct dispatcher_shared *shared, uint64_t address, uint64_t code, err_t why);
void report_trap(struct dispatcher_shared *shared, uint64_t vector, uint64_t code);
