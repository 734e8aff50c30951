/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* States the machine as hwloc's XML, with what runs on it: monitors and domains at their cores, memory in use at nodes.
 *
 *   topology                       as it is now
 *   topology PROGRAM [ARGUMENTS]   while that program runs; then waits for its end
 *
 * Nobody but a program knows when it has grown to all the cores that it wants. So it is looked at again and again from its start on, until
 * it has ended or grows no more, and what is stated is the last look among those that found it on the most cores.
 *
 * The XML goes out as facts, @hwloc {"xml":"..."}, which are its text one behind the other; `make topology` puts them together. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

#include "numa/hwloc_xml.h"

#define ANNOTATIONS_MAX 2048
#define TEXT_BYTES      80
#define DOMAINS_EACH    64  /* of one core, in a list */
#define FACT_BYTES      400 /* with what is around it, less than a line of the console */

/* Of a program, in parts of a second. */
#define LOOKS    50 /* a second */
#define SETTLED  1  /* seconds in which it has not grown */
#define PATIENCE 10 /* seconds for which it may grow */

struct look {
	struct machine_annotation annotation[ANNOTATIONS_MAX];
	char text[ANNOTATIONS_MAX][2][TEXT_BYTES];
	unsigned annotations;
	uint64_t used[MACHINE_NODES], served[MACHINE_NODES]; /* memory in bytes */
	unsigned cores;                                      /* that the program is on */
};

/* ---- Annotations ---- */

/* With an empty name it's a box with the text of `format`; what is too much is left out. */
__attribute__((format(printf, 5, 6))) static void annotate(struct look *l, enum machine_place at, unsigned index, const char *name,
                                                           const char *format, ...)
{
	char(*text)[TEXT_BYTES] = l->text[l->annotations];
	va_list arguments;

	if (l->annotations == ANNOTATIONS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text[1], TEXT_BYTES, format, arguments);
	va_end(arguments);
	snprintf(text[0], TEXT_BYTES, "%s", name);
	l->annotation[l->annotations] = (struct machine_annotation){.at = at, .index = index, .name = text[0], .value = text[1]};
	if (*name == 0)
		l->annotation[l->annotations] = (struct machine_annotation){.at = at, .index = index, .name = text[1]};
	l->annotations++;
}

static unsigned long long mib_or_kib(uint64_t bytes)
{
	return bytes >= 16 * MIB ? bytes / MIB : bytes / KIB;
}

static const char *unit(uint64_t bytes)
{
	return bytes >= 16 * MIB ? "MiB" : "KiB";
}

/* ---- What is there ---- */

static void look_at_domains(struct look *l, const char *program, unsigned core)
{
	static struct domain_info list[DOMAINS_EACH];
	bool is_here = false;
	unsigned count;

	if (is_err(domain_list(core, list, DOMAINS_EACH, &count)))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct domain_info *d = &list[i];
		char name[16];

		is_here |= strncmp(d->name, program, sizeof(d->name) - 1) == 0;
		snprintf(name, sizeof(name), "Domain%u", d->domain);
		annotate(l, MACHINE_AT_CORE, core, name, "%.24s, %llu KiB", d->name, (unsigned long long)(d->ram_bytes / KIB));
		annotate(l, MACHINE_AT_CORE, core, "", "%.24s, domain %u, %llu %s", d->name, d->domain, mib_or_kib(d->ram_bytes),
		         unit(d->ram_bytes));
	}
	l->cores += is_here;
}

/* A monitor says what memory it serves, and what of it is free. */
static void look_at_monitor(struct look *l, unsigned core, unsigned node)
{
	static struct agreement_info records[AGREEMENT_PAGE];
	uint64_t total = 1;
	unsigned count;

	for (uint32_t first = 0; first < total; first += count) {
		if (is_err(agreement_list(core, first, records, AGREEMENT_PAGE, &count, &total)) || count == 0)
			return;
		for (unsigned i = 0; i < count; i++) {
			const struct agreement_info *r = &records[i];

			if (r->kind != AGREEMENT_INFO_BALANCE)
				continue;
			l->served[node] += r->size;
			l->used[node] += r->size - r->base;
			annotate(l, MACHINE_AT_CORE, core, "Monitor", "serves %llu KiB, %llu KiB free", (unsigned long long)(r->size / KIB),
			         (unsigned long long)(r->base / KIB));
			annotate(l, MACHINE_AT_CORE, core, "", "monitor, %llu %s free", mib_or_kib(r->base), unit(r->base));
			return;
		}
	}
}

static err_t look_at_cores(struct look *l, const struct machine *machine, const char *program)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	err_t e = core_list(cores, MACHINE_CORES, &count);

	for (unsigned i = 0; is_ok(e) && i < count; i++) {
		unsigned core = cores[i].core;

		annotate(l, MACHINE_AT_CORE, core, "State", "%s", cores[i].alive ? "up" : "out");
		if (!cores[i].alive || cores[i].node >= machine->node_count)
			continue;
		look_at_monitor(l, core, cores[i].node);
		look_at_domains(l, program, core);
	}
	return e;
}

static void look_at_nodes(struct look *l, const struct machine *machine)
{
	for (unsigned n = 0; n < machine->node_count; n++) {
		annotate(l, MACHINE_AT_NODE, n, "MemoryServed", "%llu", (unsigned long long)l->served[n]);
		annotate(l, MACHINE_AT_NODE, n, "MemoryUsed", "%llu", (unsigned long long)l->used[n]);
		annotate(l, MACHINE_AT_NODE, n, "", "%llu %s of %llu %s in use", mib_or_kib(l->used[n]), unit(l->used[n]),
		         mib_or_kib(l->served[n]), unit(l->served[n]));
	}
}

/* ---- Saying it ---- */

static char fact[FACT_BYTES + 8];
static size_t fact_bytes;

static void end_fact(void)
{
	if (fact_bytes == 0)
		return;
	fact[fact_bytes] = 0;
	printf("@hwloc {\"xml\":\"%s\"}\n", fact);
	fact_bytes = 0;
}

/* The XML is printable but for line ends; JSON wants some of it escaped. */
static void put(void *context, const char *string)
{
	(void)context;
	for (; *string != 0; string++) {
		if (fact_bytes >= FACT_BYTES)
			end_fact();
		if (*string == '"' || *string == '\\' || *string == '\n')
			fact[fact_bytes++] = '\\';
		fact[fact_bytes++] = *string == '\n' ? 'n' : *string;
	}
}

static void state(const struct machine *machine, const struct look *l)
{
	machine_write_hwloc_xml(machine, l->annotation, l->annotations, put, NULL);
	end_fact();
	fflush(stdout);
}

/* Of the machine, and of how many cores the program is on. */
static bool look(struct look *l, const struct machine *machine, const char *program)
{
	err_t e;

	memset(l, 0, sizeof(*l));
	annotate(l, MACHINE_AT_ALL, 0, "System", "Atoll");
	e = look_at_cores(l, machine, program);
	look_at_nodes(l, machine);
	if (is_err(e))
		printf("topology: the cores can't be listed: %s\n", err_sentence(e));
	return is_ok(e);
}

/* ---- With a program ---- */

static struct look looks[2];

/* The look that found it on the most cores; NULL: there can't be one. */
static const struct look *look_while_it_grows(const struct machine *machine, const char *program)
{
	const uint64_t second = time_tsc_hz(), end = time_tsc() + PATIENCE * second;
	uint64_t grown = time_tsc();
	struct look *best = &looks[0], *next = &looks[1];

	if (!look(best, machine, program))
		return NULL;
	while (time_tsc() < end && time_tsc() - grown < SETTLED * second) {
		struct look *seen = next;

		thread_sleep_until(time_tsc() + second / LOOKS);
		if (!look(seen, machine, program))
			return NULL;
		if (seen->cores == 0)
			break;
		if (seen->cores > best->cores)
			grown = time_tsc();
		if (seen->cores >= best->cores) {
			next = best;
			best = seen;
		}
	}
	if (best->cores == 0)
		printf("topology: %s had ended before it could be looked at\n", program);
	else if (time_tsc() >= end)
		printf("topology: %s was still growing after %d seconds\n", program, PATIENCE);
	return best;
}

static int state_beside(const struct machine *machine, const char *const argv[])
{
	uint32_t domain;
	int64_t status = 0;
	enum end_cause cause = END_EXIT;
	const struct look *found;
	err_t e = domain_spawn(argv, NULL, CORE_HERE, 0, &domain);

	if (is_err(e)) {
		printf("topology: %s can't be started: %s\n", argv[0], err_sentence(e));
		return EXIT_FAILURE;
	}
	found = look_while_it_grows(machine, argv[0]);
	if (found != NULL)
		state(machine, found);
	e = domain_wait(domain, &status, &cause);
	if (is_err(e) || cause != END_EXIT || status != 0) {
		printf("topology: %s did not end well\n", argv[0]);
		return EXIT_FAILURE;
	}
	return found != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const struct machine *machine = domain_machine();

	if (machine == NULL) {
		printf("topology: the machine has not been discovered\n");
		return EXIT_FAILURE;
	}
	if (argc > 1)
		return state_beside(machine, (const char *const *)&argv[1]);
	if (!look(&looks[0], machine, ""))
		return EXIT_FAILURE;
	state(machine, &looks[0]);
	return EXIT_SUCCESS;
}
