/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Standard input and output: the console service. What a program writes goes into a buffer, and a thread of the library OS takes it
 * to the console: the console may not be there yet, as for the first domains. In a monitor it goes to the serial line at once. */

#include <stddef.h>
#include <stdint.h>

/* Waits while the buffer is full, but drops what comes when there is no console to wait for. */
void linux_console_write(const char *data, size_t bytes);
/* The same from inside an upcall: what does not fit is lost. */
void console_report(const char *data, size_t bytes);
/* Waits until everything is on its way, but not for long if there is no console. */
void console_flush(void);
/* One line, or what of it fits; 0: end of input. Negative: a Linux error number. */
int64_t console_read(char *data, size_t bytes);
