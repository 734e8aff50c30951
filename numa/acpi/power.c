/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <acpi/acpi.h>

#include "numa/acpi/hardware.h"
#include "numa/acpi/power.h"

enum {
	NOTIFY_PRESSED = 0x80, /* ACPI 6.4, 5.6.6, table 5.154: the power button's notification */
	RESET_CONTROL = 0xcf9, /* Intel 82371SB (PIIX3) data sheet, 2.5.12, and every south bridge since */
	RESET_CONTROL_HARD = 2,
	RESET_CONTROL_NOW = 4,
	SETTLE_NS = 50000000, /* a machine that is still there 50 ms after it was switched off will stay */
};

static void (*on_pressed)(void);

static u32 fixed_button(void *unused)
{
	(void)unused;
	on_pressed();
	return ACPI_INTERRUPT_HANDLED;
}

static void control_method_button(acpi_handle device, u32 value, void *unused)
{
	(void)device;
	(void)unused;
	if (value == NOTIFY_PRESSED)
		on_pressed();
}

static acpi_status watch_device(acpi_handle device, u32 depth, void *unused, void **result)
{
	(void)depth;
	(void)unused;
	(void)result;
	return acpi_install_notify_handler(device, ACPI_DEVICE_NOTIFY, control_method_button, NULL);
}

const char *power_watch_button(void (*pressed)(void))
{
	on_pressed = pressed;
	/* A machine has the fixed button unless the FADT says that AML describes it (5.2.9, table 5.10, PWR_BUTTON). */
	if ((acpi_gbl_FADT.flags & ACPI_FADT_POWER_BUTTON) == 0 &&
	    ACPI_FAILURE(acpi_install_fixed_event_handler(ACPI_EVENT_POWER_BUTTON, fixed_button, NULL)))
		return "the fixed power button can't be watched";
	if (ACPI_FAILURE(acpi_get_devices("PNP0C0C", watch_device, NULL, NULL)))
		return "a power button that AML describes can't be watched";
	return NULL;
}

int power_can_switch_off(void)
{
	u8 a, b;

	return ACPI_SUCCESS(acpi_get_sleep_type_data(ACPI_STATE_S5, &a, &b));
}

/* ACPICA asks this before it writes the sleep registers. It would afterwards wait for the machine to wake, for ever if that did not go to
 * sleep; so we write them here and tell it to leave that. */
acpi_status acpi_os_enter_sleep(u8 state, u32 a, u32 b)
{
	acpi_status status;

	(void)state;
	if (acpi_gbl_reduced_hardware) {
		status = acpi_write(a, &acpi_gbl_FADT.sleep_control);
	} else {
		status = acpi_write(a, &acpi_gbl_FADT.xpm1a_control_block);
		if (ACPI_SUCCESS(status) && acpi_gbl_FADT.xpm1b_control_block.address != 0)
			status = acpi_write(b, &acpi_gbl_FADT.xpm1b_control_block);
	}
	hardware_wait(SETTLE_NS);
	return ACPI_FAILURE(status) ? status : AE_CTRL_TERMINATE;
}

const char *power_off(void)
{
	if (!power_can_switch_off())
		return "the firmware does not say how to switch the machine off";
	if (ACPI_FAILURE(acpi_enter_sleep_state_prep(ACPI_STATE_S5)))
		return "the firmware refuses to prepare for switching off";
	if (ACPI_FAILURE(acpi_enter_sleep_state(ACPI_STATE_S5)))
		return "the sleep registers can't be written";
	return "the machine is still on";
}

const char *power_reset(void)
{
	/* The FADT's reset register if it has one, else the port that chipsets had before there was such a register. */
	if (ACPI_FAILURE(acpi_reset()) && !(hardware_write_port(RESET_CONTROL, 1, RESET_CONTROL_HARD) &&
	                                    hardware_write_port(RESET_CONTROL, 1, RESET_CONTROL_HARD | RESET_CONTROL_NOW)))
		return "neither the reset register nor port 0xcf9 can be written";
	hardware_wait(SETTLE_NS);
	return "the machine did not restart";
}
