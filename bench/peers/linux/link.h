/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* How two parties send each other a message and its answer. What can hold them takes a line's payload (56 bytes), an eventfd its 8. */

#include <stdbool.h>

#include "bench/common/floor.h"
#include "bench/peers/linux/party.h"
#include "channels/channel.h"

enum { ASKER, ANSWERER, SIDES };
enum { LINK_LINES = 64 };

/* In memory that both sides see. */
struct link_memory {
	struct floor_line floor[SIDES];               /* each written by one side */
	struct channel_slot slots[SIDES][LINK_LINES]; /* what a side receives */
	_Alignas(128) _Atomic uint32_t turn;          /* whose it is: ASKER or ANSWERER */
	_Alignas(128) _Atomic uint32_t bell[SIDES];   /* of a side that sleeps: it changes with each ring */
};

/* What a side has for itself. */
struct side {
	enum party_kind between;
	unsigned index;
	struct link_memory *memory;
	int in, out;
	struct channel channel;
	uint64_t floor_count;
};

struct transport {
	const char *name;
	bool polls;                             /* both sides look again and again: it has no length in instructions, and needs two cores */
	unsigned batch;                         /* questions in a sample */
	bool (*open)(struct side sides[SIDES]); /* after link_open's own; errno tells why not */
	bool (*ask)(struct side *side, unsigned rounds);
	bool (*answer)(struct side *side, unsigned rounds);
};

extern const struct transport transports[];
extern const unsigned transport_count;

/* Both sides of a fresh link. Before another one is opened this one has to be closed. */
bool link_open(struct side sides[SIDES], const struct transport *transport, enum party_kind between);
void link_close(struct side sides[SIDES]);
