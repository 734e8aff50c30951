/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/devices/local_apic.h"

/* Intel SDM vol. 3, 10.4.3 and 10.12.1: where the registers are, and in which mode. */
#define MSR_IA32_APIC_BASE 0x01b
#define BASE_BOOT_CORE     (UINT64_C(1) << 8)
#define BASE_X2APIC        (UINT64_C(1) << 10)
#define BASE_ENABLE        (UINT64_C(1) << 11)
#define BASE_ADDRESS       UINT64_C(0xfee00000) /* the core's image maps this page, so the registers are put there */

/* Intel SDM vol. 2, CPUID, leaf 1: ECX. */
#define CPUID_ECX_X2APIC       (1u << 21)
#define CPUID_ECX_TSC_DEADLINE (1u << 24)

#define LVT_MASKED       (1u << 16) /* 10.5.1, figure 10-8 */
#define LVT_TSC_DEADLINE (2u << 17)
#define SPURIOUS_ENABLE  (1u << 8) /* 10.9, figure 10-23 */
#define DIVIDE_BY_1      0xb       /* 10.5.4, figure 10-10 */

static enum local_apic_mode chosen_mode(enum local_apic_mode mode)
{
	if (mode != LOCAL_APIC_CHOOSE)
		return mode;
	return cpuid(1, 0).c & CPUID_ECX_X2APIC ? LOCAL_APIC_X2APIC : LOCAL_APIC_XAPIC;
}

/* From x2APIC mode the only way to xAPIC mode leads over "off" (10.12.5); firmware may have left the core there. */
static void enter_mode(enum local_apic_mode mode)
{
	uint64_t boot_core = rdmsr(MSR_IA32_APIC_BASE) & BASE_BOOT_CORE;

	if (mode == LOCAL_APIC_XAPIC && (rdmsr(MSR_IA32_APIC_BASE) & BASE_X2APIC))
		wrmsr(MSR_IA32_APIC_BASE, BASE_ADDRESS | boot_core);
	wrmsr(MSR_IA32_APIC_BASE, BASE_ADDRESS | BASE_ENABLE | boot_core);
	if (mode == LOCAL_APIC_X2APIC)
		wrmsr(MSR_IA32_APIC_BASE, BASE_ADDRESS | BASE_ENABLE | BASE_X2APIC | boot_core);
}

/* An entry that this APIC does not have must not be touched: bits 23:16 of the version are the last entry's number (10.4.8). */
static void mask_sources(const struct local_apic *apic)
{
	uint32_t last = local_apic_read(apic, LOCAL_APIC_VERSION) >> 16 & 0xff;

	local_apic_write(apic, LOCAL_APIC_LVT_TIMER, LVT_MASKED);
	local_apic_write(apic, LOCAL_APIC_LVT_LINT0, LVT_MASKED);
	local_apic_write(apic, LOCAL_APIC_LVT_LINT1, LVT_MASKED);
	if (last >= 4)
		local_apic_write(apic, LOCAL_APIC_LVT_COUNTERS, LVT_MASKED);
	if (last >= 5)
		local_apic_write(apic, LOCAL_APIC_LVT_THERMAL, LVT_MASKED);
	if (last >= 6)
		local_apic_write(apic, LOCAL_APIC_LVT_CMCI, LVT_MASKED);
}

void local_apic_init(struct local_apic *apic, enum local_apic_mode mode, const struct local_apic_vectors *vectors)
{
	*apic = (struct local_apic){.mode = chosen_mode(mode), .timer_vector = vectors->timer};
	enter_mode(apic->mode);

	apic->id = local_apic_read(apic, LOCAL_APIC_ID);
	if (apic->mode == LOCAL_APIC_XAPIC)
		apic->id >>= 24;

	local_apic_write(apic, LOCAL_APIC_SPURIOUS, SPURIOUS_ENABLE | vectors->spurious);
	mask_sources(apic);
	(void)local_apic_errors(apic);
	local_apic_write(apic, LOCAL_APIC_LVT_ERROR, vectors->error);
	local_apic_write(apic, LOCAL_APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	local_apic_write(apic, LOCAL_APIC_TASK_PRIORITY, 0);
}

void local_apic_set_rates(struct local_apic *apic, uint64_t tsc_hz, uint64_t local_apic_hz)
{
	apic->tsc_deadline = (cpuid(1, 0).c & CPUID_ECX_TSC_DEADLINE) != 0;
	apic->ticks_per_cycle = (local_apic_hz << 32) / tsc_hz;

	local_apic_timer_disarm(apic);
	local_apic_write(apic, LOCAL_APIC_LVT_TIMER, apic->timer_vector | (apic->tsc_deadline ? LVT_TSC_DEADLINE : 0));
	/* The new mode must have arrived before the first deadline is written (10.5.4.1). */
	fence_before_wrmsr();
}

uint32_t local_apic_errors(const struct local_apic *apic)
{
	local_apic_write(apic, LOCAL_APIC_ERROR_STATUS, 0);
	return local_apic_read(apic, LOCAL_APIC_ERROR_STATUS);
}
