/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/devices/access.h"
#include "cpudriver/devices/serial.h"

/* National Semiconductor PC16550D datasheet, section 8, table II; the PC's first serial port is at 0x3f8. */
#define COM1          0x3f8
#define DATA          (COM1 + 0) /* with the divisor latch open: divisor, low byte */
#define INTERRUPTS    (COM1 + 1) /* likewise: high byte */
#define FIFO_CONTROL  (COM1 + 2)
#define LINE_CONTROL  (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS   (COM1 + 5)

#define LINE_8N1           0x03
#define LINE_DIVISOR_LATCH 0x80
#define DIVISOR_115200     1
#define FIFO_ENABLE_CLEAR  0x07
#define MODEM_DTR_RTS      0x03
#define STATUS_CAN_SEND    0x20 /* a port that is not there reads 0xff: never waited for */

#define PATIENCE 1000000 /* reads of the status; then a port that never sends is not waited for again within this text */

void serial_init(void)
{
	port_out(INTERRUPTS, 1, 0);
	port_out(LINE_CONTROL, 1, LINE_DIVISOR_LATCH);
	port_out(DATA, 1, DIVISOR_115200);
	port_out(INTERRUPTS, 1, 0);
	port_out(LINE_CONTROL, 1, LINE_8N1);
	port_out(FIFO_CONTROL, 1, FIFO_ENABLE_CLEAR);
	port_out(MODEM_CONTROL, 1, MODEM_DTR_RTS);
}

static bool wait_until_free(void)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (port_in(LINE_STATUS, 1) & STATUS_CAN_SEND)
			return true;
		spin_hint();
	}
	return false;
}

void serial_write(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes && wait_until_free(); i++)
		port_out(DATA, 1, (uint8_t)text[i]);
}
