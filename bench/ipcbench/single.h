/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What is measured on one core:
 *
 *   call.null           the cheapest invocation that checks a capability (identify)
 *   foreign.null        a Linux system call (getppid) that the library OS answers
 *   ipc.local.rtt, ipc.local.rtt.4   call and reply between two domains, no words and four
 *   switch.dispatcher   yield from one domain to another
 *   fault.self          touch of an unmapped page until it succeeds
 *   cap.copy, cap.retype, cap.delete, cap.revoke   with the capabilities that a program has anyway
 *   cap.copy.10000, ...                            with 10,000 more in the core's database */

#include "bench/common/sample.h"

/* Prints a fact for each; false, after a sentence, if one could not be measured. */
bool single_measure(const struct lens *lens);

/* The other domain of ipc.local.rtt and of switch.dispatcher. */
int single_partner_main(const char *service);
