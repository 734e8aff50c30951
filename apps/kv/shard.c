/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/kv/kv.h"

#include <stdio.h>
#include <stdlib.h>

#include "apps/common/team.h"
#include "generated/apps/kv/kv.h"

/* A table with open addressing (Knuth, TAOCP vol. 3, 6.4): a key stands at its place, or at the next free one behind it. */
#define SLOTS (1 << 16)
#define FULL  (SLOTS - SLOTS / 8) /* then searches get long */

static struct kv_operation *table; /* value 0: free */
static unsigned used;

/* Where the key is, or would be. */
static struct kv_operation *find(uint64_t key)
{
	unsigned i = kv_mix(key) % SLOTS;

	while (table[i].value != 0 && table[i].key != key)
		i = (i + 1) % SLOTS;
	return &table[i];
}

static err_t operate(struct kv_operation *o)
{
	struct kv_operation *stored = find(o->key);

	if (o->value != 0) {
		if (stored->value == 0 && used == FULL)
			return TROUBLE_FULL_ERROR;
		used += stored->value == 0;
		*stored = *o;
	}
	o->value = stored->value;
	return OK;
}

/* The client could change the batch at any time: what has been copied is what is looked at. */
static err_t apply(void *context, struct stub_call *call, const struct shard_apply_params *p)
{
	static struct kv_operation batch[KV_BATCH];
	const uint32_t bytes = p->batch.bytes;
	err_t e;

	(void)context, (void)call;
	if (bytes > sizeof batch || bytes % sizeof batch[0] != 0)
		return TROUBLE_SIZE_ERROR;
	e = stub_bulk_read(&p->batch, 0, batch, bytes);
	for (uint32_t i = 0; i < bytes / sizeof batch[0] && is_ok(e); i++)
		e = operate(&batch[i]);
	return is_ok(e) ? stub_bulk_write(&p->batch, 0, batch, bytes) : e;
}

void kv_name(uint64_t number, char name[KV_NAME_BYTES])
{
	snprintf(name, KV_NAME_BYTES, "kv.%llu", (unsigned long long)number);
}

int kv_serve(uint64_t number)
{
	static const struct shard_service service = {.apply = apply};
	char name[KV_NAME_BYTES];

	table = calloc(SLOTS, sizeof *table); /* memory of this core's node, as all that malloc gives */
	if (table == NULL)
		give_up("the shard's table", ERR(NO_MEMORY));
	/* A client shares the core: to look for messages for a while, before giving it the core, would only keep it from sending some. */
	ipc_set_polling(0);
	kv_name(number, name);
	must(name, shard_serve(name, &service));
	return EXIT_FAILURE;
}
