/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/core.h"

#include "cpudriver/entry/offsets.h"
#include "cpudriver/entry/trap.h"

struct core core;

#define CORE_FIELD(name, field) _Static_assert(CORE_##name == offsetof(struct core, field), "entry/offsets.h")
CORE_FIELD(USER_RSP, user_rsp);
CORE_FIELD(USER_RIP, user_rip);
CORE_FIELD(USER_RFLAGS, user_rflags);
CORE_FIELD(WORD, invocation.word);
CORE_FIELD(VALUE, invocation.value);
CORE_FIELD(UPCALL_RIP, upcall_rip);
CORE_FIELD(UPCALL_RSP, upcall_rsp);
CORE_FIELD(UPCALL_RCX, upcall_rcx);

#define REGISTER(NAME, name) _Static_assert(REGISTERS_##NAME == offsetof(struct registers, name), "entry/offsets.h")
REGISTER(RAX, rax);
REGISTER(RBX, rbx);
REGISTER(RCX, rcx);
REGISTER(RDX, rdx);
REGISTER(RSI, rsi);
REGISTER(RDI, rdi);
REGISTER(RBP, rbp);
REGISTER(RSP, rsp);
REGISTER(R8, r8);
REGISTER(R9, r9);
REGISTER(R10, r10);
REGISTER(R11, r11);
REGISTER(R12, r12);
REGISTER(R13, r13);
REGISTER(R14, r14);
REGISTER(R15, r15);
REGISTER(RIP, rip);
REGISTER(RFLAGS, rflags);

_Static_assert(TRAP_VECTOR_ERROR_BYTES == offsetof(struct trap_frame, rip) - offsetof(struct trap_frame, vector), "entry/offsets.h");
_Static_assert(TRAP_RIP == offsetof(struct trap_frame, rip) && TRAP_RSP == offsetof(struct trap_frame, rsp), "entry/offsets.h");

_Static_assert(NUMBER_CALL == CALL_NUMBER_CALL && NUMBER_REPLY_WAIT == CALL_NUMBER_REPLY_WAIT && NUMBER_YIELD == CALL_NUMBER_YIELD,
               "entry/offsets.h");
_Static_assert(ERROR_CALL_UNKNOWN == ERR_NUMBER_CALL_UNKNOWN, "entry/offsets.h");
