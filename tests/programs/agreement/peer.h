/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The other domains of the test `agreement`: each core has one, which does with its capabilities what the test asks for, by calls over the
 * connection that capabilities are given over too. Slots are named by their addresses in the peer's own capability space. */

#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "tests/programs/check.h"

#define PROGRAM    "agreement"
#define PEERS_MAX  8
#define PEER_SLOTS 64 /* in a row, from peer.first on */

/* What a peer is asked for: words 0..2 of the call, and results in words 1..3 of the reply; word 0 is the error's number. */
enum command {
	PEER_HELLO = 1, /* -> 1 address of its first slot */
	PEER_ECHO,      /* 0 word -> 1 one more */
	PEER_TAKE,      /* 0 slot, 1 tag: what was given */
	PEER_IDENTIFY,  /* 0 slot -> 1 type | rights << 8 | flags << 16 | owner << 32, 2 base, 3 size */
	PEER_RETYPE,    /* 0 source | to << 16 | type << 32, 1 offset, 2 bytes */
	PEER_COPY,      /* 0 slot, 1 to */
	PEER_SHIFT,     /* 0 slot, 1 to: moves it there, in the peer's own space */
	PEER_DELETE,    /* 0 slot */
	PEER_REVOKE,    /* 0 slot -> 1 messages that it took */
	PEER_GIVE,      /* 0 slot, 1 rights, 2 tag: to the test */
	PEER_MOVE,      /* likewise */
	PEER_MAP,       /* 0 slot, 1 rights */
	PEER_UNMAP,
	PEER_READ,      /* 0 offset -> 1 word */
	PEER_WRITE,     /* 0 offset, 1 word */
	PEER_RING,      /* 0 slot */
	PEER_EAT,       /* 0 bytes: maps memory of its own, and touches all of it -> 1 what it read, 0 */
	PEER_USE,       /* 0 tag, 1 word: takes a connection, calls over it -> 1 the reply's word */
	PEER_COLLECTED, /* a collector: -> 1 how many gifts have come, 2 the last one's tag, 3 how many were connections */
	PEER_END,
};

struct peer {
	uint32_t domain;
	unsigned core;
	struct ipc_connection *c;
	cap_t first;
	unsigned taken; /* of its slots, by peer_slot */
};

/* All peers: on each other core one, and one on this core, the last. */
extern struct peer peers[PEERS_MAX];
extern unsigned peer_count, remote_count;

struct answer {
	err_t error;
	uint64_t word[3];
};
/* A call that fails answers with the call's own error. */
struct answer peer_ask(const struct peer *p, enum command command, uint64_t word0, uint64_t word1, uint64_t word2);
err_t peer_do(const struct peer *p, enum command command, uint64_t word0, uint64_t word1, uint64_t word2);

/* The next of its slots; they are not used twice. */
cap_t peer_slot(struct peer *p);
bool peer_start(struct peer *p, unsigned core, unsigned number);
/* A peer that is told of gifts (struct ipc_server), uses each once and lets it go; it greets a client with a gift of its own, tag 1. */
bool collector_start(struct peer *p, unsigned core, unsigned number);
/* Asks it to end, and waits for that. */
bool peer_end(struct peer *p);

/* The peer's own life. */
int peer_main(const char *service, bool collects);
