/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/processor/segments.h"

#include "cpudriver/core.h"
#include "cpudriver/entry/trap.h"

/* SDM vol. 3, 3.4.5 and 5.2.1: present descriptors of privilege level 0 and 3, and of an available 64-bit TSS (7.2.3). */
#define DESCRIPTOR_CODE(level) (UINT64_C(0x00209a0000000000) | (uint64_t)(level) << 45)
#define DESCRIPTOR_DATA(level) (UINT64_C(0x0000920000000000) | (uint64_t)(level) << 45)
#define DESCRIPTOR_TASK        UINT64_C(0x0000890000000000)

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60 /* INT n of that vector is allowed to user space */

/* SDM vol. 2, LGDT: limit and base. */
struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void fill_descriptors(struct segments *s)
{
	uint64_t task = (uintptr_t)&s->task, limit = sizeof(s->task) - 1;

	s->descriptor[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_CODE(0);
	s->descriptor[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_DATA(0);
	s->descriptor[SELECTOR_USER_DATA / 8] = DESCRIPTOR_DATA(3);
	s->descriptor[SELECTOR_USER_CODE / 8] = DESCRIPTOR_CODE(3);
	s->descriptor[SELECTOR_TASK / 8] = DESCRIPTOR_TASK | limit | (task & 0xffffff) << 16 | (task >> 24 & 0xff) << 56;
	s->descriptor[SELECTOR_TASK / 8 + 1] = task >> 32;
}

/* An I/O map behind the segment's end allows no port to user space. */
static void fill_task(struct segments *s)
{
	s->task.rsp[0] = (uintptr_t)stack_top;
	s->task.io_map_base = sizeof(s->task);
	for (unsigned i = 0; i < IST_STACKS; i++)
		s->task.ist[i] = (uintptr_t)s->stack[i] + IST_STACK_BYTES;
}

static void fill_gates(struct segments *s)
{
	for (unsigned v = 0; v < VECTORS; v++) {
		uint64_t stub = (uintptr_t)trap_stubs + 16 * v;

		s->gate[v] = (struct gate){
		    .offset_low = (uint16_t)stub,
		    .offset_middle = (uint16_t)(stub >> 16),
		    .offset_high = (uint32_t)(stub >> 32),
		    .selector = SELECTOR_KERNEL_CODE,
		    .attributes = GATE_INTERRUPT,
		};
	}
	s->gate[VECTOR_BREAKPOINT].attributes |= GATE_USER;
	s->gate[VECTOR_NMI].ist = IST_NMI;
	s->gate[VECTOR_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
	s->gate[VECTOR_MACHINE_CHECK].ist = IST_MACHINE_CHECK;
}

static void load_tables(struct segments *s)
{
	struct table_pointer descriptors = {sizeof(s->descriptor) - 1, (uintptr_t)s->descriptor};
	struct table_pointer gates = {sizeof(s->gate) - 1, (uintptr_t)s->gate};

	__asm__ volatile("lgdt %0\n\t"
	                 "lidt %1\n\t"
	                 "pushq %2\n\t"
	                 "leaq 1f(%%rip), %%rax\n\t"
	                 "pushq %%rax\n\t"
	                 "lretq\n"
	                 "1:\n\t"
	                 "movl %3, %%eax\n\t"
	                 "movl %%eax, %%ss\n\t"
	                 "xorl %%eax, %%eax\n\t"
	                 "movl %%eax, %%ds\n\t"
	                 "movl %%eax, %%es\n\t"
	                 "movl %%eax, %%fs\n\t"
	                 "movl %%eax, %%gs\n\t"
	                 "lldt %%ax\n\t"
	                 "movl %4, %%eax\n\t"
	                 "ltr %%ax"
	                 :
	                 : "m"(descriptors), "m"(gates), "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA), "i"(SELECTOR_TASK)
	                 : "rax", "memory");
}

void segments_start(void)
{
	struct segments *s = &core.segments;

	fill_descriptors(s);
	fill_task(s);
	fill_gates(s);
	load_tables(s);

	wrmsr(MSR_STAR, (uint64_t)SELECTOR_USER_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uintptr_t)syscall_entry);
	wrmsr(MSR_FMASK, RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_AC);
	wrmsr(MSR_SYSENTER_CS, 0);
}
