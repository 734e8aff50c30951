/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/report.h"
#include "boot/loader/ports.h"

#include <stdbool.h>

/* PC16550D datasheet, table II: COM1, as firmware or reset left it but for the speed. */
#define COM1            0x3f8
#define LINE_CONTROL    (COM1 + 3)
#define LINE_STATUS     (COM1 + 5)
#define LINE_8N1        0x03
#define DIVISOR_LATCH   0x80
#define DIVISOR_115200  1
#define STATUS_CAN_SEND 0x20
#define PATIENCE        1000000 /* reads of the status; longer than any character takes */

/* Reset control register of PIIX and ICH (82371SB datasheet, 2.5.5): a full reset. */
#define RESET_PORT 0xcf9
#define RESET_ARM  0x02
#define RESET_GO   0x06
/* IBM PC/AT technical reference, keyboard controller: pulse output port bit 0. */
#define KEYBOARD_PORT  0x64
#define KEYBOARD_RESET 0xfe

static void open_serial(void)
{
	port_out8(LINE_CONTROL, DIVISOR_LATCH);
	port_out8(COM1, DIVISOR_115200);
	port_out8(COM1 + 1, 0);
	port_out8(LINE_CONTROL, LINE_8N1);
}

static void print_character(char c)
{
	for (int i = 0; i < PATIENCE && !(port_in8(LINE_STATUS) & STATUS_CAN_SEND); i++)
		;
	port_out8(COM1, (uint8_t)c);
}

static void print(const char *s)
{
	while (*s)
		print_character(*s++);
}

static void print_json(const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			print_character('\\');
		print_character(*s >= ' ' && *s <= '~' ? *s : '?');
	}
}

_Noreturn static void reset(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_interrupts = {0, 0};

	port_out8(RESET_PORT, RESET_ARM);
	port_out8(RESET_PORT, RESET_GO);
	port_out8(KEYBOARD_PORT, KEYBOARD_RESET);
	/* Neither is there: an exception without a handler's handler shuts the core down, which resets a PC (Intel SDM vol. 3, 6.15). */
	__asm__ volatile("lidt %0; int3" : : "m"(no_interrupts));
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void fail_with(const char *const parts[])
{
	open_serial();
	print("\r\nAtoll can't start: ");
	for (size_t i = 0; parts[i]; i++)
		print(parts[i]);
	print(".\r\n@event {\"event\":\"boot_failed\",\"reason\":\"");
	for (size_t i = 0; parts[i]; i++)
		print_json(parts[i]);
	print("\"}\r\n");
	reset();
}

void warn(const char *sentence)
{
	open_serial();
	print(sentence);
	print("\r\n");
}
