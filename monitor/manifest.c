/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/abi/messages.h"
#include "monitor/manifest.h"

struct word {
	const char *text;
	size_t bytes;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next word of [*at, end); false at the end of the line. */
static bool next_word(const char **at, const char *end, struct word *out)
{
	while (*at < end && is_space(**at))
		(*at)++;
	if (*at == end || **at == '#')
		return false;
	out->text = *at;
	while (*at < end && !is_space(**at))
		(*at)++;
	out->bytes = (size_t)(*at - out->text);
	return true;
}

static bool is(struct word w, const char *text)
{
	return w.bytes == strlen(text) && memcmp(w.text, text, w.bytes) == 0;
}

/* Cuts `w` behind the first `separator`: *rest is what follows it. false: there is none. */
static bool split(struct word *w, char separator, struct word *rest)
{
	const char *at = memchr(w->text, separator, w->bytes);

	if (at == NULL)
		return false;
	*rest = (struct word){at + 1, w->bytes - (size_t)(at + 1 - w->text)};
	w->bytes = (size_t)(at - w->text);
	return true;
}

static bool digit_of(char c, unsigned base, unsigned *digit)
{
	if (c >= '0' && c <= '9')
		*digit = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*digit = (unsigned)(c - 'a') + 10;
	else
		return false;
	return *digit < base;
}

/* A decimal number, or hexadecimal after 0x, up to `most`. */
static bool number(struct word w, uint64_t most, uint64_t *out)
{
	unsigned base = 10, digit;

	if (w.bytes > 2 && memcmp(w.text, "0x", 2) == 0) {
		base = 16;
		w.text += 2;
		w.bytes -= 2;
	}
	*out = 0;
	for (size_t i = 0; i < w.bytes; i++) {
		if (!digit_of(w.text[i], base, &digit) || digit > most || *out > (most - digit) / base)
			return false;
		*out = *out * base + digit;
	}
	return w.bytes > 0;
}

static const char *read_core(struct word value, struct manifest_program *p)
{
	uint64_t core;

	if (!number(value, 255, &core))
		return "core= wants the number of a core";
	p->core = (uint32_t)core;
	return NULL;
}

static const char *read_memory(struct word value, struct manifest_program *p)
{
	uint64_t unit = 1;
	char last = value.bytes > 0 ? value.text[value.bytes - 1] : '\0';

	if (last == 'K' || last == 'M') {
		unit = last == 'K' ? KIB : MIB;
		value.bytes--;
	}
	if (!number(value, UINT32_MAX, &p->memory) || p->memory == 0)
		return "memory= wants an amount such as 8M";
	p->memory *= unit;
	return NULL;
}

static const char *read_ports(struct word value, struct manifest_program *p)
{
	struct word count;
	uint64_t first, ports;

	if (!split(&value, '+', &count) || !number(value, 0xffff, &first) || !number(count, 0x10000 - first, &ports) || ports == 0)
		return "ioports= wants FIRST+COUNT within the 65536 ports";
	p->port = (uint32_t)first;
	p->ports = (uint32_t)ports;
	return NULL;
}

static const char *read_interrupt(struct word value, struct manifest_program *p)
{
	struct word line;
	uint64_t n = 0;

	if (is(value, "sci")) {
		p->interrupt_kind = INTERRUPT_SCI;
		return NULL;
	}
	if (!split(&value, ':', &line) || (!is(value, "isa") && !is(value, "gsi")) || !number(line, is(value, "isa") ? 15 : 1023, &n))
		return "interrupt= wants isa:0 to isa:15, gsi:N or sci";
	p->interrupt_kind = is(value, "isa") ? INTERRUPT_ISA : INTERRUPT_GSI;
	p->interrupt = (uint32_t)n;
	return NULL;
}

static const char *read_may(struct word value, struct manifest_program *p)
{
	static const char *const names[REQUESTS] = {
#define REQUEST(name, request, privileged) [request] = #name,
#include "monitor/abi/requests.def"
#undef REQUEST
	};
	struct word rest;
	bool more;

	do {
		unsigned request = 0;

		more = split(&value, ',', &rest);
		while (request < REQUESTS && (names[request] == NULL || !is(value, names[request])))
			request++;
		if (request == REQUESTS)
			return "may= wants names of requests, with commas between them";
		p->may |= UINT64_C(1) << request;
		value = rest;
	} while (more);
	return NULL;
}

static const char *read_word(struct word w, struct manifest_program *p)
{
	static const struct {
		const char *key;
		const char *(*read)(struct word value, struct manifest_program *p);
	} keys[] = {
	    {"core", read_core}, {"memory", read_memory}, {"ioports", read_ports}, {"interrupt", read_interrupt}, {"may", read_may}};
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"boot", &p->boot}, {"last", &p->last}, {"arguments", &p->arguments}, {"devices", &p->devices}};
	struct word value;

	if (split(&w, '=', &value)) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (is(w, keys[i].key))
				return keys[i].read(value, p);
		return "a setting has a key that nobody knows";
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (is(w, flags[i].name)) {
			*flags[i].flag = true;
			return NULL;
		}
	return "a word is no setting that anybody knows";
}

static const char *read_line(const char *at, const char *end, struct manifest *m)
{
	struct manifest_program *p = &m->program[m->programs];
	const char *why = NULL;
	struct word w;

	if (!next_word(&at, end, &w))
		return NULL;
	if (m->programs == MANIFEST_PROGRAMS)
		return "there are more than 32 programs";
	if (w.bytes >= MANIFEST_NAME)
		return "a program's name is longer than 23 characters";
	*p = (struct manifest_program){.core = MANIFEST_ANY_CORE};
	memcpy(p->name, w.text, w.bytes);
	if (manifest_find(m, p->name) != NULL)
		return "a program has two lines";
	while (why == NULL && next_word(&at, end, &w))
		why = read_word(w, p);
	m->programs++;
	return why;
}

err_t manifest_read(const char *text, size_t bytes, struct manifest *out, const char **why, unsigned *line)
{
	const char *end = text + bytes;

	out->programs = 0;
	*line = 0;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline == NULL ? end : newline;

		++*line;
		*why = read_line(text, line_end, out);
		if (*why != NULL)
			return ERR(FORMAT);
		text = newline == NULL ? end : newline + 1;
	}
	return OK;
}

const struct manifest_program *manifest_find(const struct manifest *m, const char *name)
{
	for (unsigned i = 0; i < m->programs; i++)
		if (strcmp(m->program[i].name, name) == 0)
			return &m->program[i];
	return NULL;
}
