/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* soak SEED SECONDS [deaths]: random capability operations from all cores at once, in rounds.
 *
 *   soak                  takes the balance of every core before and after a round, and starts the rounds, one after the other:
 *   soak round R SEED     the round's leader: starts a worker on each core, lets them work for a while, stops them, and compares what they
 *                         say they hold with what the monitors say is shared; then they give everything back and end. In some rounds they
 *                         are killed instead, in the middle of it; with deaths cores are.
 *   soak worker R N SEED  makes, copies, gives, moves, takes apart, deletes, revokes, maps and touches memory, as the dice say
 *
 * All that the workers play with is made out of one piece of memory of each worker, its arena, so the leader can tell it from everything
 * else that is shared (rings, for instance). A round is a process of its own, so that nothing that a library keeps for later is
 * taken for a leak. The seed decides what is tried; what comes of it is up to the machine. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#define PROGRAM      "soak"
#define SERVICE      "soak-%u-%u" /* round, worker */
#define WORKERS_MAX  16
#define ARENA_PAGES  32
#define ARENA_BYTES  (ARENA_PAGES * PAGE_BYTES)
#define THREADS      2 /* of each worker */
#define HELD_MAX     64
#define HELD_CLOSED  (1u << 15) /* among a capability's flags: a CNode whose slot in the root is empty, so what is in it can't be told */

/* What the leader asks a worker for: words 0.. of the call, and of the reply, whose word 3 is 0 if all is well. */
enum label {
	SOAK_HELLO = 1, /* -> 0 base of its arena */
	SOAK_CONNECT,   /* 0 worker */
	SOAK_RUN,
	SOAK_STOP,
	SOAK_STATUS,    /* -> 0 threads at work, 1 operations so far, 2 those that were refused */
	SOAK_HELD,      /* 0 index -> 0 type | rights << 8 | flags << 16 | owner << 32 (0: nothing), 1 base, 2 size */
	SOAK_GIVE_BACK,
	SOAK_END,
};

struct random {
	uint64_t state;
};

/* Steele, Lea and Flood's SplitMix: seeds that are alike give sequences that are not. */
static inline struct random random_from(uint64_t seed)
{
	uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (struct random){(z ^ z >> 31) | 1};
}

/* Marsaglia's xorshift with the shifts 13, 7, 17. */
static inline uint64_t draw(struct random *r, uint64_t below)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (r->state >> 16) % below;
}

static inline uint64_t in_us(uint64_t us)
{
	return time_tsc() + us * (time_tsc_hz() / 1000000);
}

static inline void sleep_us(uint64_t us)
{
	thread_sleep_until(in_us(us));
}

/* The seed and the round, as they were given. */
extern uint64_t soak_seed;
extern unsigned soak_round;

int lead_round(bool deaths);
int work(unsigned number);
