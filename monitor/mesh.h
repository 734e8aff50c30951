/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The monitors' channels: any monitor can send to any other.
 *
 * Each core has a mesh area in memory of its own node, one page for each core of the machine, in which that core writes to this one. When a
 * core comes up its starter learns where the core's mesh area, mailbox and doorbell are (message `up`) and passes it on along the tree in
 * which the cores were started, so every monitor hears of every other. Two monitors connect when the first of them has something to say: it
 * maps its page of the other's area, writes there and rings; the other finds the line and connects likewise. So a pair that never talks
 * costs one page and one message. Behind the ring each page has room for a beat (heartbeat.h).
 *
 * Looking costs time with each core, and most have nothing to say most of the time. So only the lively ones are looked at each time, those
 * that were talked with since this monitor last woke or the time before. To all others it is announced that this monitor sleeps, also while
 * it does not: who of them begins to talk rings, as park.c has it, and a ring makes this monitor look at everybody once.
 *
 * Nothing here waits. What a full channel does not take stays in a queue. A core that leaves the view is forgotten: its page, its doorbell
 * and its mailbox are not touched any more, and what it wrote is not read. When it can't write any more its page here is prepared for
 * whoever comes in its place. */

#include "monitor/monitor.h"

/* Takes the mesh area [base, base + a page for each core) into use; `zeroed`: the starter has prepared it. */
MUST_USE err_t mesh_start(struct monitor *m, uint64_t base, uint8_t *area);
/* Prepares one page of such an area before anybody uses it. */
void mesh_prepare_page(void *page);

/* Sends; to this core itself too. A message to a core that is not known or lost is dropped: false. `type` is an enum message_type or
 * an enum agreement_type. */
bool mesh_send(struct monitor *m, uint32_t core, unsigned type, const void *message);
#define MESH_SEND(m, core, type, ...) mesh_send(m, core, MESSAGE_##type, &(struct message_##type){__VA_ARGS__})

/* Takes what has arrived. mesh_park knows whether there is more. */
void mesh_poll(struct monitor *m);
/* Whether something has arrived. */
bool mesh_waiting(struct monitor *m);
/* Whether a message has, to be asked again and again after mesh_waiting has said no. */
bool mesh_glance(const struct monitor *m);
/* Announces that this monitor sleeps. false: something has arrived meanwhile. */
bool mesh_park(struct monitor *m);
/* It has slept. */
void mesh_unpark(struct monitor *m);
/* It was rung. */
void mesh_rung(struct monitor *m);

/* Notes a core that is up and tells the neighbours in the tree, but for `from`. */
void mesh_learn(struct monitor *m, uint32_t from, const struct message_up *up);

/* The same for a core that this monitor has started, which also hears of everyone else. */
void mesh_introduce(struct monitor *m, uint32_t core, const struct message_up *up);

bool mesh_alive(const struct monitor *m, uint32_t core);

/* The core is lost; it can't write any more. */
void mesh_forget(struct monitor *m, uint32_t core);
void mesh_bury(struct monitor *m, uint32_t core);
/* The view has changed: takes what was said in it already. */
void mesh_release(struct monitor *m);

/* Whether this monitor writes to another one there. */
bool mesh_has_page(const struct monitor *m, uint64_t base);

/* Physical addresses of the lines where that core beats for this one, and this one for it. */
uint64_t mesh_beat_here(const struct monitor *m, uint32_t core);
uint64_t mesh_beat_there(const struct monitor *m, uint32_t core);
