/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What happens in a walk, event by event, so that it can be done again, also with some of it left out (shrink.c). */

#include "tests/explore/schedule.h"
#include "tests/explore/seen.h"

enum event_kind {
	EVENT_CHOICE,  /* something that was bound to happen some time: a message arrives, ... */
	EVENT_REQUEST, /* a user decides on an operation, as task `number` */
	EVENT_GRANT,   /* a monitor gives a user a part of its memory: request.type, page, pages, to_slot */
	EVENT_RETURN,  /* or what came back to it, in its slot `number`, in request.to_slot */
	EVENT_FORGET,  /* at rest: tasks whose core has died are forgotten */
};

struct event {
	uint8_t kind, number;
	struct choice choice;
	struct request request;
};

/* Deaths and what users and monitors decide, other than what just follows from it. */
bool event_is_input(const struct event *e);

/* Makes it happen, without checking the state that it leads to. False: it is not possible now. */
bool event_apply(const struct event *e);

struct script {
	struct heap events;
};

static inline size_t script_length(const struct script *s)
{
	return s->events.used / sizeof(struct event);
}
static inline struct event *script_event(const struct script *s, size_t k)
{
	return &((struct event *)s->events.at)[k];
}
static inline void script_add(struct script *s, const struct event *e)
{
	heap_add(&s->events, e, sizeof *e);
}
