/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Numbers that the assembly shares with C; upcall.c asserts each against its structure. */

#include "cpudriver/abi/memory_map.h"
#include "cpudriver/abi/register_offsets.h"

#define SHARED_DISABLED       (USER_DISPATCHER + 0)
#define SHARED_PENDING        (USER_DISPATCHER + 128)
#define SHARED_FOREIGN_RIP    (USER_DISPATCHER + 136)
#define SHARED_FOREIGN_RFLAGS (USER_DISPATCHER + 144)
#define SHARED_FOREIGN_RSP    (USER_DISPATCHER + 152)

#define THREAD_SERVICE_TOP 0

/* cpudriver/abi/calls.h: door.c asserts them */
#define CALL_REPLY_WAIT_BIT_63 0x8000000000000002
#define FLAG_REPLY_LEAVE       4

#define QUICK_CALLS  256 /* foreign calls of lower numbers may have a quick answer */
#define UPCALL_STACK 16384
