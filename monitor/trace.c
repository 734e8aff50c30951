/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/trace.h"

#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>

#include "cpudriver/abi/trace.h"
#include "libos/trace/trace.h"
#include "monitor/mesh.h"
#include "monitor/report.h"

/* The writers in the directory: the CPU driver, the monitor, then domains. */
enum { WRITER_DRIVER, WRITER_MONITOR, WRITER_DOMAINS };

struct tracing {
	cap_t area; /* Frame: from the directory on */
	struct trace_directory *directory;
	bool told;
	cap_t ring[TRACE_WRITERS];     /* domains' */
	uint64_t ended[TRACE_WRITERS]; /* when its domain did; 0: it never had one */
};

/* ---- The start ---- */

static uint8_t *seen(const struct tracing *t, const struct trace_writer *w)
{
	return (uint8_t *)t->directory + (w->offset - TRACE_DIRECTORY_AT);
}

static void describe(struct trace_writer *w, const char *name, uint64_t offset, uint64_t events, enum trace_writer_state state)
{
	*w = (struct trace_writer){.offset = offset, .bytes = trace_ring_bytes(events), .begun = platform_now(), .state = state};
	copy_name(w->name, sizeof(w->name), name);
}

static void fill_directory(const struct monitor *m, struct trace_directory *d)
{
	uint64_t at = TRACE_DIRECTORY_AT + PAGE_BYTES;

	*d = (struct trace_directory){
	    .version = TRACE_VERSION, .core = m->core, .tsc_hz = m->boot->tsc_hz, .start_tsc = m->start_tsc, .writers = TRACE_WRITERS};
	describe(&d->writer[WRITER_DRIVER], "CPU driver", 0, TRACE_DRIVER_EVENTS, TRACE_IN_USE);
	describe(&d->writer[WRITER_MONITOR], "monitor", at, TRACE_MONITOR_EVENTS, TRACE_IN_USE);
	at += trace_ring_bytes(TRACE_MONITOR_EVENTS);
	for (unsigned i = WRITER_DOMAINS; i < TRACE_WRITERS; i++, at += trace_ring_bytes(TRACE_DOMAIN_EVENTS))
		describe(&d->writer[i], "", at, TRACE_DOMAIN_EVENTS, TRACE_FREE);
	d->magic = TRACE_MAGIC;
}

/* The Frame that all rings of domains are cut out of. The first ones are made now, so that they are no leak later. */
static err_t make_rings(struct tracing *t)
{
	const struct trace_directory *d = t->directory;
	err_t e = OK;

	for (unsigned i = WRITER_DOMAINS; is_ok(e) && i < TRACE_WRITERS; i++) {
		e = cap_slot_alloc(&t->ring[i]);
		if (is_ok(e))
			e = cap_retype(t->area, CAP_Frame, d->writer[i].offset - TRACE_DIRECTORY_AT, d->writer[i].bytes, 1, t->ring[i]);
	}
	return e;
}

static void begin_own_ring(const struct tracing *t)
{
	struct trace_writer *w = &t->directory->writer[WRITER_MONITOR];
	struct trace_ring *ring = (struct trace_ring *)seen(t, w);
	struct cap_identity id;

	if (is_ok(cap_identify(CAP_SELF_DISPATCHER, &id)))
		w->dispatcher = id.base;
	trace_ring_begin(ring, w->bytes);
	trace_use(ring);
}

err_t tracing_begin(struct monitor *m)
{
	const struct core_boot *boot = m->boot;
	const uint64_t bytes = boot->trace_bytes - TRACE_DIRECTORY_AT;
	struct tracing *t;
	void *at;
	err_t e;

	if (boot->trace_bytes == 0)
		return OK;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR(NO_MEMORY);
	e = cap_slot_alloc(&t->area);
	if (is_ok(e))
		e = platform_install(t->area, &(struct platform_remote){CAP_Frame, RIGHT_READ | RIGHT_WRITE | RIGHT_CONTROL, m->core,
		                                                        boot->trace_base + TRACE_DIRECTORY_AT, bytes, 0});
	if (is_ok(e))
		e = frame_map(t->area, 0, bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);
	if (is_err(e))
		return e;
	t->directory = at;
	fill_directory(m, t->directory);
	e = make_rings(t);
	if (is_err(e))
		return e;
	begin_own_ring(t);
	m->tracing = t;
	return OK;
}

void tracing_tell(struct monitor *m)
{
	struct tracing *t = m->tracing;

	if (t == NULL || t->told || (m->core != 0 && (m->peer == NULL || !mesh_alive(m, 0))))
		return;
	t->told = true;
	report_line(m, "@trace {\"core\":%u,\"base\":%lu,\"bytes\":%lu,\"directory\":%lu}", m->core, (unsigned long)m->boot->trace_base,
	            (unsigned long)m->boot->trace_bytes, (unsigned long)TRACE_DIRECTORY_AT);
}

/* ---- Domains ---- */

static struct trace_writer *writer_of(const struct monitor *m, const struct domain *d)
{
	return d->trace == 0 ? NULL : &m->tracing->directory->writer[d->trace];
}

/* One that nobody had yet, else the one that has been free for the longest time. */
static unsigned find_free(const struct tracing *t)
{
	unsigned best = 0;

	for (unsigned i = WRITER_DOMAINS; i < TRACE_WRITERS; i++) {
		const uint32_t state = t->directory->writer[i].state;

		if ((state == TRACE_FREE || state == TRACE_ENDED) && (best == 0 || t->ended[i] < t->ended[best]))
			best = i;
	}
	return best;
}

void tracing_domain(const struct domain *d)
{
	uint64_t name[2];

	if (!trace_is_on())
		return;
	memcpy(name, d->name, sizeof(name));
	trace_write(trace_word(TRACE_begin_domain, 0, d->number), name[0], name[1]);
}

cap_t tracing_take(struct monitor *m, struct domain *d)
{
	struct tracing *t = m->tracing;
	struct trace_writer *w;

	if (t == NULL || d->trace != 0)
		return t == NULL ? CAP_NULL : t->ring[d->trace];
	d->trace = find_free(t);
	if (d->trace == 0) {
		t->directory->refused++;
		return CAP_NULL;
	}
	w = writer_of(m, d);
	t->directory->reused += w->state == TRACE_ENDED;
	describe(w, d->name, w->offset, TRACE_DOMAIN_EVENTS, TRACE_IN_USE);
	w->domain = d->number;
	w->dispatcher = d->dispatcher_base;
	memset(seen(t, w), 0, w->bytes);
	trace_ring_begin((struct trace_ring *)seen(t, w), w->bytes);
	return t->ring[d->trace];
}

void tracing_describe(const struct monitor *m, const struct domain *d)
{
	struct trace_writer *w = writer_of(m, d);

	if (w == NULL)
		return;
	w->dispatcher = d->dispatcher_base;
	copy_name(w->name, sizeof(w->name), d->name);
}

uint64_t tracing_bytes_of(const struct monitor *m, const struct domain *d)
{
	const struct trace_writer *w = writer_of(m, d);

	return w == NULL ? 0 : w->bytes;
}

bool tracing_is_ring(const struct monitor *m, const struct domain *d, uint64_t base)
{
	const struct trace_writer *w = writer_of(m, d);

	return w != NULL && base == m->boot->trace_base + w->offset;
}

/* Besides the domain's own copies, which are gone. */
static bool is_shared(cap_t ring)
{
	struct platform_relations r;
	struct cap_identity id;

	platform_relate(ring, &r);
	return r.copies || r.contents || is_err(cap_identify(ring, &id)) || (id.flags & CAP_FLAG_REMOTE) != 0;
}

void tracing_give(struct monitor *m, struct domain *d)
{
	struct tracing *t = m->tracing;
	struct trace_writer *w = writer_of(m, d);

	if (w == NULL)
		return;
	t->ended[d->trace] = platform_now();
	w->state = is_shared(t->ring[d->trace]) ? TRACE_RETIRED : TRACE_ENDED;
	d->trace = 0;
}
