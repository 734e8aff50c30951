/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Links: a connection with every other member of the span, whose channel carries the messages of messages.def.
 *
 * Handlers run inside sections, on whatever stack looked: they use little of it (some hundred bytes), touch private memory only, and do not
 * wait. What must wait goes to a service thread (span.h). A member that runs threads is announced on its links all the time, so a message
 * rings its doorbell and an upcall handles it; one that idles looks first, and announces itself before it sleeps (libos/ipc/wait.h).
 *
 * Sending never waits either: what the ring has no room for stands in a list of the link's until there is. Messages to one member arrive in
 * the order in which they were sent, and exactly once; when a member leaves, what was on its way to it or from it may be lost, and who has
 * asked to know (link_on_change) is told. */

#include "libos/ipc/connection.h"
#include "libos/span/messages.h"
#include "monitor/abi/start.h"

struct link {
	struct ipc_connection *connection; /* NULL: no such member, as far as this one knows */
	uint32_t domain, core;             /* the member's */
	struct link_line *first, *last;    /* what waits for room */
};

/* One for each number a member may have; that of the own one stays empty. */
extern struct link links[SPAN_MAX];
/* link_mask (libos/ipc/connection.h) has a bit for each member that there is a link with. */
_Static_assert(SPAN_MAX <= 64, "a bit each");

/* Begins to hear of other members; the monitor's events tell of those that come and go. */
void links_start(void);

/* Sends to another member. PEER_GONE: there is no link (any more). NO_MEMORY: the ring is full, and so is the store. */
MUST_USE err_t link_send(unsigned member, enum link_type type, const void *message);
#define LINK_SEND(member, type, ...) link_send(member, LINK_##type, &(struct link_##type){__VA_ARGS__})

/* Sends a question and waits for its answer. `question` begins with the token, which is filled in. PEER_GONE: the member is not there, or
 * went before it answered. Threads only, inside or outside of a section. */
MUST_USE err_t link_ask(unsigned member, enum link_type type, void *question, union link_message *answer);

/* Messages that arrive, each in the file of its section of messages.def. They have been checked against the table. */
#define ANSWER(name, number, fields)
#define MESSAGE(name, number, fields) void link_handle_##name(unsigned from, const struct link_##name *m);
#include "libos/span/messages.def"
#undef MESSAGE
#undef ANSWER

/* Who has to do something when a member has come or gone: called inside a section, after the link was opened or before it is forgotten. */
void link_on_change(void (*joined)(unsigned member), void (*left)(unsigned member));
