/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/upcall/report.h"
#include "libos/address_space/address_space.h"
#include "libos/domain/start.h"
#include "libos/linux/console.h"
#include "libos/thread/thread.h"
#include "libos/upcall/text.h"

#include <atoll/domain.h>

/* Signal numbers of Linux on x86-64. */
enum { SIGNAL_ILL = 4, SIGNAL_TRAP = 5, SIGNAL_BUS = 7, SIGNAL_FPE = 8, SIGNAL_SEGV = 11 };

static const struct {
	const char *name;
	int signal;
} traps[32] = {
    /* Intel SDM vol. 3, table 6-1 */
    [0] = {"division error", SIGNAL_FPE},
    [1] = {"debug exception", SIGNAL_TRAP},
    [3] = {"breakpoint", SIGNAL_TRAP},
    [4] = {"overflow", SIGNAL_SEGV},
    [5] = {"bound range exceeded", SIGNAL_SEGV},
    [6] = {"invalid opcode", SIGNAL_ILL},
    [7] = {"no floating-point unit", SIGNAL_SEGV},
    [10] = {"invalid task state", SIGNAL_SEGV},
    [11] = {"segment not present", SIGNAL_BUS},
    [12] = {"stack segment fault", SIGNAL_BUS},
    [13] = {"general protection fault", SIGNAL_SEGV},
    [16] = {"x87 error", SIGNAL_FPE},
    [17] = {"alignment check", SIGNAL_BUS},
    [19] = {"SIMD error", SIGNAL_FPE},
};

static void end(void *status)
{
	domain_exit((int64_t)status);
}

/* The thread's next instruction will be in domain_exit, on its service stack. A fault in there ends the domain without a word. */
static void end_domain(struct dispatcher_shared *shared, const struct text *line, int signal)
{
	static bool ending;

	if (ending)
		domain_exit_now(128 + signal);
	ending = true;
	console_report(line->bytes, line->length);
	thread_current->in_service = false;
	shared->enabled.rip = (uint64_t)end;
	shared->enabled.rdi = 128 + (uint64_t)signal;
	shared->enabled.rsp = thread_current->service_top - 8;
	shared->enabled.rflags = 0x202; /* interrupts on: Intel SDM vol. 1, 3.4.3 */
}

static void add_place(struct text *line, const struct dispatcher_shared *shared)
{
	text_add(line, ", instruction ");
	text_add_hex(line, shared->enabled.rip);
	text_add(line, ", stack ");
	text_add_hex(line, shared->enabled.rsp);
	text_add(line, ": the program ends\n");
}

/* A page that nobody may touch, near the stack pointer: the guard below the stack. Sections look that far ahead (dispatcher.h), and
 * functions that make room for much do so in one step. */
#define STACK_REACH (64 * KIB)

static bool is_stack_overflow(const struct dispatcher_shared *shared, uint64_t address, err_t why)
{
	uint64_t rsp = shared->enabled.rsp;

	return (err_is(why, ERR_NUMBER_NOT_FOUND) || err_is(why, ERR_NUMBER_CAP_RIGHTS)) && address < rsp + PAGE_BYTES &&
	       address + STACK_REACH >= rsp && page_is_guard(address);
}

void report_page_fault(struct dispatcher_shared *shared, uint64_t address, uint64_t code, err_t why)
{
	struct text line = {.length = 0};

	if (is_stack_overflow(shared, address, why))
		text_add(&line, "stack overflow: ");
	else
		text_add(&line, "page fault: ");
	text_add(&line, code & 16 ? "execution at " : code & 2 ? "write to " : "read of ");
	text_add_hex(&line, address);
	text_add(&line, code & 1                             ? " (not allowed)"
	                : err_is(why, ERR_NUMBER_NOT_FOUND)  ? " (nothing is there)"
	                : err_is(why, ERR_NUMBER_CAP_RIGHTS) ? " (not allowed)"
	                : err_is(why, ERR_NUMBER_NO_MEMORY)  ? " (no memory left)"
	                                                     : " (");
	if (!err_is(why, ERR_NUMBER_NOT_FOUND) && !err_is(why, ERR_NUMBER_CAP_RIGHTS) && !err_is(why, ERR_NUMBER_NO_MEMORY) &&
	    !(code & 1)) {
		text_add(&line, err_sentence(why));
		text_add(&line, ")");
	}
	add_place(&line, shared);
	end_domain(shared, &line, SIGNAL_SEGV);
}

void report_trap(struct dispatcher_shared *shared, uint64_t vector, uint64_t code)
{
	struct text line = {.length = 0};
	bool known = vector < 32 && traps[vector].name != NULL;

	text_add(&line, known ? traps[vector].name : "exception");
	text_add(&line, " (vector ");
	text_add_number(&line, vector);
	text_add(&line, ", code ");
	text_add_hex(&line, code);
	text_add(&line, ")");
	add_place(&line, shared);
	end_domain(shared, &line, known ? traps[vector].signal : SIGNAL_SEGV);
}
