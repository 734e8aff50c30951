/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/hostile/attacks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/console.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "channels/channel.h"
#include "libos/ipc/endpoint.h"

#define KERNEL_ADDRESS UINT64_C(0xffffffff80000000) /* the CPU driver's image (cpudriver/abi/memory_map.h) */
#define WINDOW_ADDRESS UINT64_C(0xffff800000100000) /* the window on physical memory */
#define NON_CANONICAL  UINT64_C(0x0000900000000000)
#define EVENTS_TRIED   4000

/* ---- Instructions that user space may not execute (Intel SDM vol. 3, 5.9) ---- */

static bool run_cli(void) { __asm__ volatile("cli"); return false; }
static bool run_hlt(void) { __asm__ volatile("hlt"); return false; }
static bool run_out(void) { __asm__ volatile("outb %%al, $0x80" : : "a"(0)); return false; }
static bool run_wrmsr(void) { __asm__ volatile("wrmsr" : : "c"(0xc0000080), "a"(0), "d"(0)); return false; }
static bool run_write_cr3(void) { __asm__ volatile("mov %0, %%cr3" : : "r"(0ul)); return false; }
static bool run_write_cr0(void) { __asm__ volatile("mov %0, %%cr0" : : "r"(0ul)); return false; }
static bool run_lidt(void) { static const char table[10]; __asm__ volatile("lidt %0" : : "m"(table)); return false; }
static bool run_swapgs(void) { __asm__ volatile("swapgs"); return false; }
static bool run_sysret(void) { __asm__ volatile("sysretq"); return false; }
static bool run_int(void) { __asm__ volatile("int $0x40"); return false; }
static bool run_undefined(void) { __asm__ volatile("ud2"); return false; }

/* ---- Memory that is not its own ---- */

static bool read_kernel(void) { return *(volatile uint64_t *)KERNEL_ADDRESS == 0 && false; }
static bool write_kernel(void) { *(volatile uint64_t *)KERNEL_ADDRESS = 0; return false; }
static bool read_window(void) { return *(volatile uint64_t *)WINDOW_ADDRESS == 0 && false; }
static bool write_window(void) { *(volatile uint64_t *)WINDOW_ADDRESS = 0; return false; }
static bool jump_kernel(void) { ((void (*)(void))KERNEL_ADDRESS)(); return false; }
static bool read_non_canonical(void) { return *(volatile uint64_t *)NON_CANONICAL == 0 && false; }
static bool write_own_text(void) { *(volatile uint8_t *)(uintptr_t)write_own_text = 0xc3; return false; }

static bool execute_own_data(void)
{
	static volatile uint8_t code[] = {0xc3}; /* ret */

	((void (*)(void))(uintptr_t)code)();
	return false;
}

/* The CPU driver must neither use nor return to these. */
static bool call_with_stack_in_kernel(void)
{
	__asm__ volatile("mov %0, %%rsp\n\tsyscall\n\tpush %%rax" : : "r"(KERNEL_ADDRESS), "a"(CALL_BIT | CALL_NUMBER_YIELD), "D"(0), "S"(0)
	                 : "rcx", "r11", "memory");
	return false;
}

static bool foreign_call_with_stack_nowhere(void)
{
	__asm__ volatile("mov %0, %%rsp\n\tsyscall\n\tpush %%rax" : : "r"(NON_CANONICAL), "a"(39ul) : "rcx", "r11", "memory");
	return false;
}

static bool call_with_odd_flags(void)
{
	/* Direction, nested task, alignment check: none of them may reach the CPU driver or survive in it. */
	__asm__ volatile("pushfq\n\torq $0x44400, (%%rsp)\n\tpopfq\n\tsyscall\n\tpushfq\n\tandq $~0x44400, (%%rsp)\n\tpopfq"
	                 : : "a"(CALL_BIT | CALL_NUMBER_YIELD), "D"(0), "S"(0) : "rcx", "r11", "rdx", "r8", "r9", "r10", "rbx", "rbp", "r12", "r13", "r14", "r15", "memory", "cc");
	return true;
}

/* ---- Its own dispatcher ---- */

/* Through a variable, so that the compiler can't know better. */
static void fault(void)
{
	static volatile int *volatile nowhere = (volatile int *)8;

	*nowhere = 0;
}

static bool fault_in_the_fault_handler(void)
{
	domain_dispatcher()->upcall_stack = 0x1000;
	fault();
	return false;
}

static bool upcall_into_kernel(void)
{
	for (unsigned i = 0; i < UPCALLS; i++)
		domain_dispatcher()->upcall[i] = KERNEL_ADDRESS;
	fault();
	return false;
}

static bool upcall_stack_in_kernel(void)
{
	domain_dispatcher()->upcall_stack = KERNEL_ADDRESS + 0x1000;
	fault();
	return false;
}

static bool scribble_over_the_dispatcher_frame(void)
{
	memset((void *)domain_dispatcher(), 0xff, DISPATCHER_SHARED_BYTES);
	fault();
	return false;
}

static bool delete_own_address_space(void)
{
	(void)!is_ok(cap_revoke(CAP_PAGE_TABLE4));
	(void)!is_ok(cap_delete(CAP_PAGE_TABLE4));
	for (;;)
		(void)!is_ok(cap_delete(CAP_SELF_DISPATCHER));
	return false;
}

static bool revoke_own_memory(void)
{
	(void)!is_ok(cap_revoke(CAP_RAM_GRANT));
	return false;
}

/* ---- Others ---- */

static bool scribble_over_a_channel(void)
{
	struct ipc_connection *console;
	struct channel *ch;

	if (is_err(ipc_bind(CONSOLE_SERVICE, true, &console)))
		return false;
	ch = ipc_channel(console);
	for (unsigned round = 0; round < 64; round++)
		for (unsigned i = 0; i <= ch->mask; i++)
			memset((void *)&ch->tx[i], (int)(round * 37 + i), sizeof(ch->tx[i]));
	return true;
}

static bool scribble_over_the_start_area(void)
{
	memset((void *)DOMAIN_EVENT_RETURN, 0xee, PAGE_BYTES);
	memset((void *)DOMAIN_REQUEST_BUFFER, 0xee, PAGE_BYTES);
	for (unsigned request = 0; request < 64; request++)
		if (request != REQUEST_exit)
			(void)monitor_request(request, ~0ul, ~0ul, ~0ul, ~0ul);
	return true;
}

static bool ask_for_what_it_may_not(void)
{
	return is_err(system_power_off(0)) && is_err(domain_kill(0)) && is_err(domain_kill(~0u)) &&
	       is_err(monitor_request(REQUEST_powered, 0, 1, 0, 0).error) &&
	       is_err(monitor_request(REQUEST_take_machine, 0, 4096, TASK_FREE, 0).error) &&
	       is_err(monitor_request(REQUEST_interrupt, 0, 4, 0, 0).error) &&
	       err_is(monitor_request(REQUEST_list_agreement, 0, 0, 0, 0).error, ERR_NUMBER_PERMISSION);
}

/* What it is told and does not read the monitor has to keep. */
static bool read_no_events(void)
{
	bool refused = true;

	domain_dispatcher()->disabled = 1;
	for (unsigned i = 0; i < EVENTS_TRIED; i++)
		(void)monitor_request(REQUEST_list_domains, 1, CORE_HERE, 0, 0);
	for (unsigned i = 0; i < 16; i++) {
		(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_NOW)); /* until the monitor has answered all that it has taken */
		refused &= err_is(monitor_request(REQUEST_list_domains, 1, CORE_HERE, 0, 0).error, ERR_NUMBER_LIMIT);
	}
	refused &= err_is(monitor_request(REQUEST_close, 0, 0, 0, 0).error, ERR_NUMBER_NOT_FOUND); /* that needs nothing, and is heard */
	domain_dispatcher()->disabled = 0;
	return refused;
}

static bool take_all_memory(void)
{
	void *memory;
	err_t e;

	do
		e = memory_map(MIB, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_NOW, &memory);
	while (is_ok(e));
	printf("memory was refused at last: %s\n", err_sentence(e));
	return err_is(e, ERR_NUMBER_NO_MEMORY) || err_is(e, ERR_NUMBER_LIMIT);
}

static bool take_all_slots(void)
{
	cap_t slot;
	err_t e;

	for (unsigned taken = 0; taken <= UINT16_MAX; taken++) {
		e = cap_slot_alloc(&slot);
		if (is_ok(e))
			e = cap_copy(CAP_START_FRAME, slot);
		if (is_err(e))
			return err_is(e, ERR_NUMBER_NO_SLOT) || err_is(e, ERR_NUMBER_NO_MEMORY);
	}
	return false;
}

static bool spin(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
	return false;
}

static bool spin_disabled(void)
{
	domain_dispatcher()->disabled = 1;
	return spin();
}

static bool recurse(void)
{
	static bool (*volatile again)(void) = recurse;
	volatile char frame[4096];

	frame[0] = 1;
	return again() && frame[0] != 0;
}

#define DIES(function)    {#function, function, ATTACK_DIES}
#define REFUSED(function) {#function, function, ATTACK_REFUSED}
#define KILLED(function)  {#function, function, ATTACK_KILLED}

const struct attack attacks[] = {
	DIES(run_cli), DIES(run_hlt), DIES(run_out), DIES(run_wrmsr), DIES(run_write_cr3), DIES(run_write_cr0), DIES(run_lidt),
	DIES(run_swapgs), DIES(run_sysret), DIES(run_int), DIES(run_undefined),
	DIES(read_kernel), DIES(write_kernel), DIES(read_window), DIES(write_window), DIES(jump_kernel), DIES(read_non_canonical),
	DIES(write_own_text), DIES(execute_own_data), DIES(call_with_stack_in_kernel), DIES(foreign_call_with_stack_nowhere),
	REFUSED(call_with_odd_flags),
	DIES(fault_in_the_fault_handler), DIES(upcall_into_kernel), DIES(upcall_stack_in_kernel), DIES(scribble_over_the_dispatcher_frame),
	DIES(delete_own_address_space), DIES(revoke_own_memory), DIES(recurse),
	REFUSED(scribble_over_a_channel), REFUSED(scribble_over_the_start_area), REFUSED(ask_for_what_it_may_not),
	REFUSED(read_no_events), REFUSED(take_all_memory), REFUSED(take_all_slots),
	KILLED(spin), KILLED(spin_disabled),
};
const unsigned attack_count = sizeof(attacks) / sizeof(attacks[0]);

const struct attack *attack_find(const char *name)
{
	for (unsigned i = 0; i < attack_count; i++)
		if (strcmp(attacks[i].name, name) == 0)
			return &attacks[i];
	return NULL;
}
