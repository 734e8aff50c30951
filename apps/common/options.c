/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/common/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option *find(const struct option *options, unsigned count, const char *word)
{
	for (unsigned i = 0; i < count; i++)
		if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, options[i].name) == 0)
			return &options[i];
	return NULL;
}

/* A whole number in digits only: strtoull alone would take "-1", " 1" and "1x". */
static bool read_number(const char *text, uint64_t *out)
{
	errno = 0;
	*out = strtoull(text, NULL, 10);
	return *text != '\0' && strspn(text, "0123456789") == strlen(text) && errno == 0;
}

static bool read_value(const struct option *o, const char *text, char why[OPTIONS_WHY_BYTES])
{
	uint64_t value;

	if (text == NULL) {
		snprintf(why, OPTIONS_WHY_BYTES, "--%s needs a number behind it", o->name);
		return false;
	}
	if (!read_number(text, &value) || value < o->least || value > o->most) {
		snprintf(why, OPTIONS_WHY_BYTES, "--%s %.40s: it must be a whole number from %llu to %llu", o->name, text,
		         (unsigned long long)o->least, (unsigned long long)o->most);
		return false;
	}
	*o->value = value;
	return true;
}

bool options_read(const struct option *options, unsigned count, char *const *words, char why[OPTIONS_WHY_BYTES])
{
	for (; *words != NULL; words += 2) {
		const struct option *o = find(options, count, *words);

		if (o == NULL) {
			snprintf(why, OPTIONS_WHY_BYTES, "there is no option %.40s", *words);
			return false;
		}
		if (!read_value(o, words[1], why))
			return false;
	}
	return true;
}

void options_of_main(const struct option *options, unsigned count, char *const *argv)
{
	bool help = argv[1] != NULL && strcmp(argv[1], "--help") == 0;
	char why[OPTIONS_WHY_BYTES];

	if (!help && options_read(options, count, argv + 1, why))
		return;
	if (!help)
		fprintf(stderr, "%s: %s\n", argv[0], why);
	fprintf(stderr, "options of %s:\n", argv[0]);
	for (unsigned i = 0; i < count; i++)
		fprintf(stderr, "  --%-10s %s (%llu to %llu, else %llu)\n", options[i].name, options[i].what,
		        (unsigned long long)options[i].least, (unsigned long long)options[i].most, (unsigned long long)*options[i].value);
	exit(help ? EXIT_SUCCESS : EXIT_FAILURE);
}
