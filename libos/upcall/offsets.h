/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Numbers that the assembly shares with C; upcall.c asserts each against its structure. */

#include "cpudriver/abi/memory_map.h"

#define SHARED_DISABLED       (USER_DISPATCHER + 0)
#define SHARED_PENDING        (USER_DISPATCHER + 128)
#define SHARED_FOREIGN_RIP    (USER_DISPATCHER + 136)
#define SHARED_FOREIGN_RFLAGS (USER_DISPATCHER + 144)
#define SHARED_FOREIGN_RSP    (USER_DISPATCHER + 152)

#define THREAD_SERVICE_TOP 0

#define REGISTERS_RAX    0
#define REGISTERS_RBX    8
#define REGISTERS_RCX    16
#define REGISTERS_RDX    24
#define REGISTERS_RSI    32
#define REGISTERS_RDI    40
#define REGISTERS_RBP    48
#define REGISTERS_RSP    56
#define REGISTERS_R8     64
#define REGISTERS_R9     72
#define REGISTERS_R10    80
#define REGISTERS_R11    88
#define REGISTERS_R12    96
#define REGISTERS_R13    104
#define REGISTERS_R14    112
#define REGISTERS_R15    120
#define REGISTERS_RIP    128
#define REGISTERS_RFLAGS 136
#define REGISTERS_FS     144
#define REGISTERS_GS     152

#define QUICK_CALLS  256 /* foreign calls of lower numbers may have a quick answer */
#define UPCALL_STACK 16384
