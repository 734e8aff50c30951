/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Exceptions and interrupts. An exception of a domain is the domain's own: an upcall while its dispatcher is enabled, its end while it is
 * disabled. Interrupts only mark what has happened; what follows from it is decided once, at the end (after_interrupt). The CPU driver
 * itself runs with interrupts off, so an interrupt that came from the kernel's code segment has ended idling. */

#include "cpudriver/entry/trap.h"

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/report.h"
#include "cpudriver/trace.h"

static bool from_user(const struct trap_frame *f)
{
	return f->cs == SELECTOR_USER_CODE;
}

static NORETURN void stop_at(struct dispatcher *d, const struct trap_frame *f)
{
	d->fault.vector = f->vector;
	d->fault.error = f->error;
	d->fault.address = f->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;
	stop(d, STOP_FAULT);
	dispatch();
}

static void exception(struct trap_frame *f)
{
	struct dispatcher *d = core.current;

	if (f->vector == VECTOR_NMI) {
		report_interrupt("nmi", f->vector);
		return;
	}
	if (!from_user(f) || f->vector == VECTOR_MACHINE_CHECK || f->vector == VECTOR_DOUBLE_FAULT)
		panic(f);

	uint64_t address = read_cr2();

	TRACE(fault, f->vector, f->error, address, f->rip);
	if (!save_interrupted(d, f))
		stop_at(d, f);
	if (f->vector == VECTOR_PAGE_FAULT) {
		core.counter[COUNTER_FAULTS]++;
		upcall(d, UPCALL_PAGE_FAULT, address, f->error);
	}
	upcall(d, UPCALL_TRAP, f->vector, f->error);
}

static void interrupt(uint64_t vector)
{
	TRACE(interrupt, vector, 0, 0, 0);
	if (vector == VECTOR_SPURIOUS)
		return;
	if (vector >= VECTOR_DEVICE && vector < VECTOR_DOORBELL) {
		interrupt_arrived((unsigned)vector);
		return;
	}
	local_apic_eoi(&core.apic);
	if (vector == VECTOR_TIMER)
		timer_expired();
	else if (vector >= VECTOR_DOORBELL)
		mailbox_receive((unsigned)vector);
	else if (vector == VECTOR_APIC_ERROR)
		report_interrupt("apic_error", local_apic_errors(&core.apic));
	else
		report_interrupt("unexpected_interrupt", vector);
}

/* Goes on where the interrupt came, unless the turn is over or the dispatcher has to hear of something. One that is in its critical
 * section may have looked at its pending word already: it is interrupted again soon. */
static void after_interrupt(struct trap_frame *f)
{
	struct dispatcher *d = core.current;

	if (turn_is_over()) {
		save_interrupted(d, f);
		end_lending(d);
		schedule_add(&core.schedule, &d->turn);
		dispatch();
	}
	uint64_t bits = pending(d);
	if (bits == 0)
		return;
	if (is_enabled(d, f->rip)) {
		save_interrupted(d, f);
		upcall(d, UPCALL_MESSAGE, bits, 0);
	}
	if (atomic_load_explicit(&dispatcher_shared(d)->disabled, memory_order_relaxed) == 0)
		recheck_soon();
}

void trap(struct trap_frame *f)
{
	if (f->vector < EXCEPTIONS) {
		exception(f);
		return;
	}
	interrupt(f->vector);
	if (!from_user(f))
		dispatch();
	after_interrupt(f);
}
