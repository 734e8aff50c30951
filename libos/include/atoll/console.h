/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The console service: a stream to the domain that has the serial line (apps/console). The Linux personality uses it for file descriptors
 * 0, 1 and 2; nothing else has to.
 *
 *   label            way               payload
 *   CONSOLE_WRITE    to the console    text; a line is shown when it is complete, tagged with the core and program of who wrote it
 *   CONSOLE_READ     to the console    empty: the client waits for a line; what it wrote without a line end (a prompt) is shown now
 *   CONSOLE_READ_KEY to the console    empty: the client waits for one character, which is not shown
 *   CONSOLE_INPUT    to the client     one line with its line end, or the one character; empty: end of input
 *
 * Lines that begin with "@" are facts for programs and are shown untagged, but for the tags that only the system itself may use
 * (CONSOLE_SYSTEM_TAGS): those get the writer's tag in front like any other text. */

/* The service's name. */
#define CONSOLE_SERVICE "console"

/* Labels of the messages, as above. */
enum console_label {
	CONSOLE_WRITE = 1,
	CONSOLE_READ = 2,
	CONSOLE_INPUT = 3,
	CONSOLE_READ_KEY = 4,
};

/* Each ends in a space. */
#define CONSOLE_SYSTEM_TAGS "@event ", "@boot ", "@boot_phases ", "@topology ", "@leak "
