/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The local APIC of the core that runs this: end of interrupt, interrupts to other cores, a one-shot timer.
 *
 * Intel SDM vol. 3, chapter 10. It speaks in one of two modes: xAPIC, through registers in memory, which the core's image maps
 * uncached at DEVICE_LOCAL_APIC, and 8-bit APIC IDs; or x2APIC, through MSRs, and 32-bit APIC IDs. All cores use the same mode:
 * the first core chooses x2APIC if it has it, the others are told (core_boot.local_apic_mode).
 *
 * The order on each core:
 *
 *   local_apic_init       on; every source but IPIs is masked
 *   calibrate             the first core (calibrate.h); the others have the rates from their core_boot
 *   local_apic_set_rates  from here on the timer may be armed
 *
 * The deadlines of the timer are values of the time-stamp counter. Where the CPU has no TSC-deadline timer they are converted to ticks of
 * the APIC's own timer, which counts at most 2^32 of them: then a far deadline's interrupt comes early, and whoever handles it compares
 * the time-stamp counter with the deadline and arms it again. */

#include "cpudriver/abi/memory_map.h"
#include "cpudriver/devices/access.h"

enum local_apic_mode {
	LOCAL_APIC_CHOOSE, /* only as an argument: x2APIC if the CPU has it */
	LOCAL_APIC_XAPIC,
	LOCAL_APIC_X2APIC,
};

struct local_apic {
	uint32_t mode;         /* never LOCAL_APIC_CHOOSE */
	uint32_t id;           /* APIC ID of this core */
	uint32_t tsc_deadline; /* 1: deadlines go to the CPU as they are */
	uint32_t timer_vector;
	uint64_t ticks_per_cycle; /* of the timer, per cycle of the time-stamp counter; 32 bits behind the point */
};

/* Offsets of the registers in memory (table 10-1); the same register's MSR is LOCAL_APIC_MSR + offset / 16 (table 10-6). */
enum local_apic_register {
	LOCAL_APIC_ID = 0x020,
	LOCAL_APIC_VERSION = 0x030,
	LOCAL_APIC_TASK_PRIORITY = 0x080,
	LOCAL_APIC_EOI = 0x0b0,
	LOCAL_APIC_SPURIOUS = 0x0f0,
	LOCAL_APIC_ERROR_STATUS = 0x280,
	LOCAL_APIC_LVT_CMCI = 0x2f0,
	LOCAL_APIC_COMMAND = 0x300,
	LOCAL_APIC_COMMAND_HIGH = 0x310, /* xAPIC only: x2APIC's command register has 64 bits */
	LOCAL_APIC_LVT_TIMER = 0x320,
	LOCAL_APIC_LVT_THERMAL = 0x330,
	LOCAL_APIC_LVT_COUNTERS = 0x340,
	LOCAL_APIC_LVT_LINT0 = 0x350,
	LOCAL_APIC_LVT_LINT1 = 0x360,
	LOCAL_APIC_LVT_ERROR = 0x370,
	LOCAL_APIC_TIMER_INITIAL = 0x380,
	LOCAL_APIC_TIMER_CURRENT = 0x390,
	LOCAL_APIC_TIMER_DIVIDE = 0x3e0,
};
#define LOCAL_APIC_MSR        0x800
#define MSR_IA32_TSC_DEADLINE 0x6e0 /* Intel SDM vol. 4, table 2-2 */

/* Interrupt command register (10.6.1, figure 10-12). */
#define COMMAND_FIXED   UINT32_C(0x04000) /* level: assert; delivery mode 000 */
#define COMMAND_INIT    UINT32_C(0x04500)
#define COMMAND_STARTUP UINT32_C(0x04600)
#define COMMAND_PENDING UINT32_C(0x01000)

struct local_apic_vectors {
	uint8_t timer, error, spurious;
};

void local_apic_init(struct local_apic *apic, enum local_apic_mode mode, const struct local_apic_vectors *vectors);
void local_apic_set_rates(struct local_apic *apic, uint64_t tsc_hz, uint64_t local_apic_hz);

/* Error status since the last call (10.5.3); 0: none. For the error vector's handler. */
uint32_t local_apic_errors(const struct local_apic *apic);

static inline uint32_t local_apic_read(const struct local_apic *apic, enum local_apic_register r)
{
	if (apic->mode == LOCAL_APIC_X2APIC)
		return (uint32_t)rdmsr(LOCAL_APIC_MSR + r / 16);
	return register_read(DEVICE_LOCAL_APIC + r);
}

static inline void local_apic_write(const struct local_apic *apic, enum local_apic_register r, uint32_t value)
{
	if (apic->mode == LOCAL_APIC_X2APIC)
		wrmsr(LOCAL_APIC_MSR + r / 16, value);
	else
		register_write(DEVICE_LOCAL_APIC + r, value);
}

static inline void local_apic_eoi(const struct local_apic *apic)
{
	local_apic_write(apic, LOCAL_APIC_EOI, 0);
}

/* Everything that this core wrote before is visible to the target when its interrupt comes. In xAPIC mode the command register is
 * uncached memory, which is written in order; it takes one command at a time. */
static inline void local_apic_command(const struct local_apic *apic, uint32_t target, uint32_t command)
{
	if (apic->mode == LOCAL_APIC_X2APIC) {
		fence_before_wrmsr();
		wrmsr(LOCAL_APIC_MSR + LOCAL_APIC_COMMAND / 16, (uint64_t)target << 32 | command);
		return;
	}
	while (register_read(DEVICE_LOCAL_APIC + LOCAL_APIC_COMMAND) & COMMAND_PENDING)
		spin_hint();
	register_write(DEVICE_LOCAL_APIC + LOCAL_APIC_COMMAND_HIGH, target << 24);
	register_write(DEVICE_LOCAL_APIC + LOCAL_APIC_COMMAND, command);
}

static inline void local_apic_send(const struct local_apic *apic, uint32_t target, uint8_t vector)
{
	local_apic_command(apic, target, COMMAND_FIXED | vector);
}

/* The pair that starts a core (8.4.4); the pauses between them are the caller's. `page`: physical page of the trampoline, 1..255. */
static inline void local_apic_send_init(const struct local_apic *apic, uint32_t target)
{
	local_apic_command(apic, target, COMMAND_INIT);
}
static inline void local_apic_send_sipi(const struct local_apic *apic, uint32_t target, uint8_t page)
{
	local_apic_command(apic, target, COMMAND_STARTUP | page);
}

/* The timer's interrupt comes when the time-stamp counter reaches `tsc` (not 0), at once if it has, or earlier (see above). */
static inline void local_apic_timer_arm(const struct local_apic *apic, uint64_t tsc)
{
	if (apic->tsc_deadline) {
		wrmsr(MSR_IA32_TSC_DEADLINE, tsc);
		return;
	}
	uint64_t now = rdtsc();
	unsigned __int128 ticks = tsc <= now ? 1 : ((unsigned __int128)(tsc - now) * apic->ticks_per_cycle >> 32) + 1;
	local_apic_write(apic, LOCAL_APIC_TIMER_INITIAL, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

static inline void local_apic_timer_disarm(const struct local_apic *apic)
{
	if (apic->tsc_deadline)
		wrmsr(MSR_IA32_TSC_DEADLINE, 0);
	else
		local_apic_write(apic, LOCAL_APIC_TIMER_INITIAL, 0);
}
