/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A key-value service in shards, one on each core, and clients on all cores.
 *
 *   shard.c    a domain of its own on its core: it alone has the keys that are its, so nothing is locked
 *   client.c   a thread on each core of a domain that spans all of them; it sends each key to the core that has it
 *   main.c     starts them, and measures with one core, with two, ...
 *
 * A message costs as much as many operations. So a client collects operations for a shard and asks for a whole batch of them by one
 * message; and it goes on to collect the next ones while some batches are under way, so that no core has to wait for another one's answer.
 */

#include <stdint.h>

#define KV_BATCH 64 /* operations */

struct kv_operation {
	uint64_t key, value; /* value 0: what is stored? */
};
_Static_assert(sizeof(struct kv_operation) == 16, "as kv.capnp says");

/* ---- Shard ---- */

/* Serves as shard `number`; returns if it can't. */
int kv_serve(uint64_t number);

/* What the shard of that number is called. */
#define KV_NAME_BYTES 24
void kv_name(uint64_t number, char name[KV_NAME_BYTES]);

/* ---- Client ---- */

struct kv_client;
/* A client of so many shards on the caller's core; the first one's number is given, the others follow. */
struct kv_client *kv_open(uint64_t first_number, unsigned shards);
void kv_close(struct kv_client *c);

/* Sends operations on keys of its own to the first `shards` shards, a store and a look in turn, until `end`. What is answered from `begin`
 * on counts: then all clients are at work. Both are values of the time-stamp counter; `salt` makes the values others than before. */
struct kv_run {
	unsigned shards;
	uint64_t begin, end, salt;
};
struct kv_result {
	uint64_t operations, messages, wrong;
};
struct kv_result kv_run(struct kv_client *c, const struct kv_run *run);

/* Scatters: close numbers become distant ones (the end of MurmurHash3). */
static inline uint64_t kv_mix(uint64_t x)
{
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}
