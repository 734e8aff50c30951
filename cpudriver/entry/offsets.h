/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/register_offsets.h"

/* C's numbers for the assembly: where fields of structures are, and some constants. cpudriver/core.c asserts each. */

/* Call numbers and errors: calls.h and errors.h are C. LINUX_ENOSYS is what a foreign call gets while there is nobody to reflect it to. */
#define NUMBER_CALL        1
#define NUMBER_REPLY_WAIT  2
#define NUMBER_YIELD       3
#define ERROR_CALL_UNKNOWN 1
#define LINUX_ENOSYS       38

/* struct core */
#define CORE_USER_RSP    0
#define CORE_USER_RIP    8
#define CORE_USER_RFLAGS 16
#define CORE_UPCALL_RIP  24
#define CORE_UPCALL_RSP  32
#define CORE_UPCALL_RCX  40
#define CORE_WORD        56 /* core.invocation.word[0..4] */
#define CORE_VALUE       96 /* core.invocation.value[0..2] */

/* struct trap_frame (cpudriver/entry/trap.h): the bytes of its vector and error code, and where the processor has put two others */
#define TRAP_VECTOR_ERROR_BYTES 16
#define TRAP_RIP                144
#define TRAP_RSP                168
