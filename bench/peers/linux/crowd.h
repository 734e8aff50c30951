/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Threads on the other cores, one on each, that do the same thing again and again when they are told. */

#include "bench/peers/linux/party.h"

enum { CROWD_MOST = 64 };

struct crowd {
	unsigned others;
	void (*act)(void *argument, unsigned member); /* member 1 to others is on the core of that number */
	void *argument;
	bool rests;                             /* immutable: they sleep between two acts; else they poll */
	_Alignas(128) _Atomic uint32_t round;   /* written by the leader: which act it is */
	_Atomic bool over;                      /* likewise */
	_Alignas(128) _Atomic uint32_t through; /* how many have done it, of all acts together */
	struct member {
		struct crowd *crowd;
		unsigned number;
		struct party party;
	} members[CROWD_MOST];
};

/* False, with errno set, if not all of them could begin; then there is no crowd. */
bool crowd_start(struct crowd *crowd, unsigned others, bool rests, void (*act)(void *argument, unsigned member), void *argument);

/* Lets them act, once. */
void crowd_begin(struct crowd *crowd);

/* Until all have acted. */
void crowd_await(struct crowd *crowd);

bool crowd_end(struct crowd *crowd);
