/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Calls `pressed` whenever someone presses the power button: the fixed one or one that AML describes (ACPI 6.4, 4.8.3.1). NULL, or what
 * went wrong. */
const char *power_watch_button(void (*pressed)(void));

/* Whether the firmware says how to switch the machine off (\_S5). */
int power_can_switch_off(void);

/* Switches the machine off, or restarts it. Return only on failure, with the reason. */
const char *power_off(void);
const char *power_reset(void);
