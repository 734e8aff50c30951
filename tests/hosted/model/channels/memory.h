/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Stands in for channels/memory.h where the real channel runs on simulated cores: every access to shared memory goes to
 * tests/hosted/test_channel_wakeup.c, which lets the cores take turns there. */

#include <stdint.h>

typedef uint64_t channel_shared_word;

uint64_t model_load(const channel_shared_word *word);
void model_store(channel_shared_word *word, uint64_t value);
void model_fence(void);

static inline uint64_t channel_load_header(const channel_shared_word *word)
{
	return model_load(word);
}
static inline void channel_store_header(channel_shared_word *word, uint64_t value)
{
	model_store(word, value);
}
static inline uint64_t channel_load_payload(const channel_shared_word *word)
{
	return *word;
}
static inline void channel_store_payload(channel_shared_word *word, uint64_t value)
{
	*word = value;
}
static inline uint64_t channel_load_notice(const channel_shared_word *word)
{
	return model_load(word);
}
static inline void channel_store_notice(channel_shared_word *word, uint64_t value)
{
	model_store(word, value);
}
static inline void channel_fence(void)
{
	model_fence();
}
static inline void channel_claim(const void *line)
{
	(void)line;
}

static inline void channel_pause(void) {}
