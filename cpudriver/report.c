/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/report.h"

#include "cpudriver/core.h"
#include "cpudriver/devices/serial.h"

static const char *const exception_name[EXCEPTIONS] = {
    "divide error",
    "debug",
    "non-maskable interrupt",
    "breakpoint",
    "overflow",
    "bound range exceeded",
    "invalid opcode",
    "device not available",
    "double fault",
    "coprocessor segment overrun",
    "invalid TSS",
    "segment not present",
    "stack-segment fault",
    "general protection",
    "page fault",
    "vector 15",
    "x87 floating-point error",
    "alignment check",
    "machine check",
    "SIMD floating-point error",
    "virtualization",
    "control protection",
    "vector 22",
    "vector 23",
    "vector 24",
    "vector 25",
    "vector 26",
    "vector 27",
    "hypervisor injection",
    "VMM communication",
    "security",
    "vector 31",
};

/* A line is put together first, so that it comes out in one piece as far as one core can see to that. */
struct line {
	unsigned length;
	char text[240];
};

static void put(struct line *l, const char *text)
{
	for (; *text != 0 && l->length < sizeof(l->text); text++)
		l->text[l->length++] = *text;
}

static void put_decimal(struct line *l, uint64_t n)
{
	char digits[21], *d = &digits[20];

	*d = 0;
	do
		*--d = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	put(l, d);
}

static void put_hex(struct line *l, uint64_t n)
{
	char digits[19] = "0x";

	for (unsigned i = 0; i < 16; i++)
		digits[2 + i] = "0123456789abcdef"[n >> (60 - 4 * i) & 15];
	put(l, digits);
}

static void put_field(struct line *l, const char *name, uint64_t n)
{
	put(l, ",\"");
	put(l, name);
	put(l, "\":");
	put_decimal(l, n);
}

/* JSON has no hexadecimal numbers, so addresses are strings. */
static void put_address(struct line *l, const char *name, uint64_t n)
{
	put(l, ",\"");
	put(l, name);
	put(l, "\":\"");
	put_hex(l, n);
	put(l, "\"");
}

static void put_text(struct line *l, const char *name, const char *text)
{
	put(l, ",\"");
	put(l, name);
	put(l, "\":\"");
	put(l, text);
	put(l, "\"");
}

static void begin_event(struct line *l, const char *event)
{
	l->length = 0;
	put(l, "\n@event {\"event\":\"");
	put(l, event);
	put(l, "\"");
	put_field(l, "core", core.id);
}

static void end_line(struct line *l, const char *end)
{
	put(l, end);
	put(l, "\n");
	serial_write(l->text, l->length);
	l->length = 0;
}

static void dump_register(struct line *l, const char *name, uint64_t value)
{
	put(l, name);
	put(l, " ");
	put_hex(l, value);
	put(l, "  ");
}

static void dump_registers(const struct trap_frame *f)
{
	struct line l = {0};

	dump_register(&l, "  rax", f->rax), dump_register(&l, "rbx", f->rbx);
	dump_register(&l, "rcx", f->rcx), dump_register(&l, "rdx", f->rdx);
	end_line(&l, "");
	dump_register(&l, "  rsi", f->rsi), dump_register(&l, "rdi", f->rdi);
	dump_register(&l, "rbp", f->rbp), dump_register(&l, "rsp", f->rsp);
	end_line(&l, "");
	dump_register(&l, "  r8 ", f->r8), dump_register(&l, "r9 ", f->r9);
	dump_register(&l, "r10", f->r10), dump_register(&l, "r11", f->r11);
	end_line(&l, "");
	dump_register(&l, "  r12", f->r12), dump_register(&l, "r13", f->r13);
	dump_register(&l, "r14", f->r14), dump_register(&l, "r15", f->r15);
	end_line(&l, "");
	dump_register(&l, "  rip", f->rip), dump_register(&l, "flg", f->rflags);
	dump_register(&l, "cr2", read_cr2()), dump_register(&l, "cr3", read_cr3());
	end_line(&l, "");
}

NORETURN void panic(const struct trap_frame *f)
{
	const char *name = core.current != NULL ? core.current->name : "";
	struct line l;

	core.boot->stopped = f->vector + 1;
	begin_event(&l, "panic");
	put_field(&l, "vector", f->vector);
	put_address(&l, "rip", f->rip);
	put_field(&l, "error", f->error);
	put_address(&l, "cr2", read_cr2());
	put_text(&l, "dispatcher", name);
	end_line(&l, "}");

	put(&l, "core ");
	put_decimal(&l, core.id);
	put(&l, " stops: ");
	put(&l, f->vector < EXCEPTIONS ? exception_name[f->vector] : "interrupt");
	put(&l, " inside the CPU driver, at ");
	put_hex(&l, f->rip);
	put(&l, name[0] != 0 ? ", serving " : ", serving nobody");
	put(&l, name);
	end_line(&l, "");
	dump_registers(f);
	beat_end(&core.beat); /* what others say about it comes behind this report */
	halt_forever();
}

/* An exception for which there is no handler, nor one for the exceptions that follow from that, shuts the core down, and that resets the
 * machine (SDM vol. 3, 6.15). */
static NORETURN void reset_machine(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_handlers = {0, 0};

	__asm__ volatile("lidt %0; int3" : : "m"(no_handlers));
	halt_forever();
}

NORETURN void refuse_to_start(const char *sentence)
{
	struct line l = {0};

	put(&l, "\nAtoll can't start: ");
	put(&l, sentence);
	end_line(&l, ".");
	begin_event(&l, "boot_failed");
	put_text(&l, "reason", sentence);
	end_line(&l, "}");
	if (core.boot->starter == core.boot->core)
		reset_machine();
	halt_forever();
}

void report_control(const char *reg, uint64_t here, uint64_t first)
{
	struct line l;

	begin_event(&l, "control");
	put_text(&l, "register", reg);
	put_address(&l, "here", here);
	put_address(&l, "first", first);
	end_line(&l, "}");
}

void report_monitor_stopped(const struct dispatcher *d)
{
	struct line l;

	begin_event(&l, "monitor_stopped");
	put_field(&l, "reason", d->stop_reason);
	put_field(&l, "vector", d->fault.vector);
	put_field(&l, "error", d->fault.error);
	put_address(&l, "address", d->fault.address);
	put_address(&l, "rip", d->saved.rip);
	put_text(&l, "dispatcher", d->name);
	end_line(&l, "}");
}

void report_interrupt(const char *what, uint64_t number)
{
	struct line l;

	begin_event(&l, what);
	put_field(&l, "number", number);
	end_line(&l, "}");
}
