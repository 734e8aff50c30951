/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/top/table.h"

#include <stdarg.h>
#include <stdio.h>

#include <atoll/capability.h>

struct writer {
	char *text;
	size_t bytes, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct writer *w, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(w->text + w->used, w->bytes - w->used, format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < w->bytes - w->used)
		w->used += (size_t)length;
	else
		w->text[w->used] = 0; /* a line is whole, or not there */
}

/* ---- Between two looks ---- */

/* In one second, and of one core or several together. */
struct rates {
	unsigned cores;
	double load; /* cores' worth */
	double messages, calls, wake_ups, faults;
	uint64_t memory, free_memory;
};

/* Since the first look, or, if the number is smaller now, since its beginning. */
static double grown(uint64_t before, uint64_t now)
{
	return (double)(now >= before ? now - before : now);
}

static struct rates rates_of(const struct core_activity *before, const struct core_activity *now, uint64_t tsc_hz)
{
	const double cycles = grown(before->time, now->time), per_second = cycles > 0 ? (double)tsc_hz / cycles : 0;
	double load = cycles > 0 ? grown(before->busy, now->busy) / cycles : 0;

	return (struct rates){
	    .cores = 1,
	    .load = load > 1 ? 1 : load, /* the two clocks are not read at quite the same time */
	    .messages = grown(before->sent, now->sent) * per_second,
	    .calls = grown(before->calls, now->calls) * per_second,
	    .wake_ups = grown(before->wake_ups, now->wake_ups) * per_second,
	    .faults = grown(before->faults, now->faults) * per_second,
	    .memory = now->memory,
	    .free_memory = now->free_memory,
	};
}

static void take(struct rates *sum, const struct rates *one)
{
	sum->cores += one->cores;
	sum->load += one->load;
	sum->messages += one->messages;
	sum->calls += one->calls;
	sum->wake_ups += one->wake_ups;
	sum->faults += one->faults;
	sum->memory += one->memory;
	sum->free_memory += one->free_memory;
}

/* ---- Rows ---- */

static void add_head(struct writer *w)
{
	add(w, "%-8s %4s %6s %11s %9s %11s %9s %12s %9s\n", "", "node", "load", "messages/s", "calls/s", "wake-ups/s", "faults/s",
	    "memory MiB", "free MiB");
}

static void add_rates(struct writer *w, const char *name, const char *node, const struct rates *r)
{
	add(w, "%-8s %4s %5.1f%% %11.0f %9.0f %11.0f %9.0f %12.1f %9.1f\n", name, node, r->cores > 0 ? 100 * r->load / r->cores : 0,
	    r->messages, r->calls, r->wake_ups, r->faults, (double)r->memory / MIB, (double)r->free_memory / MIB);
}

static unsigned add_cores(struct writer *w, const struct look *before, const struct look *now, uint64_t tsc_hz, struct rates *nodes)
{
	static const struct core_activity none;
	unsigned count = 0;

	for (unsigned core = 0; core < MACHINE_CORES; core++) {
		const struct look_core *c = &now->core[core];
		char name[16], node[16];
		struct rates r;

		if (!c->seen)
			continue;
		r = rates_of(before->core[core].seen ? &before->core[core].load : &none, &c->load, tsc_hz);
		snprintf(name, sizeof(name), "core %u", core);
		snprintf(node, sizeof(node), "%u", c->node);
		add_rates(w, name, node, &r);
		if (c->node < MACHINE_NODES)
			take(&nodes[c->node], &r);
		count++;
	}
	return count;
}

static void add_sums(struct writer *w, const struct rates *nodes)
{
	struct rates all = {0};
	unsigned used = 0;

	for (unsigned node = 0; node < MACHINE_NODES; node++)
		used += nodes[node].cores > 0;
	for (unsigned node = 0; node < MACHINE_NODES; node++) {
		char name[16];

		if (nodes[node].cores == 0)
			continue;
		take(&all, &nodes[node]);
		snprintf(name, sizeof(name), "%u", node);
		if (used > 1)
			add_rates(w, "node", name, &nodes[node]);
	}
	add_rates(w, "all", "", &all);
}

/* ---- Domains ---- */

static uint64_t ran_before(const struct look *before, const struct domain_info *d)
{
	for (unsigned i = 0; i < before->domains; i++)
		if (before->domain[i].domain == d->domain && before->domain[i].core == d->core)
			return before->domain[i].tsc_run;
	return 0;
}

static void add_domains(struct writer *w, const struct look *before, const struct look *now, unsigned rows)
{
	static double ran[LOOK_DOMAINS]; /* less than 0: has its row */
	const double cycles = grown(before->time, now->time);

	for (unsigned i = 0; i < now->domains; i++)
		ran[i] = grown(ran_before(before, &now->domain[i]), now->domain[i].tsc_run);
	add(w, "%-8s %4s %6s %12s  %s\n", "domain", "core", "load", "memory KiB", "name");
	for (unsigned row = 0; row < rows && row < now->domains; row++) {
		const struct domain_info *d;
		unsigned most = 0;

		for (unsigned i = 1; i < now->domains; i++)
			most = ran[i] > ran[most] ? i : most;
		d = &now->domain[most];
		add(w, "%-8u %4u %5.1f%% %12.0f  %.*s\n", d->domain, d->core, cycles > 0 ? 100 * ran[most] / cycles : 0,
		    (double)d->ram_bytes / KIB, (int)sizeof(d->name), d->name);
		ran[most] = -1;
	}
}

/* Cycles of a core that halts don't count, so this is how fast it works while it works. */
static void add_counters(struct writer *w, const struct look *before, const struct look *now)
{
	const double cycles = grown(before->cycles, now->cycles);

	if (now->counters <= PERFORMANCE_CYCLES)
		add(w, "This machine has no performance counters.\n");
	else
		add(w, "This core: %.2f instructions a cycle.\n", cycles > 0 ? grown(before->instructions, now->instructions) / cycles : 0);
}

void table_print(const struct look *before, const struct look *now, uint64_t tsc_hz, unsigned rows, char *text, size_t bytes)
{
	struct writer w = {.text = text, .bytes = bytes};
	struct rates nodes[MACHINE_NODES] = {{0}};

	text[0] = 0;
	add_head(&w);
	add_cores(&w, before, now, tsc_hz, nodes);
	add_sums(&w, nodes);
	add_domains(&w, before, now, rows);
	add_counters(&w, before, now);
}
