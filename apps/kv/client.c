/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/kv/kv.h"

#include <stdlib.h>

#include <atoll/domain.h>

#include "apps/common/team.h"
#include "generated/apps/kv/kv.h"

#define KEYS  512 /* of a client */
#define DEPTH 4   /* batches for one shard: one is being collected, the others may be under way */

struct batch {
	struct kv_operation *operation; /* KV_BATCH of them, in the buffer that the shard sees */
	uint32_t count;
	bool sent;
	struct shard_apply_ticket ticket;
};

/* To one shard. */
struct lane {
	struct shard shard;
	struct batch batch[DEPTH]; /* a ring; the one behind the one that is being collected is the oldest */
	unsigned collecting;
};

struct kv_client {
	struct kv_run run;
	struct kv_result result;
	unsigned lanes;
	struct lane lane[];
};

static void open_lane(struct lane *l, uint64_t number)
{
	const uint32_t bytes = KV_BATCH * sizeof(struct kv_operation);
	char name[KV_NAME_BYTES];
	void *buffer;

	kv_name(number, name);
	must(name, shard_open(name, &l->shard));
	must("a buffer", stub_buffer_create(&l->shard.client, DEPTH * bytes, &buffer, 0));
	for (unsigned i = 0; i < DEPTH; i++)
		l->batch[i].operation = (struct kv_operation *)buffer + i * KV_BATCH;
}

/* malloc takes memory of the node where the caller runs, and so do buffers: which is where they are filled. */
struct kv_client *kv_open(uint64_t first_number, unsigned shards)
{
	struct kv_client *c = calloc(1, sizeof *c + shards * sizeof c->lane[0]);

	if (c == NULL)
		give_up("a client", ERR(NO_MEMORY));
	c->lanes = shards;
	for (unsigned i = 0; i < shards; i++)
		open_lane(&c->lane[i], first_number + i);
	ipc_set_polling(0); /* a shard shares the core (shard.c) */
	return c;
}

void kv_close(struct kv_client *c)
{
	for (unsigned i = 0; i < c->lanes; i++)
		shard_close(&c->lane[i].shard);
	free(c);
}

/* What a key has when it has been stored: never 0. */
static uint64_t value_of(const struct kv_client *c, uint64_t key)
{
	return kv_mix(key ^ c->run.salt) | 1;
}

static bool counts(const struct kv_client *c)
{
	const uint64_t now = time_tsc();

	return c->run.begin <= now && now < c->run.end;
}

/* Waits for the answer, if it is under way. */
static void settle(struct kv_client *c, struct batch *b)
{
	if (!b->sent)
		return;
	must("a shard's answer", shard_end_apply(&b->ticket, 0));
	for (uint32_t i = 0; i < b->count; i++)
		c->result.wrong += b->operation[i].value != value_of(c, b->operation[i].key);
	if (counts(c)) {
		c->result.operations += b->count;
		c->result.messages++;
	}
	b->sent = false;
	b->count = 0;
}

static void send(struct kv_client *c, struct lane *l)
{
	struct batch *b = &l->batch[l->collecting];
	const struct shard_apply_params p = {.batch = {.at = b->operation, .bytes = b->count * sizeof b->operation[0]}};

	if (b->count == 0)
		return;
	must("a message to a shard", shard_begin_apply(&l->shard, &p, &b->ticket, 0));
	b->sent = true;
	l->collecting = (l->collecting + 1) % DEPTH;
	settle(c, &l->batch[l->collecting]);
}

static void add(struct kv_client *c, struct lane *l, uint64_t key, uint64_t value)
{
	struct batch *b = &l->batch[l->collecting];

	b->operation[b->count++] = (struct kv_operation){key, value};
	if (b->count == KV_BATCH)
		send(c, l);
}

struct kv_result kv_run(struct kv_client *c, const struct kv_run *run)
{
	c->run = *run;
	c->result = (struct kv_result){0};
	while (time_tsc() < run->end)
		for (unsigned i = 0; i < KEYS; i++) {
			const uint64_t key = kv_mix((uint64_t)span_member() << 32 | i);
			struct lane *l = &c->lane[key % run->shards];

			add(c, l, key, value_of(c, key));
			add(c, l, key, 0);
		}
	for (unsigned i = 0; i < run->shards; i++)
		send(c, &c->lane[i]);
	for (unsigned i = 0; i < run->shards; i++)
		for (unsigned k = 0; k < DEPTH; k++)
			settle(c, &c->lane[i].batch[k]);
	return c->result;
}
