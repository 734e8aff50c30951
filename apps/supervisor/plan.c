/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/supervisor/plan.h"

#include <string.h>

#define USUAL_RESTARTS  3
#define USUAL_WITHIN_MS 60000
#define MOST_RESTARTS   64 /* apps/supervisor/rate.h keeps so many */
#define CORES           256

/* ---- Words ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next word of *at, ended by 0 in place; NULL at the line's end. Returns with *why set if a quote does not end. */
static char *next_word(char **at, const char **why)
{
	char *start = *at, *end;

	while (is_space(*start))
		start++;
	if (*start == '\0' || *start == '#')
		return NULL;
	if (*start == '"') {
		end = strchr(++start, '"');
		if (end == NULL) {
			*why = "a quotation has no end";
			return NULL;
		}
	} else {
		for (end = start; *end != '\0' && !is_space(*end); end++)
			;
	}
	*at = *end == '\0' ? end : end + 1;
	*end = '\0';
	return start;
}

/* A whole decimal number up to `most` at *at, which moves behind it. */
static bool take_number(const char **at, uint64_t most, uint64_t *out)
{
	const char *c = *at;

	*out = 0;
	for (; *c >= '0' && *c <= '9'; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (digit > most || *out > (most - digit) / 10)
			return false;
		*out = *out * 10 + digit;
	}
	if (c == *at)
		return false;
	*at = c;
	return true;
}

static bool number(const char *text, uint64_t most, uint64_t *out)
{
	return take_number(&text, most, out) && *text == '\0';
}

/* ---- Settings ---- */

static const char *read_restart(const char *value, struct plan_service *s)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
	uint64_t restarts, within;

	if (strcmp(value, "never") == 0) {
		s->restarts = 0;
		return NULL;
	}
	if (!take_number(&value, MOST_RESTARTS, &restarts) || *value++ != '/' || !take_number(&value, UINT32_MAX, &within) || within == 0)
		return "restart= wants never, or a number of restarts (64 at most) and a time, such as 3/60s";
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(value, units[i].name) == 0) {
			s->restarts = (unsigned)restarts;
			s->within_ms = within * units[i].ms;
			return NULL;
		}
	return "the time of restart= wants ms, s or m behind its number";
}

static const char *read_place(struct plan_service *s, enum plan_place place)
{
	if (s->place != PLAN_ANYWHERE)
		return "a service has one place: core=, cores= or node=";
	s->place = place;
	return NULL;
}

static const char *read_core(const char *value, struct plan_service *s)
{
	uint64_t core;

	if (!number(value, CORES - 1, &core))
		return "core= wants the number of a core";
	s->core = (uint32_t)core;
	return read_place(s, PLAN_CORE);
}

static const char *read_cores(const char *value, struct plan_service *s)
{
	uint64_t core;

	do {
		if (!take_number(&value, CORES - 1, &core) || (*value != ',' && *value != '\0'))
			return "cores= wants numbers of cores, with commas between them";
		s->cores[core / 64] |= UINT64_C(1) << core % 64;
	} while (*value++ == ',');
	return read_place(s, PLAN_CORES);
}

static const char *read_node(const char *value, struct plan_service *s)
{
	uint64_t node;

	if (!number(value, UINT16_MAX, &node))
		return "node= wants the number of a node";
	s->node = (uint32_t)node;
	return read_place(s, PLAN_NODE);
}

static bool read_bytes(const char *value, uint64_t *out)
{
	uint64_t unit = 1;

	if (!take_number(&value, UINT32_MAX, out) || *out == 0)
		return false;
	if (*value == 'K' || *value == 'M')
		unit = *value++ == 'K' ? 1024 : 1024 * 1024;
	*out *= unit;
	return *value == '\0';
}

static const char *read_memory(const char *value, struct plan_service *s)
{
	return read_bytes(value, &s->memory) ? NULL : "memory= wants an amount such as 8M";
}

static const char *read_quota(const char *value, struct plan_service *s)
{
	return read_bytes(value, &s->quota) ? NULL : "quota= wants an amount such as 32M";
}

/* Names of services that have lines above. */
static const char *read_names(const char *value, const struct plan *p, uint32_t *set)
{
	for (;;) {
		size_t bytes = strcspn(value, ",");
		unsigned i = 0;

		while (i < p->services && (strlen(p->service[i].name) != bytes || memcmp(p->service[i].name, value, bytes) != 0))
			i++;
		if (i == p->services)
			return "after= and needs= want names of services that have lines above, with commas between them";
		*set |= UINT32_C(1) << i;
		if (value[bytes] == '\0')
			return NULL;
		value += bytes + 1;
	}
}

static const char *read_setting(char *word, const struct plan *p, struct plan_service *s)
{
	static const struct {
		const char *key;
		const char *(*read)(const char *value, struct plan_service *s);
	} keys[] = {{"restart", read_restart}, {"core", read_core},     {"cores", read_cores},
	            {"node", read_node},       {"memory", read_memory}, {"quota", read_quota}};
	char *value = strchr(word, '=');

	if (value == NULL) {
		s->quiet |= strcmp(word, "quiet") == 0;
		return strcmp(word, "quiet") == 0 ? NULL : "a word before the : is no setting that anybody knows";
	}
	*value++ = '\0';
	if (strcmp(word, "after") == 0)
		return read_names(value, p, &s->after);
	if (strcmp(word, "needs") == 0)
		return read_names(value, p, &s->needs);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(word, keys[i].key) == 0)
			return keys[i].read(value, s);
	return "a setting has a key that nobody knows";
}

/* ---- Lines ---- */

static const char *begin_service(struct plan *p, const char *name)
{
	struct plan_service *s = &p->service[p->services];

	if (p->services == PLAN_SERVICES)
		return "there are more than 32 services";
	if (strlen(name) >= PLAN_NAME)
		return "a service's name is longer than 23 characters";
	if (strpbrk(name, "=,:") != NULL || name[0] == '\0')
		return "a line begins with the service's name";
	for (unsigned i = 0; i < p->services; i++)
		if (strcmp(p->service[i].name, name) == 0)
			return "a service has two lines";
	*s = (struct plan_service){.restarts = USUAL_RESTARTS, .within_ms = USUAL_WITHIN_MS};
	strcpy(s->name, name);
	return NULL;
}

static const char *read_line(char *at, struct plan *p)
{
	struct plan_service *s = &p->service[p->services];
	const char *why = NULL;
	unsigned arguments = 0;
	char *word = next_word(&at, &why);

	if (word == NULL)
		return why;
	why = begin_service(p, word);
	while (why == NULL && (word = next_word(&at, &why)) != NULL && strcmp(word, ":") != 0)
		why = read_setting(word, p, s);
	if (why != NULL)
		return why;
	while ((word = next_word(&at, &why)) != NULL) {
		if (arguments == PLAN_ARGUMENTS)
			return "a program has more than 15 arguments";
		s->argument[arguments++] = word;
	}
	s->after |= s->needs;
	p->services++;
	if (why == NULL && arguments == 0)
		return "a line ends with : and the program";
	if (why == NULL && s->quota != 0 && s->memory > s->quota)
		return "a quota is less than the memory to begin with";
	return why;
}

const char *plan_read(const char *text, size_t bytes, struct plan *out, unsigned *line)
{
	const char *why = NULL;
	char *at = out->text, *end;

	*line = 0;
	out->services = 0;
	if (bytes > PLAN_BYTES)
		return "the file has more than 8192 characters";
	if (memchr(text, '\0', bytes) != NULL)
		return "the file is no text";
	memcpy(out->text, text, bytes);
	out->text[bytes] = '\0';
	while (*at != '\0' && why == NULL) {
		end = at + strcspn(at, "\n");
		bool more = *end != '\0';

		*end = '\0';
		++*line;
		why = read_line(at, out);
		at = more ? end + 1 : end;
	}
	return why;
}
