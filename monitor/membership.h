/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Who belongs to the system: a *view* is a number and the set of cores that are alive in it, the same on all of them.
 *
 *   every core beats for the member before it, its watcher (heartbeat.h)
 *
 *   watcher ── suspect ──▶ leader       the lowest member that is not suspected itself
 *                          fences the core: INIT, so that it can't write again (fence.h)
 *                          ── view ──▶ all survivors: each ends what depended on the core (loss.c) and tells the agreement
 *                          ... the core has passed the trampoline: nothing of what it was doing goes on
 *                          ── buried ──▶ all survivors: what the core could write to may be used again
 *                          ... the agreement has settled who owns what the core owned
 *                          the core's memory goes to its heir, a core of the same node (estate.h)
 *                          ── start ──▶ the heir, if the core was only silent, or somebody wants it back: it starts anew in memory of
 *                                       its node, without a memory of what it was
 *   started core ── up ──▶ leader ── up, view ──▶ all
 *
 * A core that was only slow learns of all this by the INIT that stops it, so it can't do harm between a view without it and the one in
 * which it comes back; what its programs did is lost with them, as if the core had died.
 *
 * View numbers only grow, and two leaders never make the same one: a count, with the leader in the low byte. If the leader dies, the next
 * lowest member leads. A new leader may not know of the last view of the old one, and name a core as alive that others have lost: they
 * suspect that core again at once, and the next view is right. What a member says to another in a view arrives in the order in which it
 * was said; a message of a later view than the receiver's own waits in the mesh until that view has come.
 *
 * The first core makes the first view when all cores have come up or failed. It can't be done without: it has the serial line, the names
 * and the firmware. Its successor says that it is gone, and the INIT that fences it makes the firmware start the machine again. */

#include "cpudriver/abi/errors.h"
#include "monitor/agreement/set.h"

struct monitor;

#define LEADER_BITS 8 /* of a view's number */

/* ---- State, by file ---- */

struct heartbeat {
	uint64_t next;             /* when to look at it again; 0: there is nobody else */
	uint32_t watched, watcher; /* cores */
	uint64_t bound;            /* the longest silence that it was allowed in the present one, in ticks; 0: it is not silent */
};

/* ---- The leader's care for cores that are members no more ---- */

enum fence_state {
	FENCE_NONE,    /* a member, or never was one */
	FENCE_INIT,    /* to be stopped */
	FENCE_SIPI,    /* INIT sent, SIPI follows */
	FENCE_WAITING, /* for the core to pass the trampoline */
	FENCE_BURIED,  /* it has; its memory is being settled */
	FENCE_OUT,     /* it could be started */
	FENCE_STARTING,
};

struct fence {
	enum fence_state state;
	uint64_t deadline, patience;
	uint64_t begun, buried; /* when */
	uint64_t boot_page;     /* where its starter has put its core_boot, 0: unknown */
	unsigned polls;
	uint32_t restarts;       /* since it was last asked for */
	uint32_t starter;        /* who starts it now */
	bool wanted;             /* by somebody: start it as soon as it can be */
	uint32_t asker, ticket;  /* who waits for that */
	uint64_t returned, held; /* bytes of its memory */
	struct {
		uint64_t base, bytes;
	} kept; /* estate_keep */
	struct core_set heirs;
	unsigned inheriting; /* pieces that their heirs have not confirmed */
};

/* Memory that a core serves, or of a dead core's that it has something in. The leader knows it of all that was given to a core. */
struct estate {
	uint64_t base, bytes;
	uint32_t core;
	bool held; /* nobody serves it; who has something in it changes without the leader's knowing */
	bool orphaned;
};

/* Something that a survivor has in a piece of memory. */
struct holding {
	uint64_t base, bytes;
	uint32_t core;
};

struct settlement {
	struct estate *estate;
	unsigned estates, estates_room;
	/* the piece that is being settled; bytes 0: none */
	struct estate piece;
	uint32_t dead; /* whose */
	uint32_t round;
	bool busy;                   /* there is something to settle */
	uint32_t view;               /* in which they are asked */
	bool repeated;               /* there was a round before */
	bool incomplete;             /* what was answered has changed meanwhile */
	uint64_t repeat_at;          /* there was no memory for the answers: when to ask again; 0: there was */
	uint64_t arrivals, previous; /* in this round, and in the one before */
	struct core_set left;        /* have not answered */
	struct holding *holding;
	unsigned holdings, holdings_room;
};

/* ---- Every core ---- */

/* Memory that this core has inherited. The largest pieces of each core are remembered: that one gets them back if it returns. */
struct legacy {
	struct legacy *next;
	uint64_t base, bytes, cleared;
	uint32_t dead;
	uint16_t cap; /* RAM */
	bool done;    /* it is free memory now */
};

struct membership {
	uint32_t view; /* 0: there is none yet */
	struct core_set alive;
	/* a view that names a core of which this one has not heard yet: `up` comes along the tree, and a view may overtake it */
	uint32_t next_view; /* 0: none */
	struct core_set next_alive;
	struct heartbeat heartbeat;
	/* the piece of memory that the leader asks about, and how many objects in it have come from other cores since */
	uint64_t asked_base, asked_bytes, arrivals;
	struct legacy *legacies;
	struct quarantined *quarantine;
	/* the leader's */
	struct fence fence[CORES_MAX];
	bool fencing; /* some core is being stopped or started */
	struct settlement settlement;
};

/* ---- Interface ---- */

/* The first core: everybody who is up is a member. */
void membership_begin(struct monitor *m);

bool membership_has(const struct monitor *m, uint32_t core);
/* The lowest member but for `except`, a core that can't be it (CORES_MAX: nobody). */
uint32_t membership_leader(const struct monitor *m, uint32_t except);

/* Why a core is suspected: how long it has been silent, how long it might have been, and the longest delay that anybody knew of lately. All 0:
 * it breaks the rules. */
struct suspicion {
	uint64_t silence_us, bound_us, strain_us;
};
/* The leader is told. */
void membership_suspect(struct monitor *m, uint32_t core, struct suspicion why);

/* A core is up. If there is a view already, the leader makes one with it. */
void membership_up(struct monitor *m, uint32_t core);

/* Does what is due. Returns when something is due next (0: nothing). */
uint64_t membership_step(struct monitor *m, uint64_t now);
