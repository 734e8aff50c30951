/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A domain on one core moves to another one, with all that it has, while its peers go on.
 *
 * Everything that a domain has is in its capability space, and each capability says what it is: which object, which rights, where it is
 * mapped. So the old core's monitor reads that space slot by slot (depart.c) and the new core's makes the same one (arrive.c): blocks of
 * the same size on its own node, the same objects at the same places in them, the same capabilities in the same slots, mapped in the same
 * entries of the same tables, and what was in the frames. Threads, heaps and the library OS's own records are contents of frames. What
 * belongs to a core is the new one's: dispatcher, tables, endpoint of the monitor. The domain takes part (libos/domain/leave.c): it says
 * when nothing of it is under way, and afterwards looks where its memory lies now.
 *
 *   asker        old core's monitor A          peers' monitors C           new core's monitor B
 *     move ───────▶ event leave
 *                   hold, for each connection ──▶
 *                   ◀──────────────────────  held
 *     the domain: request leave; from now on it waits
 *                   arrive, its blocks, connections, capabilities, end ──────▶ copies and makes everything
 *                   ◀──────────────────────────────────────────────── arrived
 *                   waiter ..., commit ──────────────────────────────────────▶ starts it
 *                   lives, to all                                            lives, to all
 *     ◀─────── moved                            ◀────────────── reconnect, for each connection
 *                                               event switched, request switched
 *                   ◀───────────────────── left  settled ───────────────────▶
 *
 * The commit is the point of no return. Before it the domain is whole at A, which answers the request `leave` if B can't or has died, and B
 * drops what it has made. After it the domain is B's, under its old number; what is left at A gets a number of its own and ends as a domain
 * does. If A dies the domain goes on at B from the commit on; before, it died with A. A kill that comes in between is carried out behind
 * the commit.
 *
 * Connections (rebind.h) keep their memory and what is in it. No end can move while the other one does: that is what `hold` is for, and who
 * is refused tries again. A peer that is slow to say `switched` keeps the domain from moving again, and a ring of A's from being free.
 *
 * Refused (STAYS) are domains on several cores, and those with something that belongs to this core or to others: devices, memory given to
 * others or received from them, an endpoint that somebody calls himself. */

#include "monitor/monitor.h"

/* A domain's request; the answer is the event `done`. */
MUST_USE err_t move_ask(struct monitor *m, struct domain *d, uint32_t tag, uint32_t domain, uint32_t core, bool any);
/* The question went to the wrong core: once more, to the ticket's. */
void move_ask_again(struct monitor *m, const struct ticket *t);

/* ---- depart.c ---- */

/* The domain says that it can go, and has read all events before that one. *later: it is answered when it stays. */
MUST_USE err_t depart_now(struct monitor *m, struct domain *d, uint64_t next_event, uint64_t token, bool *later);
/* A connection of the domain's was held, or can't be. */
void depart_held(struct monitor *m, struct domain *d, err_t e);
/* One slice. Returns whether there is more to do at once. */
bool depart_step(struct monitor *m, struct domain *d);
/* Those that do not answer stay. When to look again; 0: never. */
uint64_t departures_check(struct monitor *m, uint64_t now);
/* It ends before it has left. */
void depart_forget(struct monitor *m, struct domain *d);
void departures_lose_core(struct monitor *m, uint32_t core);

/* ---- arrive.c ---- */

bool arrive_step(struct monitor *m, struct domain *d);
void arrivals_lose_core(struct monitor *m, uint32_t core);

/* How a capability is carried (message arrive_cap). */
enum carried {
	CARRIED_OWN,       /* an object in the domain's own blocks */
	CARRIED_MONITOR,   /* the endpoint of the core's monitor */
	CARRIED_MACHINE,   /* the machine model */
	CARRIED_RING,      /* `base`: the connection's number; its ring, */
	CARRIED_PEER_RING, /* its peer's, */
	CARRIED_DOORBELL,  /* its peer's doorbell */
	CARRIED_TRACE,     /* the trace ring: of the new core, and empty */
	CARRIED_KINDS
};
