/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/init/plan.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define APP "app="

struct parse {
	struct init_plan *plan;
	unsigned arguments; /* of the program being read */
	unsigned settings;
};

/* The next word of *rest, ended by 0 in place; NULL at the end. A word may be quoted with " as a whole, to hold spaces. */
static char *next_word(char **rest)
{
	char *start = *rest + strspn(*rest, " \t");
	char *end;

	if (*start == 0)
		return NULL;
	if (*start == '"') {
		end = strchr(++start, '"');
		if (end == NULL)
			end = start + strlen(start);
	} else {
		end = start + strcspn(start, " \t");
	}
	*rest = *end == 0 ? end : end + 1;
	*end = 0;
	return start;
}

static const char *take_setting(struct parse *p, char *word)
{
	char *equals = strchr(word, '=');

	if (equals == NULL)
		return "a word before app= that is no setting (key=value)";
	if (equals == word)
		return "a setting without a name";
	if (p->settings == INIT_SETTINGS_MAX)
		return "more than 32 settings";
	for (char *c = word; c < equals; c++)
		*c = (char)(*c == '.' || *c == '-' ? '_' : toupper((unsigned char)*c));
	p->plan->environment[p->settings++] = word;
	return NULL;
}

static const char *take_argument(struct parse *p, char *word)
{
	struct init_plan *plan = p->plan;

	if (strcmp(word, ";") == 0) {
		if (p->arguments == 0)
			return "a ; without a program before it";
		p->arguments = 0;
		return NULL;
	}
	if (p->arguments == 0) {
		if (plan->programs == INIT_PROGRAMS_MAX)
			return "more than 32 programs";
		plan->programs++;
	}
	if (p->arguments == INIT_ARGUMENTS_MAX)
		return "a program with more than 31 arguments";
	plan->program[plan->programs - 1].argument[p->arguments++] = word;
	return NULL;
}

const char *init_plan_parse(const char *line, const char *default_app, struct init_plan *out)
{
	struct parse p = {.plan = out};
	size_t length = strlen(line);
	const char *why = NULL;
	bool in_app = false;
	char *rest, *word;

	memset(out, 0, sizeof(*out));
	if (length >= INIT_LINE_BYTES || strlen(default_app) >= INIT_LINE_BYTES)
		return "more than 1023 characters";
	memcpy(out->text, line, length);
	rest = out->text;
	while (why == NULL && (word = next_word(&rest)) != NULL) {
		if (!in_app && strncmp(word, APP, strlen(APP)) == 0) {
			in_app = true;
			word += strlen(APP);
			if (*word == 0)
				continue;
		}
		why = in_app ? take_argument(&p, word) : take_setting(&p, word);
	}
	if (why != NULL || out->programs > 0)
		return why;
	strcpy(out->text + INIT_LINE_BYTES, default_app);
	rest = out->text + INIT_LINE_BYTES;
	while (why == NULL && (word = next_word(&rest)) != NULL)
		why = take_argument(&p, word);
	return why;
}
