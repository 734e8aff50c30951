/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the console does with text, without a device: output of many writers becomes whole, tagged lines; input becomes lines for one
 * reader. Pure, so that the hosted tests run it. */

#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_LINE_BYTES 512 /* a longer line is shown in pieces of this length, each a line */

/* One writer's unfinished line. */
struct console_writer {
	unsigned core;
	bool system; /* a monitor: its lines are shown as they are */
	char name[16];
	size_t used;
	size_t shown; /* of the unfinished line, already on the screen as a prompt */
	char line[CONSOLE_LINE_BYTES];
};

/* Where finished text goes. */
struct console_sink {
	void (*put)(void *context, const char *text, size_t bytes);
	void *context;
	const struct console_writer *prompting; /* whose unfinished line stands on the screen now */
};

/* Takes text; every finished line is put as "[core name] line\r\n", lines that begin with "@" as they are unless only the system may use the tag.
 * Characters that are neither printable nor tab or escape are shown as "?". */
void console_write(struct console_writer *w, struct console_sink *sink, const char *text, size_t bytes);

/* Shows the unfinished line now and leaves the cursor behind it: a prompt. */
void console_prompt(struct console_writer *w, struct console_sink *sink);

/* Puts what is left when the writer ends. */
void console_writer_end(struct console_writer *w, struct console_sink *sink);

/* The line that is being typed. */
struct console_input {
	size_t used;
	char line[CONSOLE_LINE_BYTES];
};

enum console_typed { CONSOLE_TYPED_MORE, CONSOLE_TYPED_LINE, CONSOLE_TYPED_END };

/* Takes one character, with echo: backspace, Control-U (the line anew), return, Control-D on an empty line (end of input). After CONSOLE_TYPED_LINE
 * the line is in line[0..used), with its line end; the caller takes it and sets used to 0. */
enum console_typed console_type(struct console_input *in, struct console_sink *sink, int character);
