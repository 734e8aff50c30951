/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Runs what ACPICA has put off (acpi_os_execute), until nothing is left. Called from the main loop, and after each interrupt. */
void osl_run_queue(void);
