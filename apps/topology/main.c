/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* States the machine as hwloc's XML, with what runs on it: monitors and domains at their cores, memory in use at nodes.
 *
 *   topology                       as it is now
 *   topology PROGRAM [ARGUMENTS]   while that program runs, a tenth of a second after its start; then waits for its end
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

/* ---- Annotations ---- */

static struct machine_annotation annotation[ANNOTATIONS_MAX];
static char text[ANNOTATIONS_MAX][2][TEXT_BYTES];
static unsigned annotations;

/* With an empty name it's a box with the text of `format`; what is too much is left out. */
__attribute__((format(printf, 4, 5))) static void annotate(enum machine_place at, unsigned index, const char *name, const char *format, ...)
{
	va_list arguments;

	if (annotations == ANNOTATIONS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text[annotations][1], TEXT_BYTES, format, arguments);
	va_end(arguments);
	snprintf(text[annotations][0], TEXT_BYTES, "%s", name);
	annotation[annotations] =
	    (struct machine_annotation){.at = at, .index = index, .name = text[annotations][0], .value = text[annotations][1]};
	if (*name == 0)
		annotation[annotations] = (struct machine_annotation){.at = at, .index = index, .name = text[annotations][1]};
	annotations++;
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

static uint64_t used[MACHINE_NODES], served[MACHINE_NODES]; /* memory in bytes */

static void look_at_domains(unsigned core)
{
	static struct domain_info list[DOMAINS_EACH];
	unsigned count;

	if (is_err(domain_list(core, list, DOMAINS_EACH, &count)))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct domain_info *d = &list[i];
		char name[16];

		snprintf(name, sizeof(name), "Domain%u", d->domain);
		annotate(MACHINE_AT_CORE, core, name, "%.24s, %llu KiB", d->name, (unsigned long long)(d->ram_bytes / KIB));
		annotate(MACHINE_AT_CORE, core, "", "%.24s, domain %u, %llu %s", d->name, d->domain, mib_or_kib(d->ram_bytes),
		         unit(d->ram_bytes));
	}
}

/* A monitor says what memory it serves, and what of it is free. */
static void look_at_monitor(unsigned core, unsigned node)
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
			served[node] += r->size;
			used[node] += r->size - r->base;
			annotate(MACHINE_AT_CORE, core, "Monitor", "serves %llu KiB, %llu KiB free", (unsigned long long)(r->size / KIB),
			         (unsigned long long)(r->base / KIB));
			annotate(MACHINE_AT_CORE, core, "", "monitor, %llu %s free", mib_or_kib(r->base), unit(r->base));
			return;
		}
	}
}

static err_t look_at_cores(const struct machine *machine)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	err_t e = core_list(cores, MACHINE_CORES, &count);

	for (unsigned i = 0; is_ok(e) && i < count; i++) {
		unsigned core = cores[i].core;

		annotate(MACHINE_AT_CORE, core, "State", "%s", cores[i].alive ? "up" : "out");
		if (!cores[i].alive || cores[i].node >= machine->node_count)
			continue;
		look_at_monitor(core, cores[i].node);
		look_at_domains(core);
	}
	return e;
}

static void look_at_nodes(const struct machine *machine)
{
	for (unsigned n = 0; n < machine->node_count; n++) {
		annotate(MACHINE_AT_NODE, n, "MemoryServed", "%llu", (unsigned long long)served[n]);
		annotate(MACHINE_AT_NODE, n, "MemoryUsed", "%llu", (unsigned long long)used[n]);
		annotate(MACHINE_AT_NODE, n, "", "%llu %s of %llu %s in use", mib_or_kib(used[n]), unit(used[n]), mib_or_kib(served[n]),
		         unit(served[n]));
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

static int state(void)
{
	const struct machine *machine = domain_machine();
	err_t e;

	if (machine == NULL) {
		printf("topology: the machine has not been discovered\n");
		return EXIT_FAILURE;
	}
	annotate(MACHINE_AT_ALL, 0, "System", "Atoll");
	e = look_at_cores(machine);
	if (is_err(e)) {
		printf("topology: the cores can't be listed: %s\n", err_sentence(e));
		return EXIT_FAILURE;
	}
	look_at_nodes(machine);
	machine_write_hwloc_xml(machine, annotation, annotations, put, NULL);
	end_fact();
	fflush(stdout);
	return EXIT_SUCCESS;
}

/* ---- With a program ---- */

static int state_beside(const char *const argv[])
{
	uint32_t domain;
	int64_t status = 0;
	enum end_cause cause = END_EXIT;
	int stated;
	err_t e = domain_spawn(argv, NULL, CORE_HERE, 0, &domain);

	if (is_err(e)) {
		printf("topology: %s can't be started: %s\n", argv[0], err_sentence(e));
		return EXIT_FAILURE;
	}
	thread_sleep_until(time_tsc() + time_tsc_hz() / 10);
	stated = state();
	e = domain_wait(domain, &status, &cause);
	if (is_err(e) || cause != END_EXIT || status != 0) {
		printf("topology: %s did not end well\n", argv[0]);
		return EXIT_FAILURE;
	}
	return stated;
}

int main(int argc, char **argv)
{
	return argc > 1 ? state_beside((const char *const *)&argv[1]) : state();
}
