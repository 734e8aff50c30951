/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "cpudriver/dispatch/beat.h"

#define FADES_BY 64
#define LOSES_BY 8

static uint64_t shorter(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t shared_read(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static void shared_write(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

void beat_order(struct beat *b, const struct beat_orders *o, uint64_t now)
{
	if (o->here != b->here || b->period == 0) {
		b->over = false;
		b->heard = 0;
		b->silence = 0;
		b->seen = o->period != 0 ? shared_read(&o->here->count) : 0;
		b->looked = now;
	}
	b->there = o->there;
	b->here = o->here;
	b->period = o->period;
	b->limit = o->limit;
	b->lease = o->lease;
	if (b->period == 0)
		b->next = 0;
	else if (b->next == 0)
		b->next = now;
}

static void tell(struct beat *b)
{
	shared_write(&b->there->strain, b->strain);
	shared_write(&b->there->count, ++b->count);
}

/* Strain of more than an hour's worth of periods is a lie, and must not overflow. */
#define PERIODS_MOST 100000

static void look(struct beat *b, uint64_t now)
{
	uint64_t count = shared_read(&b->here->count), told = shared_read(&b->here->strain);

	b->over = count == BEAT_LAST;
	if (count == b->seen || b->over) {
		b->silence += shorter(now - b->looked, 2 * b->period);
	} else {
		uint64_t delay = b->silence - shorter(b->silence, b->period);

		b->seen = count;
		b->heard += b->heard < BEATS_TO_KNOW;
		b->silence = 0;
		told = shorter(told, PERIODS_MOST * b->period);
		b->strain = longer(longer(b->strain, delay), told - told / LOSES_BY);
	}
	b->looked = now;
}

bool beat_step(struct beat *b, uint64_t now)
{
	b->strain = longer(b->strain - b->strain / FADES_BY, now - b->next);
	b->next = now + b->period;
	if (now < b->lease)
		tell(b);
	look(b, now);
	if (b->silence >= b->limit || (b->over && b->limit != UINT64_MAX)) {
		b->limit = UINT64_MAX;
		return true;
	}
	if (b->silence > 0)
		b->next = now + shorter(b->period, b->limit - b->silence);
	return false;
}

void beat_end(struct beat *b)
{
	if (b->period != 0)
		shared_write(&b->there->count, BEAT_LAST);
	b->next = b->period = 0;
}
