/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Capability types, rights and well-known slots, as user space sees them. */

#include "cpudriver/abi/types.h"

enum cap_type {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) CAP_##name = number,
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
	CAP_TYPES
};

enum {
	RIGHT_READ = 1,
	RIGHT_WRITE = 2,
	RIGHT_EXECUTE = 4,
	RIGHT_CONTROL = 8, /* retype, revoke, configure, bind */
	RIGHTS_ALL = 15,
};

/* Bits of the flags that IDENTIFY returns. */
enum {
	CAP_FLAG_REMOTE = 1,  /* other cores may hold copies or descendants */
	CAP_FLAG_FOREIGN = 2, /* another core owns the object */
	CAP_FLAG_MAPPED = 4,  /* this copy is mapped in a page table */
};

#define CNODE_SLOTS       256
#define CNODE_BYTES       (16 * KIB)
#define PAGE_TABLE_BYTES  (8 * KIB) /* the hardware's 4 KiB, then as much for the CPU driver's record of who is mapped */
#define DISPATCHER_BYTES  (16 * KIB)
#define DOORBELLS         2 /* of a dispatcher, each an object of its own: number n, from 1 on, has its page n - 1 */
#define PAGE_TABLE_SLOTS  512

/* Slots of every domain's root CNode. */
enum {
	ROOT_SELF = 0, /* the root CNode itself: CAP(ROOT_SELF, n) is its slot n */
	ROOT_TASK = 1, /* the task CNode, below */
	ROOT_BOOT = 2, /* monitors only: RAM, modules and devices from the core_boot, from slot 0 on */
	ROOT_FREE = 3, /* the first that is the domain's own to fill */
};

/* ROOT_BOOT: slot i is the core_boot's region i (empty for the core's own image, and for the trampoline, which is TASK_TRAMPOLINE); from
 * here on stand the objects that the monitor is made of: page tables of level 3, 2 and 1, its segments, its stack. */
#define BOOT_OBJECTS 64

/* Slots of every domain's task CNode; those that a domain was not given are empty. */
enum {
	TASK_ROOT_CNODE = 1,
	TASK_PAGE_TABLE4 = 2,
	TASK_DISPATCHER = 3,
	TASK_DISPATCHER_FRAME = 4, /* the shared frame of the dispatcher */
	TASK_MONITOR = 5,          /* endpoint of this core's monitor */
	TASK_RAM = 6,              /* the memory granted at start */
	TASK_START_FRAME = 7,      /* the start page (monitor/abi/start.h) */
	TASK_KERNEL = 8,           /* monitors only */
	TASK_IO_PORTS = 9,         /* the first monitor: all; drivers: theirs */
	TASK_INTERRUPTS = 10,      /* likewise */
	TASK_CORE_BOOT = 11,       /* monitors only: the core_boot page */
	TASK_TRAMPOLINE = 12,      /* monitors only: the page below 1 MiB that starts cores */
	TASK_MACHINE = 13,         /* the machine model, read-only */
	TASK_TRACE = 14,           /* the trace ring, if there is one */
	TASK_FREE = 16,            /* the first that is free */
};

#define CAP_ROOT_CNODE       CAP(ROOT_TASK, TASK_ROOT_CNODE)
#define CAP_PAGE_TABLE4      CAP(ROOT_TASK, TASK_PAGE_TABLE4)
#define CAP_SELF_DISPATCHER  CAP(ROOT_TASK, TASK_DISPATCHER)
#define CAP_DISPATCHER_FRAME CAP(ROOT_TASK, TASK_DISPATCHER_FRAME)
#define CAP_MONITOR          CAP(ROOT_TASK, TASK_MONITOR)
#define CAP_RAM_GRANT        CAP(ROOT_TASK, TASK_RAM)
#define CAP_START_FRAME      CAP(ROOT_TASK, TASK_START_FRAME)
#define CAP_KERNEL           CAP(ROOT_TASK, TASK_KERNEL)
