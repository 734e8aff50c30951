/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/mailbox.h"

#include <stdatomic.h>

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"
#include "cpudriver/trace.h"
#include "cpudriver/vectors.h"

/* A word that one core writes and another reads: single loads and stores, ordered by the fences around them. */
static uint64_t shared_read(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static void shared_write(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static struct mailbox_line *rung_line(struct mailbox_line *mailbox, uint32_t sender)
{
	return &mailbox[sender];
}
static struct mailbox_line *seen_line(struct mailbox_line *mailbox, uint32_t sender)
{
	return &mailbox[core.boot->cores + sender];
}

err_t mailbox_ring(uint32_t target, uint64_t index)
{
	if (target >= core.boot->cores || core.peer[target].mailbox == 0)
		return ERR(CORE_UNKNOWN);

	struct mailbox_line *mailbox = window(PADDR(core.peer[target].mailbox));
	uint64_t *rung = &rung_line(mailbox, core.id)->word[index / 64];
	uint64_t bit = UINT64_C(1) << index % 64;

	mfence();
	if (((*rung ^ shared_read(&seen_line(mailbox, core.id)->word[index / 64])) & bit) != 0)
		return OK;
	TRACE(ring, target, index, 0, 0);
	shared_write(rung, *rung ^ bit);
	mfence();
	local_apic_send(&core.apic, core.peer[target].apic, VECTOR_DOORBELL + core.id % DOORBELL_VECTORS);
	return OK;
}

static __attribute__((noinline)) void wake(uint64_t fresh, unsigned first, uint32_t sender)
{
	for (; fresh != 0; fresh &= fresh - 1) {
		unsigned index = first + (unsigned)__builtin_ctzll(fresh);
		struct dispatcher *d = core.doorbell[index];

		if (d == NULL)
			continue;
		TRACE_DISPATCHER(rung, sender, index, d);
		notify(d, PENDING_DOORBELL);
	}
}

/* A bell is one word of all, so the look at the others is most of this. */
static void receive_line(const struct mailbox_line *rung, struct mailbox_line *seen, uint32_t sender)
{
#pragma GCC unroll 8 /* MAILBOX_WORDS */
	for (unsigned w = 0; w < MAILBOX_WORDS; w++) {
		uint64_t now = shared_read(&rung->word[w]), before = seen->word[w];

		if (__builtin_expect(now == before, 1))
			continue;
		shared_write(&seen->word[w], now);
		mfence();
		wake(now ^ before, w * 64, sender);
	}
}

void mailbox_receive_from(uint32_t sender)
{
	struct mailbox_line *mailbox = window(PADDR(core.boot->mailbox_base));

	receive_line(rung_line(mailbox, sender), seen_line(mailbox, sender), sender);
}

void mailbox_receive(unsigned vector)
{
	for (uint32_t sender = vector - VECTOR_DOORBELL; sender < core.boot->cores; sender += DOORBELL_VECTORS)
		mailbox_receive_from(sender);
}
