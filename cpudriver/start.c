/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The life of a core: every core runs core_main from its entry until it dispatches its monitor, and from then on it only answers calls,
 * exceptions and interrupts. */

#include "cpudriver/capability/paging.h"
#include "cpudriver/core.h"
#include "cpudriver/devices/calibrate.h"
#include "cpudriver/devices/serial.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/entry/calls.h"
#include "cpudriver/monitor.h"
#include "cpudriver/processor/control.h"
#include "cpudriver/processor/memory_types.h"
#include "cpudriver/report.h"
#include "cpudriver/trace.h"

#define TURNS_PER_SECOND 100

/* Whoever starts the first core can't say what only a running CPU driver finds out; this core_boot is the template for all others. */
static bool is_first(const struct core_boot *boot)
{
	return boot->tsc_hz == 0;
}

static void start_processor(struct core_boot *boot)
{
	struct control_features features;

	if (boot->magic != CORE_BOOT_MAGIC || boot->version != CORE_BOOT_VERSION || boot->bytes != sizeof(*boot))
		refuse_to_start("the core_boot structure is not of this CPU driver's version");
	if (boot->cores > CORES_MAX || boot->core >= boot->cores)
		refuse_to_start("the core_boot structure numbers more cores than this CPU driver knows");
	const char *lacks = control_start(&features);
	if (lacks != NULL)
		refuse_to_start(lacks);
	segments_start();

	core.xcr0 = features.xcr0;
	core.xstate_bytes = features.xstate_bytes;
	core.capabilities.core = (uint16_t)boot->core;
	core.capabilities.huge_pages = features.huge_pages;
	core.capabilities.no_execute = features.no_execute ? PTE_NO_EXECUTE : 0;
}

static void start_devices(struct core_boot *boot)
{
	const struct local_apic_vectors vectors = {VECTOR_TIMER, VECTOR_APIC_ERROR, VECTOR_SPURIOUS};
	const struct calibration_clocks clocks = {
	    .hpet = boot->hpet_base != 0 ? WINDOW_BASE + boot->hpet_base : 0,
	    .pm_timer_port = boot->pm_timer_port,
	};

	local_apic_init(&core.apic, (enum local_apic_mode)boot->local_apic_mode, &vectors);
	if (is_first(boot)) {
		struct calibration c = calibrate(&core.apic, &clocks);

		boot->tsc_hz = c.tsc_hz;
		boot->local_apic_hz = c.local_apic_hz;
		boot->local_apic_mode = core.apic.mode;
	}
	local_apic_set_rates(&core.apic, boot->tsc_hz, boot->local_apic_hz);
	core.tsc_hz = boot->tsc_hz;
	core.turn_cycles = boot->tsc_hz / TURNS_PER_SECOND;
}

static void check_control(struct core_boot *boot, bool first)
{
	struct control_state here;

	if (first)
		memory_types_read(&boot->memory_types);
	else
		memory_types_adopt(&boot->memory_types, boot->control.misc);
	here = control_read();
	if (first)
		boot->control = here;
	else
		control_compare(&here, &boot->control);
}

NORETURN void core_main(struct core_boot *boot)
{
	bool first = is_first(boot);

	boot->entered_tsc = rdtsc();
	core.boot = boot;
	core.id = boot->core;
	core.page_table4 = boot->page_table4;
	core.invocation.caps = &core.capabilities;

	if (first)
		serial_init();
	start_processor(boot);
	check_control(boot, first);
	*device_entry(DEVICE_TRAMPOLINE) = 0; /* nothing that a domain may write stays executable here */
	invlpg(DEVICE_TRAMPOLINE);
	start_devices(boot);
	trace_start(boot);
	monitor_start(boot, first);
	dispatch();
}
