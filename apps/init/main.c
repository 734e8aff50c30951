/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The first program: runs what the command line names, one program after the other, then powers the machine off.
 *
 * The command line (its words are this program's arguments, joined again) is settings `key=value`, then `app=` and the rest:
 *
 *   lens=elapsed app=hello one two ; ipcbench --quick
 *
 * Programs are separated by a word `;`. A setting reaches each program as an environment variable of its name in capitals. Without `app=`,
 * DEFAULT_APP runs. The machine's exit status is that of the first program that failed, else 0. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "apps/init/plan.h"

#define DEFAULT_APP "ipcbench"

static const char *cause_name(enum end_cause cause)
{
	static const char *const names[] = {
		[END_EXIT] = "exited", [END_KILLED] = "was killed", [END_FAULT] = "was stopped by a fault", [END_CORE] = "died with its core"};

	return cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "ended for an unknown cause";
}

/* Runs one program to its end. Returns its status, or 1 if it did not get as far as one. */
static int64_t run(const struct init_program *program, const char *const environment[])
{
	uint32_t domain;
	int64_t status = 0;
	enum end_cause cause = END_EXIT;
	err_t e = domain_spawn(program->argument, environment, CORE_HERE, 0, &domain);

	if (is_err(e)) {
		printf("init: %s can't be started: %s\n", program->argument[0], err_sentence(e));
		return EXIT_FAILURE;
	}
	e = domain_wait(domain, &status, &cause);
	if (is_err(e)) {
		printf("init: lost sight of %s: %s\n", program->argument[0], err_sentence(e));
		return EXIT_FAILURE;
	}
	if (cause != END_EXIT || status != 0)
		printf("init: %s %s, status %lld\n", program->argument[0], cause_name(cause), (long long)status);
	return cause != END_EXIT && status == 0 ? EXIT_FAILURE : status;
}

static int64_t run_all(const char *line)
{
	static struct init_plan plan;
	const char *why = init_plan_parse(line, DEFAULT_APP, &plan);
	int64_t first_failure = 0;

	if (why != NULL) {
		printf("init: %s: %s\n", why, line);
		return EXIT_FAILURE;
	}
	for (unsigned i = 0; i < plan.programs; i++) {
		int64_t status = run(&plan.program[i], plan.environment);

		if (first_failure == 0)
			first_failure = status;
	}
	return first_failure;
}

int main(int argc, char **argv)
{
	static char line[INIT_LINE_BYTES];
	size_t used = 0;
	int64_t status;
	err_t e;

	for (int i = 1; i < argc; i++)
		used += (size_t)snprintf(line + used, used < sizeof(line) ? sizeof(line) - used : 0, "%s%s", i > 1 ? " " : "", argv[i]);
	if (used >= sizeof(line)) {
		printf("init: the command line has %zu characters, %u are the most\n", used, INIT_LINE_BYTES - 1);
		status = EXIT_FAILURE;
	} else {
		status = run_all(line);
	}
	fflush(stdout);
	e = system_power_off(status);
	printf("init: the machine can't be powered off: %s\n", err_sentence(e));
	return EXIT_FAILURE;
}
