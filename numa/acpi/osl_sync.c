/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* ACPICA's OS services layer: locks, semaphores, and work that is put off.
 *
 * The acpi domain has one thread, and interrupts reach it only in its main loop, never in the middle of ACPICA. So nothing is ever
 * contended: a lock needs no state, a semaphore is a counter, and whoever would have to wait for one would wait for himself. Before
 * it says so, a wait runs the work that was put off, since that may be what signals the semaphore. */

#include <stdbool.h>
#include <stdlib.h>

#include <acpi/acpi.h>

#include "numa/acpi/hardware.h"
#include "numa/acpi/osl.h"

acpi_thread_id acpi_os_get_thread_id(void)
{
	return 1; /* 0 is ACPICA's "nobody" */
}

/* ---- Locks ---- */

acpi_status acpi_os_create_lock(acpi_spinlock *lock)
{
	static char the_lock;

	*lock = &the_lock;
	return AE_OK;
}

void acpi_os_delete_lock(acpi_spinlock lock)
{
	(void)lock;
}

acpi_cpu_flags acpi_os_acquire_lock(acpi_spinlock lock)
{
	(void)lock;
	return 0;
}

void acpi_os_release_lock(acpi_spinlock lock, acpi_cpu_flags flags)
{
	(void)lock;
	(void)flags;
}

/* ---- Semaphores ---- */

struct semaphore {
	u32 units, most;
};

acpi_status acpi_os_create_semaphore(u32 most, u32 units, acpi_semaphore *handle)
{
	struct semaphore *semaphore = malloc(sizeof(*semaphore));

	if (semaphore == NULL)
		return AE_NO_MEMORY;
	*semaphore = (struct semaphore){units, most};
	*handle = semaphore;
	return AE_OK;
}

acpi_status acpi_os_delete_semaphore(acpi_semaphore handle)
{
	free(handle);
	return AE_OK;
}

acpi_status acpi_os_wait_semaphore(acpi_semaphore handle, u32 units, u16 timeout)
{
	struct semaphore *semaphore = handle;

	if (semaphore->units < units && timeout != 0) {
		osl_run_queue();
		if (semaphore->units < units && timeout != ACPI_WAIT_FOREVER)
			hardware_wait((u64)timeout * 1000000);
	}
	if (semaphore->units < units)
		return AE_TIME;
	semaphore->units -= units;
	return AE_OK;
}

acpi_status acpi_os_signal_semaphore(acpi_semaphore handle, u32 units)
{
	struct semaphore *semaphore = handle;

	if (units > semaphore->most - semaphore->units)
		return AE_LIMIT;
	semaphore->units += units;
	return AE_OK;
}

/* ---- Work that is put off: notifications, general purpose events ---- */

struct work {
	struct work *next;
	acpi_osd_exec_callback function;
	void *context;
};

static struct work *first, **last = &first;

acpi_status acpi_os_execute(acpi_execute_type type, acpi_osd_exec_callback function, void *context)
{
	struct work *work = malloc(sizeof(*work));

	(void)type;
	if (work == NULL)
		return AE_NO_MEMORY;
	*work = (struct work){NULL, function, context};
	*last = work;
	last = &work->next;
	return AE_OK;
}

void osl_run_queue(void)
{
	while (first != NULL) {
		struct work work = *first;

		free(first);
		first = work.next;
		if (first == NULL)
			last = &first;
		work.function(work.context);
	}
}

void acpi_os_wait_events_complete(void)
{
	osl_run_queue();
}

/* ---- The global lock, shared with the firmware (ACPI 6.4, 5.2.10.1) ---- */

enum { GLOBAL_LOCK_PENDING = 1u << 0, GLOBAL_LOCK_OWNED = 1u << 1 };

int osl_acquire_global_lock(u32 *lock)
{
	u32 old = __atomic_load_n(lock, __ATOMIC_RELAXED), new;

	do {
		new = (old & ~(u32)GLOBAL_LOCK_PENDING) | GLOBAL_LOCK_OWNED;
		if (old & GLOBAL_LOCK_OWNED)
			new |= GLOBAL_LOCK_PENDING;
	} while (!__atomic_compare_exchange_n(lock, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return (new &GLOBAL_LOCK_PENDING) == 0;
}

int osl_release_global_lock(u32 *lock)
{
	u32 old = __atomic_fetch_and(lock, ~(u32)(GLOBAL_LOCK_PENDING | GLOBAL_LOCK_OWNED), __ATOMIC_SEQ_CST);

	return (old & GLOBAL_LOCK_PENDING) != 0;
}
