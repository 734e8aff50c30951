/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/devices/calibrate.h"

/* Two samples of all three clocks at once, a few milliseconds apart. Reading several clocks takes time, and on an emulated machine this
 * core may lose its processor in between: each sample is therefore the quickest of a few tries, as the time-stamp counter on both sides of
 * it tells, and the time between the samples is not waited for but read from the reference, however long it has become.
 *
 * That is still no better than the two samples: between them, they are off by a tick of the reference, and by as much as one took longer
 * than the other. Within that, all frequencies are as good, and the roundest is taken. So an emulator that counts instructions, where every
 * start meets the reference at another moment of its tick, has the same frequency each time, and what is timed by it repeats. */

#define NANOSECOND     UINT64_C(1000000000) /* of them in a second */
#define CALIBRATION_NS UINT64_C(5000000)
#define TRIES          8
#define STUCK_READS    100000 /* the slowest reference changes every 838 ns, and no machine reads it in less than 0.1 ns */
#define GUESSED_HZ     NANOSECOND

/* HPET specification 1.0a, 2.3.4, 2.3.5, 2.3.7. */
#define HPET_CAPABILITIES   0x000
#define HPET_PERIOD         0x004 /* upper half of the capabilities: femtoseconds per tick */
#define HPET_CONFIGURATION  0x010
#define HPET_ENABLE         1u
#define HPET_COUNTER        0x0f0
#define HPET_PERIOD_MAX     0x05f5e100u
#define FEMTOSECONDS_PER_NS 1000000

/* ACPI 6.4, 4.8.3.3: the power management timer. */
#define PM_TIMER_HZ   3579545
#define PM_TIMER_WIDE (UINT64_C(1) << 32) /* in core_boot.pm_timer_port */

/* Intel 8254 datasheet, "Programming the 8254"; counter 2's gate is bit 0 of port 0x61, its speaker bit 1 (PC/AT). */
#define PIT_HZ         1193182
#define PIT_COUNTER_2  0x42
#define PIT_CONTROL    0x43
#define PIT_2_TERMINAL 0xb0 /* counter 2, low byte then high byte, mode 0 */
#define PIT_2_LATCH    0x80
#define PIT_GATE_PORT  0x61
#define PIT_GATE       1u
#define PIT_SPEAKER    2u

struct reference {
	enum calibration_clock clock;
	uint64_t where;     /* address or port */
	uint32_t mask;      /* of the bits that count */
	uint32_t period_fs; /* HPET */
};

struct sample {
	uint64_t tsc, took;
	uint32_t reference, local_apic;
};

static bool hpet_open(uint64_t registers, struct reference *r)
{
	if (registers == 0)
		return false;
	uint32_t period = register_read(registers + HPET_PERIOD);
	if (period == 0 || period > HPET_PERIOD_MAX)
		return false;
	register_write(registers + HPET_CONFIGURATION, register_read(registers + HPET_CONFIGURATION) | HPET_ENABLE);
	*r = (struct reference){CALIBRATION_HPET, registers, UINT32_MAX, period};
	return true;
}

static bool pm_timer_open(uint64_t port, struct reference *r)
{
	if (port == 0)
		return false;
	*r = (struct reference){CALIBRATION_PM_TIMER, port & 0xffff, port & PM_TIMER_WIDE ? UINT32_MAX : 0xffffff, 0};
	return true;
}

/* Counts down once from 65,536, which takes 55 ms: long enough for a sample and not so long that it must be watched. */
static void pit_open(struct reference *r)
{
	port_out(PIT_GATE_PORT, 1, (port_in(PIT_GATE_PORT, 1) & ~PIT_SPEAKER) | PIT_GATE);
	port_out(PIT_CONTROL, 1, PIT_2_TERMINAL);
	port_out(PIT_COUNTER_2, 1, 0);
	port_out(PIT_COUNTER_2, 1, 0);
	*r = (struct reference){CALIBRATION_PIT, 0, 0xffff, 0};
}

static uint32_t reference_read(const struct reference *r)
{
	switch (r->clock) {
	case CALIBRATION_HPET:
		return register_read(r->where + HPET_COUNTER);
	case CALIBRATION_PM_TIMER:
		return port_in((uint16_t)r->where, 4) & r->mask;
	default:
		port_out(PIT_CONTROL, 1, PIT_2_LATCH);
		uint32_t low = port_in(PIT_COUNTER_2, 1);
		return 0u - (port_in(PIT_COUNTER_2, 1) << 8 | low);
	}
}

/* Nanoseconds in `ticks`, at most 2^32 of them. */
static uint64_t reference_ns(const struct reference *r, uint32_t ticks)
{
	switch (r->clock) {
	case CALIBRATION_HPET:
		return (uint64_t)ticks * r->period_fs / FEMTOSECONDS_PER_NS;
	case CALIBRATION_PM_TIMER:
		return ticks * NANOSECOND / PM_TIMER_HZ;
	default:
		return ticks * NANOSECOND / PIT_HZ;
	}
}

static struct sample sample_once(const struct local_apic *apic, const struct reference *r)
{
	struct sample s;
	uint64_t before = rdtsc();

	s.reference = reference_read(r);
	s.local_apic = local_apic_read(apic, LOCAL_APIC_TIMER_CURRENT);
	s.took = rdtsc() - before;
	s.tsc = before + s.took / 2;
	return s;
}

static struct sample sample(const struct local_apic *apic, const struct reference *r)
{
	struct sample best = sample_once(apic, r);

	for (int i = 1; i < TRIES; i++) {
		struct sample s = sample_once(apic, r);
		if (s.took < best.took)
			best = s;
	}
	return best;
}

/* False if the reference stands still. */
static bool wait_ns(const struct reference *r, uint64_t ns)
{
	uint32_t first = reference_read(r), last = first;
	uint32_t same = 0;

	while (reference_ns(r, (last - first) & r->mask) < ns) {
		uint32_t now = reference_read(r);
		same = now == last ? same + 1 : 0;
		if (same == STUCK_READS)
			return false;
		last = now;
	}
	return true;
}

/* That has the most zeros at its end, of those that differ by `error` at most. */
static uint64_t roundest(uint64_t hz, uint64_t error)
{
	for (uint64_t step = NANOSECOND; step > 1; step /= 10) {
		uint64_t near = (hz + step / 2) / step * step;

		if (near != 0 && (near > hz ? near - hz : hz - near) <= error)
			return near;
	}
	return hz;
}

/* Of `hz` that were measured in so many nanoseconds, when the measurement may be off by `off_ns`. */
static uint64_t likely(uint64_t hz, uint64_t ns, uint64_t off_ns)
{
	return roundest(hz, hz / ns * off_ns + hz % ns * off_ns / ns);
}

static bool measure(const struct local_apic *apic, const struct reference *r, struct calibration *out)
{
	local_apic_write(apic, LOCAL_APIC_TIMER_INITIAL, UINT32_MAX);
	struct sample first = sample(apic, r);
	if (!wait_ns(r, CALIBRATION_NS))
		return false;
	struct sample last = sample(apic, r);
	local_apic_write(apic, LOCAL_APIC_TIMER_INITIAL, 0);

	uint64_t ns = reference_ns(r, (last.reference - first.reference) & r->mask);
	if (ns == 0)
		return false;
	uint64_t tsc_hz = (last.tsc - first.tsc) * NANOSECOND / ns;
	uint64_t local_apic_hz = (uint64_t)(first.local_apic - last.local_apic) * NANOSECOND / ns;
	if (tsc_hz == 0)
		return false;
	uint64_t longer = first.took > last.took ? first.took - last.took : last.took - first.took;
	uint64_t off_ns = longer * NANOSECOND / tsc_hz + reference_ns(r, 1) + 1; /* what a division drops counts as well */
	*out = (struct calibration){likely(tsc_hz, ns, off_ns), likely(local_apic_hz, ns, off_ns), r->clock};
	return true;
}

struct calibration calibrate(const struct local_apic *apic, const struct calibration_clocks *clocks)
{
	struct calibration result;
	struct reference r;

	if (hpet_open(clocks->hpet, &r) && measure(apic, &r, &result))
		return result;
	if (pm_timer_open(clocks->pm_timer_port, &r) && measure(apic, &r, &result))
		return result;
	pit_open(&r);
	if (measure(apic, &r, &result))
		return result;
	return (struct calibration){GUESSED_HZ, GUESSED_HZ, CALIBRATION_NONE};
}
