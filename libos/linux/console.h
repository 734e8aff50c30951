/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Standard input and output: the console service. What a program writes goes into a buffer, and a thread of the library OS takes it
 * to the console: the console may not be there yet, as for the first domains. In a monitor it goes to the serial line at once. */

#include <stddef.h>
#include <stdint.h>

/* What both answer is what write and read do: a number of bytes, or a negative Linux error number. The address is the program's word for
 * it.
 *
 * Waits while the buffer is full, but drops what comes when there is no console to wait for. */
int64_t linux_console_write(uint64_t address, uint64_t bytes);
/* The same from inside an upcall: what does not fit is lost. */
void console_report(const char *data, size_t bytes);
/* Waits until everything is on its way, but not for long if there is no console. */
void console_flush(void);
/* One line, or what of it fits; 0: end of input. */
int64_t linux_console_read(uint64_t address, uint64_t bytes);
