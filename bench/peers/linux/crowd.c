/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/peers/linux/crowd.h"

#include "channels/memory.h"

static void wait_for_change(struct crowd *crowd, _Atomic uint32_t *word, uint32_t value)
{
	if (crowd->rests)
		word_wait(word, value, PARTY_THREAD);
	while (*word == value)
		channel_pause();
}

static void change(struct crowd *crowd, _Atomic uint32_t *word)
{
	++*word;
	if (crowd->rests)
		word_wake(word, PARTY_THREAD);
}

static bool take_part(void *argument)
{
	const struct member *self = argument;
	struct crowd *crowd = self->crowd;

	for (uint32_t round = 0;; round++) {
		wait_for_change(crowd, &crowd->round, round);
		if (crowd->over)
			return true;
		crowd->act(crowd->argument, self->number);
		change(crowd, &crowd->through);
	}
}

bool crowd_start(struct crowd *crowd, unsigned others, bool rests, void (*act)(void *argument, unsigned member), void *argument)
{
	*crowd = (struct crowd){.others = others, .rests = rests, .act = act, .argument = argument};
	for (unsigned i = 0; i < others; i++) {
		struct member *member = &crowd->members[i];

		member->crowd = crowd;
		member->number = i + 1;
		if (!party_start(&member->party, PARTY_THREAD, i + 1, take_part, member)) {
			crowd->others = i;
			(void)crowd_end(crowd);
			return false;
		}
	}
	return true;
}

void crowd_begin(struct crowd *crowd)
{
	change(crowd, &crowd->round);
}

void crowd_await(struct crowd *crowd)
{
	const uint32_t expected = crowd->round * crowd->others;

	for (uint32_t through = crowd->through; through != expected; through = crowd->through)
		wait_for_change(crowd, &crowd->through, through);
}

bool crowd_end(struct crowd *crowd)
{
	bool ok = true;

	crowd->over = true;
	crowd_begin(crowd);
	for (unsigned i = 0; i < crowd->others; i++)
		ok = party_join(&crowd->members[i].party) && ok;
	return ok;
}
