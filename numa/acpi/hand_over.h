/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the first monitor and the acpi domain hand to each other, beyond what every domain gets and may ask for.
 *
 * The monitor puts into the domain's task CNode, before it starts:
 *
 *   TASK_CORE_BOOT    Frame, read: the first core's core_boot page. It has the root pointer, the boot core's APIC ID and the RAM.
 *   TASK_IO_PORTS     the ports that AML and ACPICA may use
 *   TASK_INTERRUPTS   ACPI's own interrupt, or a range with it
 *   TASK_FREE, ...    below the first free slot, among other things: DeviceFrames, the physical ranges that hold tables and registers
 *
 * Then, in this order:
 *
 *   domain  -> monitor  REQUEST_take_machine   the machine model, in a Frame in the slot of the task CNode that the request names
 *   domain  -> monitor  REQUEST_powered, 0     the namespace is loaded: it can switch the machine off (word 2: 1 if the firmware says how)
 *   domain  -> monitor  REQUEST_powered, 1     someone pressed the power button (any number of times, at any time from now on)
 *   monitor -> domain   EVENT_power_off        switch the machine off. There is no answer: either the machine is gone, or
 *   domain  -> monitor  REQUEST_powered, 2     it could neither be switched off nor restarted
 *
 * A machine without ACPI hands over its model of one core and one node like any other, and answers EVENT_power_off with "could not". */

/* Where the domain looks for a free slot of its task CNode for the model's frame: above those that serve for more memory. */
#define ACPI_MODEL_FIRST_SLOT 128

/* Word 1 of REQUEST_powered. */
enum acpi_powered {
	ACPI_READY = 0,
	ACPI_BUTTON = 1,
	ACPI_STILL_ON = 2,
};
