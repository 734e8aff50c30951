/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Evens out what the cores have to do, by moving domains (monitor/move.h): `balancer [SECONDS [PERIOD_MS]]`, for ever or for so long. What
 * it goes by is in policy.h; here it looks, asks, and says why. A domain that can't be moved, or was started to stay (spawn pinned=1), is
 * not asked again. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

#include "apps/balancer/policy.h"

#define DOMAINS_EACH 64 /* of one core, in a list */
#define DOMAINS_MAX  1024
#define PERIOD_MS    500
#define REST_PERIODS 10 /* of a domain that has moved */

/* What is known of a domain from one period to the next. */
struct known {
	struct domain_info info;
	uint64_t before; /* cycles that it had run on that core */
	unsigned rest;   /* so many periods it is left alone; ~0: for ever */
	bool seen, ran_before;
};

static struct known known[DOMAINS_MAX];
static unsigned known_count;
static struct core_info cores[MACHINE_CORES];
static struct load_core core[MACHINE_CORES];
static struct load_domain domain[DOMAINS_MAX];
static uint32_t distances[MACHINE_NODES * MACHINE_NODES];

/* ---- Looking ---- */

static void note(const struct domain_info *info)
{
	unsigned i = 0;

	while (i < known_count && (known[i].info.domain != info->domain || known[i].info.core != info->core))
		i++;
	if (i == DOMAINS_MAX)
		return;
	if (i == known_count) {
		known_count++;
		known[i] = (struct known){.info = *info, .before = info->tsc_run};
	} else {
		known[i].ran_before = true;
		known[i].before = known[i].info.tsc_run;
		known[i].info = *info;
	}
	known[i].seen = true;
}

static void look(unsigned count)
{
	static struct domain_info list[DOMAINS_EACH];
	unsigned kept = 0;

	for (unsigned i = 0; i < known_count; i++)
		known[i].seen = false;
	for (unsigned c = 0; c < count; c++) {
		unsigned domains;

		if (!cores[c].alive || is_err(domain_list(c, list, DOMAINS_EACH, &domains)))
			continue;
		for (unsigned i = 0; i < domains; i++)
			note(&list[i]);
	}
	for (unsigned i = 0; i < known_count; i++)
		if (known[i].seen)
			known[kept++] = known[i];
	known_count = kept;
}

static uint32_t thousandths(uint64_t cycles, uint64_t of)
{
	return cycles >= of ? LOAD_WHOLE : (uint32_t)(cycles * LOAD_WHOLE / of);
}

/* The load of the period that has passed. Its entries are in the order of `known`. */
static struct load load_of(unsigned count, uint64_t cycles)
{
	const struct machine *machine = domain_machine();
	struct load l = {.cores = count, .core = core, .domains = known_count, .domain = domain};

	for (unsigned c = 0; c < count; c++)
		core[c] = (struct load_core){.alive = cores[c].alive, .node = cores[c].node};
	for (unsigned i = 0; i < known_count; i++) {
		struct known *k = &known[i];

		domain[i] = (struct load_domain){
		    .domain = k->info.domain,
		    .core = k->info.core,
		    .ran = thousandths(k->info.tsc_run - k->before, cycles),
		    .memory = k->info.ram_bytes,
		    .stays = k->rest != 0 || !k->ran_before || k->info.domain == domain_self()->domain,
		};
		if (k->rest != 0 && k->rest != UINT32_MAX)
			k->rest--;
	}
	if (machine == NULL || machine->node_count > MACHINE_NODES)
		return l;
	l.nodes = machine->node_count;
	l.distance = distances;
	for (unsigned a = 0; a < l.nodes; a++)
		for (unsigned b = 0; b < l.nodes; b++)
			distances[a * l.nodes + b] = machine_distance(machine, a, b);
	return l;
}

/* ---- Moving, and saying why ---- */

static void say(const struct known *k, const struct load *l, const struct load_move *m, err_t e)
{
	const struct load_domain *d = &l->domain[m->domain];

	printf("@event {\"event\":\"balance\",\"domain\":%u,\"from\":%u,\"to\":%u,\"demand\":%u,\"demand_from\":%u,\"demand_to\":%u,"
	       "\"after\":%u,\"ok\":%s}\n",
	       d->domain, m->from, m->to, d->demand, l->core[m->from].demand, l->core[m->to].demand, m->after, is_ok(e) ? "true" : "false");
	printf(
	    "%.24s (%u) %s core %u, where domains want %u thousandths of it, for core %u, where they want %u: it wants %u, and the busier "
	    "of the two then has %u%s%s\n",
	    k->info.name, d->domain, is_ok(e) ? "has left" : "should leave", m->from, l->core[m->from].demand, m->to, l->core[m->to].demand,
	    d->demand, m->after, is_ok(e) ? "" : "; but: ", is_ok(e) ? "" : err_sentence(e));
	fflush(stdout);
}

/* It is known by its core, too. */
static void move(struct load *l, const struct load_move *m)
{
	struct known *k = &known[m->domain];
	err_t e = domain_move(k->info.domain, m->to);

	say(k, l, m, e);
	k->rest = is_ok(e) || err_is(e, ERR_NUMBER_AGAIN) || err_is(e, ERR_NUMBER_NO_MEMORY) ? REST_PERIODS : UINT32_MAX;
	if (is_err(e))
		return;
	k->info.core = m->to;
	k->info.tsc_run = 0; /* counted by another dispatcher */
}

static bool read_number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == 0)
		return true;
	printf("balancer: %s is not a number\n", text);
	return false;
}

int main(int argc, char **argv)
{
	uint64_t seconds = 0, period = PERIOD_MS, begun = time_tsc(), last = begun;
	struct load_move m;

	if ((argc > 1 && !read_number(argv[1], &seconds)) || (argc > 2 && !read_number(argv[2], &period)) || argc > 3 || period == 0) {
		printf("balancer [SECONDS [PERIOD_MS]]\n");
		return EXIT_FAILURE;
	}
	while (seconds == 0 || time_tsc() - begun < seconds * time_tsc_hz()) {
		unsigned count;
		struct load l;
		uint64_t now;

		thread_sleep_until(last + period * (time_tsc_hz() / 1000));
		if (is_err(core_list(cores, MACHINE_CORES, &count)))
			return EXIT_FAILURE;
		now = time_tsc();
		look(count);
		l = load_of(count, now - last);
		last = now;
		if (balance_choose(&l, &m))
			move(&l, &m);
	}
	return EXIT_SUCCESS;
}
