/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the supervisor is to keep alive: a text file of the boot archive, one service a line, `#` begins a comment. Pure.
 *
 *   store  restart=5/10s  memory=8M quota=32M  : kv serve store
 *   front  needs=store    core=1               : kv front "two words"
 *   log    after=store    restart=never        : logger
 *
 * The service's name comes first, then settings, then `:` and the program with its arguments; a word may be quoted. A service counts as up
 * when its name is offered at the name service; what it needs must have lines above, so the order of the file is an order to start in.
 *
 *   restart=N/TIME    started again, unless that would be more than N times within TIME (ms, s or m); the usual is 3/60s
 *   restart=never     once
 *   after=NAME,...    started when those are up. If one of them dies this one goes on: its calls fail until its stubs have found the new
 * one needs=NAME,...    the same, but if one of them dies this one is ended too, and started again when they are up core=N  cores=N,N...
 * node=N     where (domain_spawn_with) memory=BYTES  quota=BYTES        with K or M behind the number quiet             offers nothing: it
 * is up as soon as it has been started */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_SERVICES  32
#define PLAN_ARGUMENTS 16
#define PLAN_NAME      24
#define PLAN_BYTES     8192 /* of the file */

enum plan_place { PLAN_ANYWHERE, PLAN_CORE, PLAN_CORES, PLAN_NODE };

struct plan_service {
	char name[PLAN_NAME];
	const char *argument[PLAN_ARGUMENTS + 1]; /* the program first, NULL last */
	uint32_t after, needs;                    /* bit n: service n of the plan; `after` has those of `needs` as well */
	unsigned restarts;
	uint64_t within_ms;
	enum plan_place place;
	uint32_t core, node;
	uint64_t cores[4];
	uint64_t memory, quota;
	bool quiet;
};

struct plan {
	unsigned services;
	struct plan_service service[PLAN_SERVICES];
	char text[PLAN_BYTES + 1]; /* what the arguments point into */
};

/* NULL, or what is wrong as a sentence, with its line. */
const char *plan_read(const char *text, size_t bytes, struct plan *out, unsigned *line);
