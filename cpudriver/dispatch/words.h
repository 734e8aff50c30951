/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What a call returns, put into the saved registers of who gets it. */

#include "cpudriver/dispatch/dispatcher.h"

#define TOKEN_ADDRESS (WINDOW_BYTES - 1)
#define TOKEN_COUNT   WINDOW_BYTES
_Static_assert((WINDOW_BYTES & (WINDOW_BYTES - 1)) == 0, "a bit");

struct words {
	uint64_t w0, w1, w2, w3;
};

static const struct words no_words;

static inline void put_words(struct dispatcher *d, struct words w)
{
	d->saved.rsi = w.w0;
	d->saved.rdx = w.w1;
	d->saved.r10 = w.w2;
	d->saved.r8 = w.w3;
}

static inline void put_call(struct dispatcher *server, uint64_t badge, uint64_t token, struct words w)
{
	server->saved.rax = ERR_NUMBER_OK;
	server->saved.rdi = badge;
	server->saved.r9 = token;
	server->served = token;
	put_words(server, w);
}

static inline void put_reply(struct dispatcher *caller, err_t e, struct words w)
{
	caller->saved.rax = e.number;
	caller->saved.rdi = 0;
	caller->saved.r9 = 0;
	put_words(caller, w);
}
