/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* All mutable state of one CPU driver. There is one `core` in the image, and every core has an image of its own at the same address, so
 * `core` means this core's, everywhere, and no other core can reach it by name. */

#include "cpudriver/abi/core_boot.h"
#include "cpudriver/abi/counters.h"
#include "cpudriver/abi/dispatcher.h"
#include "cpudriver/abi/trace.h"
#include "cpudriver/capability/capability.h"
#include "cpudriver/devices/io_apic.h"
#include "cpudriver/devices/local_apic.h"
#include "cpudriver/dispatch/beat.h"
#include "cpudriver/dispatch/dispatcher.h"
#include "cpudriver/dispatch/schedule.h"
#include "cpudriver/mailbox.h"
#include "cpudriver/processor/segments.h"
#include "cpudriver/vectors.h"

/* An interrupt that Interrupt.bind has given to a dispatcher. */
struct interrupt_binding {
	struct dispatcher *dispatcher; /* NULL: free */
	uint32_t interrupt;            /* global system interrupt */
	uint8_t bit;                   /* of the upper half of the pending word */
	bool level;
	uint64_t serial; /* never the same twice, never 0: which binding a capability made */
};

/* Slots that the start needs before there is a CNode; empty once the monitor runs. */
#define SEED_SLOTS 4

struct core {
	/* the system call entry's (entry/offsets.h) */
	uint64_t user_rsp, user_rip, user_rflags;    /* of the call that is being served */
	uint64_t upcall_rip, upcall_rsp, upcall_rcx; /* of a foreign call's upcall */
	struct invocation invocation; /* the assembly stores the words and loads the values; `root` is the running dispatcher's */

	/* who runs */
	struct dispatcher *current; /* NULL: idle */
	uint64_t page_table4;       /* physical address of what is in CR3 */
	struct schedule schedule;
	struct dispatcher *charged;   /* who pays for the running turn: `current`, or the caller that donated it */
	uint64_t turn_start;          /* time-stamp counter */
	uint64_t turn_end;            /* 0: nobody else wants to run */
	uint64_t turn_cycles;         /* length of a turn */
	uint64_t recheck;             /* when to look again at a dispatcher that may have missed a notification, 0: never */
	uint64_t timer_armed;         /* when the timer's interrupt comes, 0: not armed */
	struct dispatcher *deadlines; /* by time */
	struct beat beat;             /* signs of life, for another core and of one */

	/* dispatchers */
	struct dispatcher *dispatchers; /* all of them */
	uint64_t dispatcher_count;
	struct dispatcher *stopped_first, *stopped_last; /* for Kernel.next_stopped */
	struct dispatcher *monitor;
	struct dispatcher *doorbell[MAILBOX_DOORBELLS]; /* by index; 0 is never used */

	uint64_t counter[CORE_COUNTERS]; /* of dispatchers that are gone, where those that are here have their own */

	/* devices */
	struct local_apic apic;
	struct io_apic io_apic[DEVICE_IO_APICS];
	uint32_t io_apics;
	struct interrupt_binding interrupt[DEVICE_VECTORS]; /* by vector */
	uint64_t interrupt_serial;                          /* of the newest */

	/* immutable after the start, but for peer[] (Kernel.peer) */
	struct trace_ring *trace; /* NULL: nothing is traced */
	uint32_t id;
	uint32_t xstate_bytes;
	uint64_t xcr0;
	uint64_t tsc_hz;
	struct core_boot *boot;
	struct peer peer[CORES_MAX];

	struct capabilities capabilities;
	struct slot seed[SEED_SLOTS];

	/* the processor reads these */
	struct segments segments;
};

extern struct core core;
