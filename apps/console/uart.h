/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The first serial port of a PC, a 16550A (National Semiconductor PC16550D datasheet, 1995). */

#include <atoll/device.h>

#define UART_PORT_BASE 0x3f8 /* COM1 */

/* 115200 baud, 8 data bits, no parity, FIFOs on, interrupt on reception. */
MUST_USE err_t uart_init(cap_t ports);

/* Waits until the transmitter takes the bytes. */
void uart_write(cap_t ports, const char *text, size_t bytes);

/* The next received character, or -1. */
int uart_read(cap_t ports);
