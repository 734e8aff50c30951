// sources: cpudriver/devices/local_apic.c cpudriver/devices/calibrate.c cpudriver/devices/io_apic.c cpudriver/devices/serial.c
// flags: -iquote tests/hosted/fake
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The device code against a machine made of variables: a local APIC in both modes, an I/O APIC, HPET, PM timer and PIT on one clock, and a
 * serial port. Each access takes time, so that the clocks advance as code runs. */

#include "cpudriver/devices/calibrate.h"
#include "cpudriver/devices/io_apic.h"
#include "cpudriver/devices/serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HPET     UINT64_C(0xffff8000fed00000)
#define IO_APIC  DEVICE_IO_APIC
#define PM_TIMER 0x608
#define INPUTS   24

static struct {
	uint64_t ns; /* the time */
	uint64_t tsc_hz, apic_hz, hpet_fs;
	bool x2apic, tsc_deadline, hpet_stuck, pm_stuck, pit_stuck;
	uint64_t apic_base;
	uint32_t apic_id;
	uint32_t apic[0x400 / 16];
	uint64_t apic_armed_ns, command64, deadline;
	unsigned pending_reads, fences, hiccups;
	uint32_t io_select, io_redirection[2 * INPUTS];
	uint32_t hpet_configuration;
	uint64_t pit_start_ns;
	unsigned pit_byte;
	uint16_t pit_latch;
	char line[64];
	size_t line_bytes;
	bool line_dead;
	unsigned status_reads;
} m;

static void start_machine(void)
{
	memset(&m, 0, sizeof(m));
	m.ns = 1000000;
	m.tsc_hz = 2600000000;
	m.apic_hz = 1000000000;
	m.hpet_fs = 10000000;
	m.apic_base = 0xfee00900; /* on, boot core */
	m.apic_id = 5;
	m.apic[LOCAL_APIC_VERSION / 16] = 0x50014;
}

static uint64_t ticks(uint64_t hz, uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * hz / 1000000000);
}

/* Now and then the core loses its processor for some milliseconds. */
static void pass_time(void)
{
	m.ns += 300;
	if (m.hiccups > 0 && m.ns / 300 % 701 == 0) {
		m.hiccups--;
		m.ns += 3000000;
	}
}

uint64_t rdtsc(void)
{
	m.ns += 7;
	return ticks(m.tsc_hz, m.ns);
}

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	assert_int_equal(leaf, 1);
	return (struct cpuid){.c = (m.x2apic ? 1u << 21 : 0) | (m.tsc_deadline ? 1u << 24 : 0)};
}

static bool in_x2apic(void)
{
	return (m.apic_base & 0xc00) == 0xc00;
}

static uint32_t apic_read(uint32_t offset)
{
	switch (offset) {
	case LOCAL_APIC_ID:
		return in_x2apic() ? m.apic_id : m.apic_id << 24;
	case LOCAL_APIC_COMMAND:
		return m.pending_reads > 0 ? (m.pending_reads--, COMMAND_PENDING) : 0;
	case LOCAL_APIC_TIMER_CURRENT: {
		uint64_t passed = ticks(m.apic_hz, m.ns - m.apic_armed_ns), from = m.apic[LOCAL_APIC_TIMER_INITIAL / 16];
		return passed < from ? (uint32_t)(from - passed) : 0;
	}
	default:
		return m.apic[offset / 16];
	}
}

static void apic_write(uint32_t offset, uint32_t value)
{
	if (offset == LOCAL_APIC_TIMER_INITIAL)
		m.apic_armed_ns = m.ns;
	if (offset == LOCAL_APIC_COMMAND)
		assert_int_equal(m.pending_reads, 0);
	m.apic[offset / 16] = value;
}

uint64_t rdmsr(uint32_t msr)
{
	pass_time();
	if (msr == 0x1b)
		return m.apic_base;
	assert_true(in_x2apic());
	assert_in_range(msr, 0x800, 0x83f);
	return apic_read((msr - 0x800) * 16);
}

void wrmsr(uint32_t msr, uint64_t value)
{
	pass_time();
	if (msr == 0x1b) {
		/* 10.12.5: from x2APIC to xAPIC only over "off", and never from "off" to x2APIC */
		assert_false((m.apic_base & 0xc00) == 0xc00 && (value & 0xc00) == 0x800);
		assert_false(!(m.apic_base & 0x800) && (value & 0x400));
		m.apic_base = value;
	} else if (msr == 0x6e0) {
		m.deadline = value;
	} else {
		assert_true(in_x2apic());
		if (msr == 0x830)
			m.command64 = value;
		else
			apic_write((msr - 0x800) * 16, (uint32_t)value);
	}
}

uint32_t register_read(uint64_t address)
{
	pass_time();
	if (address >= DEVICE_LOCAL_APIC && address < DEVICE_LOCAL_APIC + 0x400) {
		assert_false(in_x2apic());
		return apic_read((uint32_t)(address - DEVICE_LOCAL_APIC));
	}
	if (address == IO_APIC + 0x10) {
		if (m.io_select == 1)
			return (INPUTS - 1) << 16 | 0x11;
		assert_in_range(m.io_select, 0x10, 0x10 + 2 * INPUTS - 1);
		return m.io_redirection[m.io_select - 0x10];
	}
	switch (address - HPET) {
	case 0x004:
		return (uint32_t)m.hpet_fs;
	case 0x010:
		return m.hpet_configuration;
	case 0x0f0:
		return m.hpet_stuck || !(m.hpet_configuration & 1) ? 7 : (uint32_t)((unsigned __int128)m.ns * 1000000 / m.hpet_fs - 5);
	default:
		fail_msg("register 0x%lx", address);
		return 0;
	}
}

void register_write(uint64_t address, uint32_t value)
{
	pass_time();
	if (address >= DEVICE_LOCAL_APIC && address < DEVICE_LOCAL_APIC + 0x400) {
		assert_false(in_x2apic());
		apic_write((uint32_t)(address - DEVICE_LOCAL_APIC), value);
	} else if (address == IO_APIC) {
		m.io_select = value;
	} else if (address == IO_APIC + 0x10) {
		assert_in_range(m.io_select, 0x10, 0x10 + 2 * INPUTS - 1);
		m.io_redirection[m.io_select - 0x10] = value;
	} else {
		assert_int_equal(address, HPET + 0x010);
		m.hpet_configuration = value;
	}
}

uint32_t port_in(uint16_t port, unsigned bytes)
{
	pass_time();
	switch (port) {
	case PM_TIMER:
		assert_int_equal(bytes, 4);
		return m.pm_stuck ? 99 : (ticks(3579545, m.ns) + 0xffff80) & 0xffffff; /* about to wrap */
	case 0x42:
		return m.pit_byte++ % 2 == 0 ? m.pit_latch & 0xff : m.pit_latch >> 8;
	case 0x61:
		return 0x30;
	case 0x3fd:
		m.status_reads++;
		return m.line_dead ? 0 : 0x60;
	default:
		fail_msg("port 0x%x", port);
		return 0;
	}
}

void port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	pass_time();
	assert_int_equal(bytes, 1);
	if (port == 0x43 && value == 0xb0)
		m.pit_start_ns = m.ns;
	if (port == 0x43 && value == 0x80) {
		m.pit_latch = m.pit_stuck ? 500 : (uint16_t)(0x10000 - ticks(1193182, m.ns - m.pit_start_ns));
		m.pit_byte = 0;
	}
	if (port == 0x61)
		assert_int_equal(value & 3, 1);
	if (port == 0x3f8 && m.line_bytes < sizeof(m.line))
		m.line[m.line_bytes++] = (char)value;
}

void fence_before_wrmsr(void)
{
	m.fences++;
}
void spin_hint(void) {}

static const struct local_apic_vectors vectors = {.timer = 0x40, .error = 0x41, .spurious = 0xff};

static struct local_apic start_apic(enum local_apic_mode mode)
{
	struct local_apic apic;

	local_apic_init(&apic, mode, &vectors);
	return apic;
}

static void the_mode_is_the_best_that_the_cpu_has(void **state)
{
	(void)state;
	for (int x2apic = 0; x2apic < 2; x2apic++) {
		start_machine();
		m.x2apic = x2apic;
		m.apic_id = x2apic ? 0x12345 : 0x45;
		struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
		assert_int_equal(apic.mode, x2apic ? LOCAL_APIC_X2APIC : LOCAL_APIC_XAPIC);
		assert_int_equal(apic.id, m.apic_id);
		assert_int_equal(m.apic_base, x2apic ? 0xfee00d00 : 0xfee00900);
	}
}

static void the_mode_can_be_told(void **state)
{
	(void)state;
	start_machine();
	m.x2apic = true;
	m.apic_base = 0xfec10c00; /* elsewhere, in x2APIC mode, not the boot core */
	assert_int_equal(start_apic(LOCAL_APIC_XAPIC).mode, LOCAL_APIC_XAPIC);
	assert_int_equal(m.apic_base, 0xfee00800);
}

static void all_sources_are_masked_at_first(void **state)
{
	(void)state;
	start_machine();
	m.apic[LOCAL_APIC_VERSION / 16] = 0x60014;
	(void)start_apic(LOCAL_APIC_XAPIC);
	assert_int_equal(m.apic[LOCAL_APIC_SPURIOUS / 16], 0x1ff);
	assert_int_equal(m.apic[LOCAL_APIC_LVT_ERROR / 16], 0x41);
	const enum local_apic_register masked[] = {LOCAL_APIC_LVT_TIMER,    LOCAL_APIC_LVT_LINT0,   LOCAL_APIC_LVT_LINT1,
	                                           LOCAL_APIC_LVT_COUNTERS, LOCAL_APIC_LVT_THERMAL, LOCAL_APIC_LVT_CMCI};
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		assert_int_equal(m.apic[masked[i] / 16], 0x10000);
	assert_int_equal(m.apic[LOCAL_APIC_TASK_PRIORITY / 16], 0);
}

static void entries_that_are_not_there_are_not_written(void **state)
{
	(void)state;
	start_machine();
	m.apic[LOCAL_APIC_VERSION / 16] = 0x30014;
	(void)start_apic(LOCAL_APIC_XAPIC);
	assert_int_equal(m.apic[LOCAL_APIC_LVT_COUNTERS / 16], 0);
	assert_int_equal(m.apic[LOCAL_APIC_LVT_THERMAL / 16], 0);
	assert_int_equal(m.apic[LOCAL_APIC_LVT_CMCI / 16], 0);
}

static void interrupts_go_to_their_core(void **state)
{
	(void)state;
	start_machine();
	struct local_apic apic = start_apic(LOCAL_APIC_XAPIC);
	m.pending_reads = 3;
	local_apic_send(&apic, 7, 0x55);
	assert_int_equal(m.apic[LOCAL_APIC_COMMAND_HIGH / 16], 7u << 24);
	assert_int_equal(m.apic[LOCAL_APIC_COMMAND / 16], 0x4055);
	local_apic_send_init(&apic, 200);
	assert_int_equal(m.apic[LOCAL_APIC_COMMAND_HIGH / 16], 200u << 24);
	assert_int_equal(m.apic[LOCAL_APIC_COMMAND / 16], 0x4500);
	local_apic_send_sipi(&apic, 200, 0x9e);
	assert_int_equal(m.apic[LOCAL_APIC_COMMAND / 16], 0x469e);

	start_machine();
	m.x2apic = true;
	apic = start_apic(LOCAL_APIC_CHOOSE);
	unsigned before = m.fences;
	local_apic_send(&apic, 0x10203, 0x55);
	assert_int_equal(m.command64, UINT64_C(0x0001020300004055));
	assert_int_equal(m.fences, before + 1);
	local_apic_send_init(&apic, 300);
	assert_int_equal(m.command64, UINT64_C(300) << 32 | 0x4500);
	local_apic_send_sipi(&apic, 300, 8);
	assert_int_equal(m.command64, UINT64_C(300) << 32 | 0x4608);
}

static void the_end_of_an_interrupt_is_told(void **state)
{
	(void)state;
	for (int x2apic = 0; x2apic < 2; x2apic++) {
		start_machine();
		m.x2apic = x2apic;
		struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
		m.apic[LOCAL_APIC_EOI / 16] = 99;
		local_apic_eoi(&apic);
		assert_int_equal(m.apic[LOCAL_APIC_EOI / 16], 0);
	}
}

static void deadlines_become_ticks(void **state)
{
	(void)state;
	start_machine();
	struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
	local_apic_set_rates(&apic, m.tsc_hz, m.apic_hz);
	assert_int_equal(m.apic[LOCAL_APIC_LVT_TIMER / 16], 0x40);
	assert_int_equal(m.apic[LOCAL_APIC_TIMER_DIVIDE / 16], 0xb);

	local_apic_timer_arm(&apic, ticks(m.tsc_hz, m.ns) + m.tsc_hz / 100); /* 10 ms */
	assert_in_range(m.apic[LOCAL_APIC_TIMER_INITIAL / 16], 9999000, 10001000);
	local_apic_timer_arm(&apic, 1); /* has passed */
	assert_int_equal(m.apic[LOCAL_APIC_TIMER_INITIAL / 16], 1);
	local_apic_timer_arm(&apic, UINT64_MAX); /* as far as it goes */
	assert_int_equal(m.apic[LOCAL_APIC_TIMER_INITIAL / 16], UINT32_MAX);
	local_apic_timer_disarm(&apic);
	assert_int_equal(m.apic[LOCAL_APIC_TIMER_INITIAL / 16], 0);
}

static void deadlines_go_to_a_cpu_that_takes_them(void **state)
{
	(void)state;
	start_machine();
	m.tsc_deadline = true;
	struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
	local_apic_set_rates(&apic, m.tsc_hz, m.apic_hz);
	assert_int_equal(m.apic[LOCAL_APIC_LVT_TIMER / 16], 0x40 | 2 << 17);
	assert_true(m.fences > 0);
	local_apic_timer_arm(&apic, 123456789);
	assert_int_equal(m.deadline, 123456789);
	local_apic_timer_disarm(&apic);
	assert_int_equal(m.deadline, 0);
}

static void near(uint64_t got, uint64_t want)
{
	if (got < want - want / 1000 || got > want + want / 1000)
		fail_msg("%lu is not within a thousandth of %lu", got, want);
}

static void calibrated(const struct calibration_clocks *clocks, enum calibration_clock clock)
{
	struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
	struct calibration c = calibrate(&apic, clocks);

	assert_int_equal(c.clock, clock);
	near(c.tsc_hz, m.tsc_hz);
	near(c.local_apic_hz, m.apic_hz);
}

static void rates_are_measured_against_the_best_clock(void **state)
{
	(void)state;
	const struct calibration_clocks all = {HPET, PM_TIMER}, old = {0, PM_TIMER}, none = {0, 0};

	start_machine();
	calibrated(&all, CALIBRATION_HPET);
	start_machine();
	m.hpet_fs = 69841279; /* 14.318 MHz */
	calibrated(&all, CALIBRATION_HPET);
	start_machine();
	m.hpet_fs = 0; /* not to be believed */
	calibrated(&all, CALIBRATION_PM_TIMER);
	start_machine();
	m.hpet_fs = 200000000; /* likewise */
	calibrated(&all, CALIBRATION_PM_TIMER);
	start_machine();
	calibrated(&old, CALIBRATION_PM_TIMER);
	start_machine();
	calibrated(&none, CALIBRATION_PIT);
}

static void clocks_that_stand_still_are_passed_over(void **state)
{
	(void)state;
	const struct calibration_clocks all = {HPET, PM_TIMER};

	start_machine();
	m.hpet_stuck = true;
	calibrated(&all, CALIBRATION_PM_TIMER);
	start_machine();
	m.hpet_stuck = m.pm_stuck = true;
	calibrated(&all, CALIBRATION_PIT);
	start_machine();
	m.hpet_stuck = m.pm_stuck = m.pit_stuck = true;
	struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
	struct calibration c = calibrate(&apic, &all);
	assert_int_equal(c.clock, CALIBRATION_NONE);
	assert_int_equal(c.tsc_hz, 1000000000);
}

static void losing_the_processor_does_not_spoil_the_rates(void **state)
{
	(void)state;
	const struct calibration_clocks all = {HPET, PM_TIMER};

	start_machine();
	m.hiccups = 20;
	calibrated(&all, CALIBRATION_HPET);
	assert_true(m.hiccups < 20);
}

/* Wherever in its tick the reference is met. */
static void a_round_rate_is_found_each_time(void **state)
{
	(void)state;
	const struct calibration_clocks all = {HPET, PM_TIMER};

	for (unsigned start = 0; start < 50; start++) {
		start_machine();
		m.tsc_hz = 1000000000;
		m.ns += 1237 * start;
		struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
		struct calibration c = calibrate(&apic, &all);
		assert_int_equal(c.tsc_hz, 1000000000);
	}
}

static void it_takes_five_milliseconds(void **state)
{
	(void)state;
	const struct calibration_clocks all = {HPET, PM_TIMER};

	start_machine();
	struct local_apic apic = start_apic(LOCAL_APIC_CHOOSE);
	uint64_t before = m.ns;
	(void)calibrate(&apic, &all);
	assert_in_range(m.ns - before, 5000000, 5200000);
}

static void inputs_are_routed(void **state)
{
	(void)state;
	struct io_apic io_apic;

	start_machine();
	io_apic_init(&io_apic, IO_APIC, 32);
	assert_int_equal(io_apic.inputs, INPUTS);
	for (unsigned i = 0; i < INPUTS; i++)
		assert_int_equal(m.io_redirection[2 * i], 0x10000);
	assert_false(io_apic_has(&io_apic, 31));
	assert_true(io_apic_has(&io_apic, 32));
	assert_true(io_apic_has(&io_apic, 55));
	assert_false(io_apic_has(&io_apic, 56));

	io_apic_route(&io_apic, 41, &(struct io_apic_route){.vector = 0x33, .target = 9, .level = true, .active_low = true});
	assert_int_equal(m.io_redirection[18], 0x10000 | 1 << 15 | 1 << 13 | 0x33);
	assert_int_equal(m.io_redirection[19], 9u << 24);
	io_apic_unmask(&io_apic, 41);
	assert_int_equal(m.io_redirection[18], 1 << 15 | 1 << 13 | 0x33);
	io_apic_mask(&io_apic, 41);
	assert_int_equal(m.io_redirection[18], 0x10000 | 1 << 15 | 1 << 13 | 0x33);
	io_apic_route(&io_apic, 42, &(struct io_apic_route){.vector = 0x34, .target = 1});
	assert_int_equal(m.io_redirection[20], 0x10000 | 0x34);
}

static void text_goes_over_the_serial_line(void **state)
{
	(void)state;
	start_machine();
	serial_init();
	m.line_bytes = 0; /* the divisor went there */
	serial_write("atoll\n", 6);
	assert_int_equal(m.line_bytes, 6);
	assert_memory_equal(m.line, "atoll\n", 6);
}

static void a_dead_serial_line_holds_nobody_up(void **state)
{
	(void)state;
	start_machine();
	m.line_dead = true;
	serial_write("atoll\n", 6);
	assert_int_equal(m.line_bytes, 0);
	assert_in_range(m.status_reads, 1, 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_mode_is_the_best_that_the_cpu_has),
	    cmocka_unit_test(the_mode_can_be_told),
	    cmocka_unit_test(all_sources_are_masked_at_first),
	    cmocka_unit_test(entries_that_are_not_there_are_not_written),
	    cmocka_unit_test(interrupts_go_to_their_core),
	    cmocka_unit_test(the_end_of_an_interrupt_is_told),
	    cmocka_unit_test(deadlines_become_ticks),
	    cmocka_unit_test(deadlines_go_to_a_cpu_that_takes_them),
	    cmocka_unit_test(rates_are_measured_against_the_best_clock),
	    cmocka_unit_test(clocks_that_stand_still_are_passed_over),
	    cmocka_unit_test(losing_the_processor_does_not_spoil_the_rates),
	    cmocka_unit_test(a_round_rate_is_found_each_time),
	    cmocka_unit_test(it_takes_five_milliseconds),
	    cmocka_unit_test(inputs_are_routed),
	    cmocka_unit_test(text_goes_over_the_serial_line),
	    cmocka_unit_test(a_dead_serial_line_holds_nobody_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
