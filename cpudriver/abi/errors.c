/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Names and sentences of all errors, for whoever talks to people. */

#include "cpudriver/abi/errors.h"

struct text {
	const char *name, *sentence;
};

static const struct text texts[] = {
#define ERROR(name, number, sentence) [number] = {#name, sentence},
#include "cpudriver/abi/errors.def"
#undef ERROR
};

static struct text text(err_t e)
{
	if (e.number < sizeof texts / sizeof texts[0] && texts[e.number].name)
		return texts[e.number];
	return (struct text){"UNKNOWN", "the error has a number that is in no table"};
}

const char *err_name(err_t e)
{
	return text(e).name;
}

const char *err_sentence(err_t e)
{
	return text(e).sentence;
}
