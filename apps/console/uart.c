/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/console/uart.h"

/* PC16550D, table II: registers as offsets from the base port, and the bits of them that are used. */
enum {
	DATA = 0,
	INTERRUPT_ENABLE = 1,
	FIFO_CONTROL = 2,
	LINE_CONTROL = 3,
	MODEM_CONTROL = 4,
	LINE_STATUS = 5,
	DIVISOR_LOW = 0,  /* while LINE_CONTROL has DIVISOR_LATCH */
	DIVISOR_HIGH = 1, /* likewise */

	RECEIVED_DATA_AVAILABLE = 0x01, /* of INTERRUPT_ENABLE */
	FIFO_ENABLE_AND_CLEAR = 0x07,   /* of FIFO_CONTROL */
	EIGHT_BITS = 0x03,              /* of LINE_CONTROL */
	DIVISOR_LATCH = 0x80,
	DTR_RTS_OUT2 = 0x0b,            /* of MODEM_CONTROL; OUT2 lets the interrupt out on a PC */
	DATA_READY = 0x01,              /* of LINE_STATUS */
	TRANSMITTER_EMPTY = 0x20,

	FIFO_BYTES = 16,
};

static err_t out(cap_t ports, unsigned reg, unsigned value)
{
	return port_out(ports, (uint16_t)(UART_PORT_BASE + reg), 1, value);
}

static unsigned in(cap_t ports, unsigned reg)
{
	uint32_t value = 0;

	return is_ok(port_in(ports, (uint16_t)(UART_PORT_BASE + reg), 1, &value)) ? value : 0;
}

err_t uart_init(cap_t ports)
{
	static const struct {
		uint8_t reg, value;
	} steps[] = {
		{INTERRUPT_ENABLE, 0},
		{LINE_CONTROL, DIVISOR_LATCH},
		{DIVISOR_LOW, 1}, /* 1.8432 MHz / 16 / 1 = 115200 */
		{DIVISOR_HIGH, 0},
		{LINE_CONTROL, EIGHT_BITS},
		{FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR},
		{MODEM_CONTROL, DTR_RTS_OUT2},
		{INTERRUPT_ENABLE, RECEIVED_DATA_AVAILABLE},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		err_t e = out(ports, steps[i].reg, steps[i].value);

		if (is_err(e))
			return e;
	}
	return OK;
}

void uart_write(cap_t ports, const char *text, size_t bytes)
{
	while (bytes > 0) {
		while (!(in(ports, LINE_STATUS) & TRANSMITTER_EMPTY))
			__builtin_ia32_pause();
		for (unsigned room = FIFO_BYTES; room > 0 && bytes > 0; room--, bytes--, text++)
			if (is_err(out(ports, DATA, (uint8_t)*text)))
				return;
	}
}

int uart_read(cap_t ports)
{
	return in(ports, LINE_STATUS) & DATA_READY ? (int)(uint8_t)in(ports, DATA) : -1;
}
