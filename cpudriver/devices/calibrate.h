/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How fast the time-stamp counter and the local APIC's timer count: measured once, on the first core, against the best clock that the
 * machine has: HPET, else the ACPI PM timer, else the PIT. It takes 5 ms. */

#include "cpudriver/devices/local_apic.h"

enum calibration_clock { CALIBRATION_HPET, CALIBRATION_PM_TIMER, CALIBRATION_PIT, CALIBRATION_NONE };

struct calibration_clocks {
	uint64_t hpet;          /* virtual address of its registers, 0: none */
	uint64_t pm_timer_port; /* as in core_boot, 0: none */
};

struct calibration {
	uint64_t tsc_hz, local_apic_hz;
	enum calibration_clock clock; /* that was used; NONE: not one of them counts, and both rates are 1 GHz, a guess */
};

/* After local_apic_init, interrupts off. */
struct calibration calibrate(const struct local_apic *apic, const struct calibration_clocks *clocks);
