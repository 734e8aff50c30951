/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The operations of Kernel that concern this core's CPU driver; those on the database are cpudriver/capability/kernel.c.
 *
 *   peer          W0 core, W1 APIC ID, W2 physical base of its mailbox, 0: the core is gone
 *   send_init     W0 APIC ID
 *   send_sipi     W0 APIC ID, W1 page number of the trampoline, 1..255
 *   io_apic       W0 physical address, W1 first global system interrupt
 *   next_stopped  -> V0 base of a dispatcher, 0: none, V1 enum stop_reason, V2 RIP
 *   statistics    -> V0 capabilities in the database, V1 dispatchers, V2 mailbox base
 *   counters      W0 enum core_counter -> V0..V2 that one and the following
 *   print         W0..W3 up to 32 characters, ended by the first 0
 *   crash         W0 vector: 0, 3, 6, 8, 13 or 14, or CRASH_SILENT
 *   watch         W0 line there, W1 line here (physical), W2 period, W3 limit, W4 lease -> V0 silence, V1 strain, V2 WATCH_* */

#include "cpudriver/core.h"
#include "cpudriver/devices/serial.h"
#include "cpudriver/dispatch/dispatch.h"

/* No core may be sent to, or have its start pulled out from under it, by this one's own APIC ID. */
static err_t check_target(uint64_t apic)
{
	if (apic == core.apic.id)
		return ERR(ARGUMENT);
	return apic > (core.apic.mode == LOCAL_APIC_X2APIC ? UINT32_MAX - 1 : UINT8_MAX - 1) ? ERR(RANGE) : OK;
}

err_t op_Kernel_peer(struct invocation *i)
{
	uint64_t peer = i->word[0], apic = i->word[1], mailbox = i->word[2];

	if (peer >= core.boot->cores || peer >= CORES_MAX || peer == core.id)
		return ERR(CORE_UNKNOWN);
	if (mailbox % PAGE_BYTES != 0)
		return ERR(ALIGNMENT);
	if (mailbox >= core.boot->window_end || core.boot->window_end - mailbox < core.boot->mailbox_bytes)
		return ERR(RANGE);
	err_t e = check_target(apic);
	if (is_err(e))
		return e;

	core.peer[peer] = (struct peer){.mailbox = mailbox, .apic = (uint32_t)apic};
	if (mailbox != 0)
		mailbox_receive_from((uint32_t)peer);
	return OK;
}

err_t op_Kernel_send_init(struct invocation *i)
{
	err_t e = check_target(i->word[0]);

	if (is_err(e))
		return e;
	local_apic_send_init(&core.apic, (uint32_t)i->word[0]);
	return OK;
}

err_t op_Kernel_send_sipi(struct invocation *i)
{
	err_t e = check_target(i->word[0]);

	if (is_err(e))
		return e;
	if (i->word[1] == 0 || i->word[1] > UINT8_MAX)
		return ERR(ARGUMENT);
	local_apic_send_sipi(&core.apic, (uint32_t)i->word[0], (uint8_t)i->word[1]);
	return OK;
}

err_t op_Kernel_io_apic(struct invocation *i)
{
	return i->word[1] > UINT32_MAX ? ERR(RANGE) : io_apic_add(i->word[0], (uint32_t)i->word[1]);
}

err_t op_Kernel_next_stopped(struct invocation *i)
{
	const struct dispatcher *d = next_stopped();

	if (d == NULL)
		return OK;
	i->value[0] = dispatcher_base(d);
	i->value[1] = d->stop_reason;
	i->value[2] = d->saved.rip;
	return OK;
}

err_t op_Kernel_statistics(struct invocation *i)
{
	i->value[0] = core.capabilities.count;
	i->value[1] = core.dispatcher_count;
	i->value[2] = core.boot->mailbox_base;
	return OK;
}

static uint64_t counter(enum core_counter which)
{
	uint64_t sum = core.counter[which];

	for (struct dispatcher *d = core.dispatchers; d != NULL; d = d->next)
		sum += counted_by(d, which);
	return sum;
}

err_t op_Kernel_counters(struct invocation *i)
{
	uint64_t first = i->word[0];

	if (first > CORE_COUNTERS - COUNTERS_AT_ONCE)
		return ERR(RANGE);
	for (unsigned k = 0; k < COUNTERS_AT_ONCE; k++)
		i->value[k] = counter((enum core_counter)(first + k));
	return OK;
}

err_t op_Kernel_print(struct invocation *i)
{
	const char *text = (const char *)i->word;
	size_t length = 0;

	while (length < 4 * sizeof(i->word[0]) && text[length] != 0)
		length++;
	serial_write(text, length);
	return OK;
}

/* A push below the stack's guard page can't be delivered as a page fault on the same stack: that is the double fault. */
static void take_exception(uint64_t vector)
{
	switch (vector) {
	case 0:
		__asm__ volatile("xorl %%edx, %%edx\n\tdivl %%edx" : : "a"(1) : "rdx", "cc");
		break;
	case VECTOR_BREAKPOINT:
		__asm__ volatile("int3");
		break;
	case 6:
		__asm__ volatile("ud2");
		break;
	case VECTOR_DOUBLE_FAULT:
		__asm__ volatile("movq $stack_bottom, %rsp\n\tpushq $0");
		break;
	case VECTOR_GENERAL:
		__asm__ volatile("movq (%0), %%rax" : : "r"(UINT64_C(1) << 63) : "rax");
		break;
	case VECTOR_PAGE_FAULT:
		__asm__ volatile("movb $0, stack_bottom - 1" : : : "memory");
		break;
	case CRASH_SILENT:
		halt_forever();
	}
}

err_t op_Kernel_crash(struct invocation *i)
{
	take_exception(i->word[0]);
	return ERR(ARGUMENT);
}

static err_t decode_line(uint64_t address, struct beat_line **line)
{
	if (address % sizeof(**line) != 0)
		return ERR(ALIGNMENT);
	if (address == 0 || address >= core.boot->window_end)
		return ERR(RANGE);
	*line = window(PADDR(address));
	return OK;
}

err_t op_Kernel_watch(struct invocation *i)
{
	struct beat_orders o = {.period = i->word[2], .limit = i->word[3], .lease = i->word[4]};
	err_t e = o.period == 0 ? OK : decode_line(i->word[0], &o.there);

	if (is_ok(e) && o.period != 0)
		e = decode_line(i->word[1], &o.here);
	if (is_ok(e) && o.period != 0 && (o.period < core.tsc_hz / 10000 || o.period > core.tsc_hz * 10))
		e = ERR(ARGUMENT);
	if (is_err(e))
		return e;

	beat_order(&core.beat, &o, rdtsc());
	if (core.beat.next != 0)
		want_timer(core.beat.next);
	i->value[0] = core.beat.silence;
	i->value[1] = core.beat.strain;
	i->value[2] = (core.beat.heard == BEATS_TO_KNOW ? WATCH_MET : 0) | (core.beat.over ? WATCH_OVER : 0);
	return OK;
}
