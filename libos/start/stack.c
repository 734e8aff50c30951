/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <elf.h>
#include <string.h>

#include "cpudriver/abi/types.h"
#include "libos/start/stack.h"

#define AUXILIARY 16 /* room for entries */

struct writer {
	uint64_t *words;
	size_t count, at;
	bool full;
};

static void put(struct writer *w, uint64_t value)
{
	if (w->at < w->count)
		w->words[w->at++] = value;
	else
		w->full = true;
}

static bool put_strings(struct writer *w, const char *string, unsigned count, const char *end)
{
	for (unsigned i = 0; i < count; i++) {
		const char *zero = string < end ? memchr(string, 0, (size_t)(end - string)) : NULL;

		if (zero == NULL)
			return false;
		put(w, (uint64_t)string);
		string = zero + 1;
	}
	put(w, 0);
	return true;
}

static void put_auxiliary(struct writer *w, const struct stack_plan *plan, uint64_t random)
{
	const uint64_t entries[][2] = {
	    {AT_PHDR, plan->phdr},
	    {AT_PHENT, sizeof(Elf64_Phdr)},
	    {AT_PHNUM, plan->phdr_count},
	    {AT_PAGESZ, PAGE_BYTES},
	    {AT_ENTRY, plan->entry},
	    {AT_UID, 0},
	    {AT_EUID, 0},
	    {AT_GID, 0},
	    {AT_EGID, 0},
	    {AT_SECURE, 0},
	    {AT_CLKTCK, 100},
	    {AT_RANDOM, random},
	    {AT_NULL, 0},
	};

	_Static_assert(sizeof entries / sizeof entries[0] <= AUXILIARY, "");
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		put(w, entries[i][0]);
		put(w, entries[i][1]);
	}
}

err_t stack_build(const struct stack_plan *plan, uint64_t *words, size_t count, uint64_t top, uint64_t *rsp)
{
	/* count, arguments, 0, environment, 0, auxiliary vector, and at the top the random words; an even number, for the alignment */
	size_t need = ((size_t)3 + plan->argument_count + plan->environment_count + 2 * AUXILIARY + 2 + 1) & ~(size_t)1;
	struct writer w;

	if (need > count)
		return ERR(RANGE);
	w = (struct writer){words + count - need, need - 2, 0, false};
	put(&w, plan->argument_count);
	if (!put_strings(&w, plan->arguments, plan->argument_count, plan->strings_end) ||
	    !put_strings(&w, plan->environment, plan->environment_count, plan->strings_end))
		return ERR(FORMAT);
	put_auxiliary(&w, plan, top - 2 * sizeof(uint64_t));
	words[count - 2] = plan->random[0];
	words[count - 1] = plan->random[1];
	*rsp = top - need * sizeof(uint64_t);
	return w.full ? ERR(RANGE) : OK;
}
