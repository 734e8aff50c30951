/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Every access to memory that the two sides of a channel share is one of the functions of this file, so that the
 * orders can be read in one place. The interleaving model (tests/hosted/model/channels/memory.h) replaces the file
 * by one whose accesses go through simulated store buffers, and so runs the real channel under every interleaving. */

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t channel_shared_word;

/* A header: whoever sees it also sees the payload that was written before it. */
static inline uint64_t channel_load_header(const channel_shared_word *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static inline void channel_store_header(channel_shared_word *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

/* Payload. Relaxed, but atomic: the compiler may not load a word twice, so what was validated is what is used. */
static inline uint64_t channel_load_payload(const channel_shared_word *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void channel_store_payload(channel_shared_word *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* The notice "I am parked"; ordered against the headers by channel_fence alone. */
static inline uint64_t channel_load_notice(const channel_shared_word *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void channel_store_notice(channel_shared_word *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* Nothing after it is performed before everything before it is seen by everyone. x86 reorders only a store with a
 * later load of another address, and this is the only place in a channel where that matters. */
static inline void channel_fence(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* Fetches a line that is about to be written, while there is still something else to do: a store into a line that the
 * other core has been polling otherwise waits for it. Nothing but time depends on it. PREFETCHW is in every x86-64 core,
 * in the oldest as a NOP (AMD APM volume 3, PREFETCHW; Intel SDM volume 2, PREFETCHW). */
static inline void channel_claim(const void *line)
{
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
}

/* For loops that wait: tells the core that it is spinning. */
static inline void channel_pause(void)
{
	__builtin_ia32_pause();
}
