/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The only program of a Linux guest: its first process. The kernel's command line ends in what it is to do:
 *
 *   ... LENS=elapsed|instructions ROUNDS=400 POLLED=2 PARTS=single,switch,pairs,unmap,barrier
 *
 * So many rounds of each thing, with at most POLLED threads that poll at the same time; bench/peers/linux/peers.h explains the parts. It
 * starts the other cores, says which kernel it runs on, prints its facts, says with which status it ends, and powers the machine off. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "bench/peers/linux/party.h"
#include "bench/peers/linux/peers.h"

static const struct part {
	const char *name;
	bool (*measure)(const struct plan *p);
} parts[] = {
    {"single", single_measure}, {"switch", switch_measure},   {"pairs", pairs_measure},
    {"unmap", unmap_measure},   {"barrier", barrier_measure},
};

bool failed(const char *id, const char *why)
{
	printf("%s: %s\n", id, why);
	return false;
}

bool failed_call(const char *id, const char *call)
{
	printf("%s: %s: %s\n", id, call, strerror(errno));
	return false;
}

static void introduce(const struct plan *p)
{
	struct utsname name;

	if (uname(&name) == 0)
		printf("@peer {\"system\":\"linux\",\"release\":\"%s\",\"cores\":%u}\n", name.release, p->cores);
}

static bool measure(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(parts[i].name, name) == 0)
			return parts[i].measure(p);
	return failed(name, "there is no such part");
}

static unsigned number(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static bool measure_all(void)
{
	struct lens lens;
	const char *why = lens_open(&lens);
	struct plan plan = {.lens = &lens, .rounds = number("ROUNDS"), .polled = number("POLLED")};
	char *rest, *wanted = getenv("PARTS");
	bool ok;

	if (why == NULL && (plan.rounds < ROUNDS_LEAST || plan.rounds > SAMPLES_MAX || wanted == NULL))
		why = "the command line does not say how much of what is to be measured";
	if (why != NULL)
		return failed("peers", why);
	if (!cores_start(&plan.cores) || !stay_on(0))
		return failed("peers", "there are no cores");
	introduce(&plan);
	ok = true;
	for (char *part = strtok_r(wanted, ",", &rest); part != NULL && ok; part = strtok_r(NULL, ",", &rest))
		ok = measure(&plan, part);
	return ok;
}

int main(void)
{
	bool ok = measure_all();

	printf("@event {\"event\":\"poweroff\",\"status\":%d}\n", ok ? 0 : 1);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	return EXIT_FAILURE; /* the first process must not end: the kernel stops the machine, and says why */
}
