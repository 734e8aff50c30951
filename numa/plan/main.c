/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The planner, for boot/launch/plan.py.
 *
 *   planner plan [host=FILE] [cores=N] [nodes=N] [memory=MIB] [sockets=N] [dies=N] [threads=N]     a plan, as JSON (json.h)
 *   planner bind THREAD=PROCESSOR[,PROCESSOR...] ...                                               threads to processors
 *   planner validate FILE                                                                          whether hwloc believes an XML file
 *
 * Exit status: 0, or 2 if it refuses, with one sentence on the error output. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numa/plan/bind.h"
#include "numa/plan/json.h"
#include "numa/plan/validate.h"

enum { EXIT_REFUSED = 2, NUMBER_DIGITS = 9 };

static int refuse(const char *sentence)
{
	fprintf(stderr, "%s\n", sentence);
	return EXIT_REFUSED;
}

static bool parse_number(const char *text, uint64_t *value)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > NUMBER_DIGITS || text[digits] != 0)
		return false;
	*value = strtoull(text, NULL, 10);
	return true;
}

static bool parse_word(const char *word, struct wish *wish, const char **host)
{
	const struct {
		const char *name;
		unsigned *value;
	} numbers[] = {{"cores=", &wish->cpus},
	               {"nodes=", &wish->nodes},
	               {"sockets=", &wish->sockets},
	               {"dies=", &wish->dies},
	               {"threads=", &wish->threads}};
	uint64_t value;

	if (strncmp(word, "host=", strlen("host=")) == 0) {
		*host = word + strlen("host=");
		return true;
	}
	if (strncmp(word, "memory=", strlen("memory=")) == 0)
		return parse_number(word + strlen("memory="), &wish->memory_mib);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strncmp(word, numbers[i].name, strlen(numbers[i].name)) != 0)
			continue;
		if (!parse_number(word + strlen(numbers[i].name), &value))
			return false;
		*numbers[i].value = (unsigned)value;
		return true;
	}
	return false;
}

static int plan(char *const *words, int count)
{
	static struct host host;
	static struct plan made;
	struct wish wish = {0};
	const char *from = NULL;
	char refusal[PLAN_SENTENCE_BYTES];

	for (int i = 0; i < count; i++) {
		if (!parse_word(words[i], &wish, &from)) {
			snprintf(refusal, sizeof(refusal), "%s isn't a wish for a plan.", words[i]);
			return refuse(refusal);
		}
	}
	if (!host_read(&host, from, refusal, sizeof(refusal)))
		return refuse(refusal);
	if (!plan_make(&host, &wish, &made))
		return refuse(made.refusal);
	plan_print(stdout, &host, &made);
	return EXIT_SUCCESS;
}

static int check(const char *path)
{
	char summary[PLAN_SENTENCE_BYTES];

	if (!validate(path, summary, sizeof(summary)))
		return refuse(summary);
	printf("%s\n", summary);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	char refusal[PLAN_SENTENCE_BYTES];

	if (argc >= 2 && strcmp(argv[1], "plan") == 0)
		return plan(argv + 2, argc - 2);
	if (argc >= 2 && strcmp(argv[1], "bind") == 0)
		return bind_threads(argv + 2, argc - 2, refusal, sizeof(refusal)) ? EXIT_SUCCESS : refuse(refusal);
	if (argc == 3 && strcmp(argv[1], "validate") == 0)
		return check(argv[2]);
	return refuse("usage: planner plan|bind|validate ...");
}
