/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A domain that comes here from another core, until it runs (move.h): what the parts of arrive.c share. */

#include "monitor/monitor.h"

#define ARRIVAL_BLOCKS     (1 + GRANTS_MAX)
#define ARRIVAL_MAKE_SLICE 64 /* objects, or slots */

enum arrive_state { ARRIVE_HEARING, ARRIVE_COPYING, ARRIVE_MAKING, ARRIVE_FILLING, ARRIVE_READY };

/* An object, at its old place, and this monitor's capability over the new one. */
struct carried_object {
	uint64_t base, size;
	enum cap_type type;
	cap_t cap;
	bool given; /* not made here: the domain's own record has the capability */
};

struct arrival {
	enum arrive_state state;
	uint32_t from;
	uint32_t tag; /* of the request of the domain's own, which is completed here; 0: there is none */
	uint64_t entry;
	struct {
		uint64_t base, bytes; /* where it was */
	} old[ARRIVAL_BLOCKS];
	uint32_t connections, was[CONNECTIONS_MAX], is[CONNECTIONS_MAX];
	unsigned caps, room;
	struct message_arrive_cap *cap;
	unsigned objects;
	struct carried_object *object; /* by address, what contains others before them */
	unsigned at;                   /* progress */
	uint64_t copied;
};

static inline struct block *arrival_block(struct domain *d, unsigned index)
{
	return index == 0 ? &d->block : &d->grant_of[index - 1].block;
}

/* ---- arrive_objects.c ---- */

/* The list of all objects, each once. */
MUST_USE err_t arrival_list_objects(struct arrival *a, const struct domain *d);
/* NULL: it has no such object. */
struct carried_object *arrival_find_object(const struct arrival *a, uint64_t base, uint64_t size, enum cap_type type);
/* One slice of what was in its frames; state MAKING when all is copied. */
MUST_USE err_t arrival_copy_some(struct monitor *m, struct domain *d);
/* Some objects; state FILLING when all are made. */
MUST_USE err_t arrival_make_some(struct domain *d);

/* ---- arrive_slots.c ---- */

/* Some slots of one CNode; state READY when all are filled. */
MUST_USE err_t arrival_fill_some(struct monitor *m, struct domain *d);
/* Its dispatcher, and what this monitor keeps. */
MUST_USE err_t arrival_configure(struct monitor *m, struct domain *d);
