/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The calls that may let another dispatcher run, as bare as they are (cpudriver/abi/calls.h says what the registers mean). They keep no
 * register but the stack pointer, so the compiler saves what it needs around them, and nothing else. */

#include "cpudriver/abi/calls.h"

struct endpoint_message {
	uint64_t word[4];
};

/* A call as the server gets it. */
struct endpoint_request {
	uint64_t badge, token;
	struct endpoint_message message;
};

#define ENDPOINT_CLOBBERS "rbx", "rbp", "rcx", "r11", "r12", "r13", "r14", "r15", "memory", "cc"

/* Calls with *message and replaces it by the reply; `flags` are CALL_*. */
MUST_USE static inline err_t endpoint_call_with(cap_t endpoint, struct endpoint_message *message, uint64_t flags)
{
	uint64_t rax = CALL_BIT | CALL_NUMBER_CALL, rdi = endpoint.value;
	uint64_t rsi = message->word[0], rdx = message->word[1];
	register uint64_t r10 __asm__("r10") = message->word[2];
	register uint64_t r8 __asm__("r8") = message->word[3];
	register uint64_t r9 __asm__("r9") = flags;

	__asm__ volatile("syscall" : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9) : : ENDPOINT_CLOBBERS);
	*message = (struct endpoint_message){{rsi, rdx, r10, r8}};
	return (err_t){(uint32_t)rax};
}

MUST_USE static inline err_t endpoint_call(cap_t endpoint, struct endpoint_message *message)
{
	return endpoint_call_with(endpoint, message, 0);
}

/* The same with words that nobody looks at. */
MUST_USE static inline err_t endpoint_call_empty(cap_t endpoint)
{
	uint64_t rax = CALL_BIT | CALL_NUMBER_CALL, rdi = endpoint.value;
	register uint64_t r9 __asm__("r9") = 0;

	__asm__ volatile("syscall" : "+a"(rax), "+D"(rdi), "+r"(r9) : : "rsi", "rdx", "r8", "r10", ENDPOINT_CLOBBERS);
	return (err_t){(uint32_t)rax};
}

/* Replies to `token` (REPLY_NONE: nobody), then takes the next call; `flags` are REPLY_*. *request is meaningful after OK only. */
MUST_USE static inline err_t endpoint_reply_wait(uint64_t token, const struct endpoint_message *reply, uint64_t flags,
                                                 struct endpoint_request *request)
{
	uint64_t rax = CALL_BIT | CALL_NUMBER_REPLY_WAIT, rdi = token;
	uint64_t rsi = reply->word[0], rdx = reply->word[1];
	register uint64_t r10 __asm__("r10") = reply->word[2];
	register uint64_t r8 __asm__("r8") = reply->word[3];
	register uint64_t r9 __asm__("r9") = flags;

	__asm__ volatile("syscall" : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9) : : ENDPOINT_CLOBBERS);
	*request = (struct endpoint_request){rdi, r9, {{rsi, rdx, r10, r8}}};
	return (err_t){(uint32_t)rax};
}

/* Replies and takes nothing. */
MUST_USE static inline err_t endpoint_reply(uint64_t token, const struct endpoint_message *reply)
{
	struct endpoint_request none;

	return endpoint_reply_wait(token, reply, REPLY_ONLY, &none);
}

/* Whether anybody still waits for a reply to `token`. */
static inline bool endpoint_is_awaited(uint64_t token)
{
	struct endpoint_request none;

	return is_ok(endpoint_reply_wait(token, &(struct endpoint_message){{0}}, REPLY_ASK, &none));
}

/* Lets `to` run (CAP_NULL: whoever is next); `flags` are YIELD_*. */
MUST_USE static inline err_t endpoint_yield(cap_t to, uint64_t flags)
{
	uint64_t rax = CALL_BIT | CALL_NUMBER_YIELD, rdi = to.value, rsi = flags;

	__asm__ volatile("syscall" : "+a"(rax), "+D"(rdi), "+S"(rsi) : : "rdx", "r8", "r9", "r10", ENDPOINT_CLOBBERS);
	return (err_t){(uint32_t)rax};
}
