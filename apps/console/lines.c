/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/console/lines.h"

#include <stdio.h>
#include <string.h>

#include <atoll/console.h>

static void put(struct console_sink *sink, const char *text, size_t bytes) { sink->put(sink->context, text, bytes); }

/* Whether the line begins with one of the tags that only the system may use. */
static bool is_system_tag(const struct console_writer *w)
{
	static const char *const tags[] = {CONSOLE_SYSTEM_TAGS};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (w->used >= strlen(tags[i]) && memcmp(w->line, tags[i], strlen(tags[i])) == 0)
			return true;
	return false;
}

static void put_tag(const struct console_writer *w, struct console_sink *sink)
{
	char tag[40];

	if (w->system)
		return;
	int n = snprintf(tag, sizeof(tag), "[%u %.15s] ", w->core, w->name);

	if (w->used > 0 && w->line[0] == '@' && !is_system_tag(w))
		return;
	put(sink, tag, (size_t)n);
}

/* Another writer's prompt stands on the screen: begin on a new line, so that lines never mix. */
static void leave_prompt(struct console_sink *sink)
{
	if (sink->prompting == NULL)
		return;
	put(sink, "\r\n", 2);
	sink->prompting = NULL;
}

static void finish_line(struct console_writer *w, struct console_sink *sink)
{
	if (sink->prompting == w) {
		put(sink, w->line + w->shown, w->used - w->shown);
		sink->prompting = NULL;
	} else {
		leave_prompt(sink);
		put_tag(w, sink);
		put(sink, w->line, w->used);
	}
	put(sink, "\r\n", 2);
	w->used = w->shown = 0;
}

void console_write(struct console_writer *w, struct console_sink *sink, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n') {
			finish_line(w, sink);
			continue;
		}
		if (c == '\r')
			continue;
		if (w->used == sizeof(w->line))
			finish_line(w, sink);
		w->line[w->used++] = c >= ' ' || c == '\t' || c == '\033' ? (char)c : '?';
	}
}

void console_prompt(struct console_writer *w, struct console_sink *sink)
{
	if (sink->prompting != w) {
		leave_prompt(sink);
		put_tag(w, sink);
		w->shown = 0;
	}
	put(sink, w->line + w->shown, w->used - w->shown);
	w->shown = w->used;
	sink->prompting = w;
}

void console_writer_end(struct console_writer *w, struct console_sink *sink)
{
	if (w->used > 0 || sink->prompting == w)
		finish_line(w, sink);
}

enum console_typed console_type(struct console_input *in, struct console_sink *sink, int character)
{
	enum { BACKSPACE = 0x08, DELETE = 0x7f, CONTROL_D = 0x04, CONTROL_U = 0x15 };
	bool full = in->used >= sizeof(in->line) - 1;

	switch (character) {
	case '\r':
	case '\n':
		put(sink, "\r\n", 2);
		sink->prompting = NULL;
		in->line[in->used++] = '\n';
		return CONSOLE_TYPED_LINE;
	case BACKSPACE:
	case DELETE:
		if (in->used > 0) {
			in->used--;
			put(sink, "\b \b", 3);
		}
		return CONSOLE_TYPED_MORE;
	case CONTROL_U:
		for (; in->used > 0; in->used--)
			put(sink, "\b \b", 3);
		return CONSOLE_TYPED_MORE;
	case CONTROL_D:
		return in->used == 0 ? CONSOLE_TYPED_END : CONSOLE_TYPED_MORE;
	default:
		if (character >= ' ' && character < DELETE && !full) {
			in->line[in->used++] = (char)character;
			put(sink, &in->line[in->used - 1], 1);
		}
		return CONSOLE_TYPED_MORE;
	}
}
