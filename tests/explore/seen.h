/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Memory that grows, and sets of hashes. What is made once is used by all searches: to allocate it anew for each would take longer than
 * most of them. */

#include <stddef.h>

#include "tests/explore/world.h"

struct heap {
	char *at;
	size_t used, room;
};

/* Room for that many bytes more, at the end; nothing is counted as used yet. */
void *heap_take(struct heap *h, size_t bytes);
void heap_add(struct heap *h, const void *from, size_t bytes);

struct entry {
	struct hash hash; /* both words 0: free */
	uint64_t value;
};

struct table {
	struct entry *at;
	size_t size, used; /* the size is a power of two */
	struct hash sum;   /* of all that is in it, in any order */
};

void table_clear(struct table *t);
/* The hash's entry; `new`: it was not there, and its value is `value` now. */
struct entry *table_put(struct table *t, struct hash hash, uint64_t value, bool *new);
