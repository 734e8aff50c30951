/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Saving, restoring and comparing states.
 *
 * What changes are a few stretches of memory that are mostly zero. A saved state is, for each 64 lines, a word that says which of them
 * are not zero, and then these lines.
 *
 * The hash is of what the state means, not of its bytes: a core's capabilities in the order of its database (the tree's shape is left
 * out, the order of copies is not), of the agreement what is in use (no counts of messages), of messages what they say. */

#include "tests/explore/world.h"

#include <string.h>

#include "cpudriver/capability/database.h"
#include "cpudriver/capability/delete.h"
#include "cpudriver/capability/paging.h"

struct line {
	_Alignas(LINE_BYTES) uint64_t word[LINE_BYTES / sizeof(uint64_t)];
};

static bool is_zero(const struct line *l)
{
	uint64_t any = 0;

	for (unsigned k = 0; k < LINE_BYTES / sizeof(uint64_t); k++)
		any |= l->word[k];
	return any == 0;
}

/* ---- The stretches ------------------------------------------------------------------------------ */

typedef void stretch_t(void *argument, struct line *at, size_t lines);

static void each_stretch_of_core(uint32_t core, stretch_t *visit, void *argument)
{
	char *memory = window(core_memory(core));

	visit(argument, (struct line *)(memory + CNODE_ROOT), IN_KERNEL + 1);
	visit(argument, (struct line *)(memory + CNODE_MONITOR), MONITOR_SLOTS);
	visit(argument, (struct line *)(memory + CNODE_USERS), USER_SLOTS);
	for (unsigned page = 0; page < MANAGED_PAGES; page++)
		visit(argument, window(managed_page(core, page)), CONTENT_LINES);
	visit(argument, (struct line *)&world.core[core], sizeof world.core[core] / LINE_BYTES);
	for (unsigned to = 0; to < world.cores; to++)
		if (to != core)
			visit(argument, (struct line *)&world.queue[core][to], sizeof world.queue[core][to] / LINE_BYTES);
}

static void each_stretch(stretch_t *visit, void *argument)
{
	visit(argument, (struct line *)&world, offsetof(struct world, core) / LINE_BYTES);
	for (uint32_t core = 0; core < world.cores; core++)
		each_stretch_of_core(core, visit, argument);
}

/* ---- There and back ----------------------------------------------------------------------------- */

struct saving {
	char *at;
};

static void save_stretch(void *argument, struct line *from, size_t lines)
{
	struct saving *s = argument;

	for (size_t first = 0; first < lines; first += 64) {
		uint64_t *used = (uint64_t *)s->at, bits = 0;
		const size_t count = lines - first < 64 ? lines - first : 64;

		s->at += sizeof *used;
		for (size_t k = 0; k < count; k++) {
			if (is_zero(&from[first + k]))
				continue;
			bits |= UINT64_C(1) << k;
			memcpy(s->at, &from[first + k], LINE_BYTES);
			s->at += LINE_BYTES;
		}
		*used = bits;
	}
}

size_t state_save(void *to)
{
	struct saving s = {to};

	each_stretch(save_stretch, &s);
	return (size_t)(s.at - (char *)to);
}

static void restore_stretch(void *argument, struct line *to, size_t lines)
{
	struct saving *s = argument;

	for (size_t first = 0; first < lines; first += 64) {
		const size_t count = lines - first < 64 ? lines - first : 64;
		uint64_t bits;

		memcpy(&bits, s->at, sizeof bits);
		s->at += sizeof bits;
		for (size_t k = 0; k < count; k++) {
			if (bits >> k & 1) {
				memcpy(&to[first + k], s->at, LINE_BYTES);
				s->at += LINE_BYTES;
			} else {
				memset(&to[first + k], 0, LINE_BYTES);
			}
		}
	}
}

void state_restore(const void *from)
{
	struct saving s = {(char *)from};

	each_stretch(restore_stretch, &s);
}

static void count_room(void *argument, struct line *at, size_t lines)
{
	(void)at;
	*(size_t *)argument += lines * LINE_BYTES + (lines + 63) / 64 * sizeof(uint64_t);
}

size_t state_room(void)
{
	size_t bytes = 0;

	each_stretch(count_room, &bytes);
	return bytes;
}

/* ---- The hash ----------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t hash_words(uint64_t h, const void *from, size_t bytes)
{
	const char *at = from;

	for (size_t k = 0; k < bytes; k += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, at + k, sizeof word);
		h = mix(h, word);
	}
	return h;
}

static uint64_t hash_table(uint64_t h, const struct slot *s)
{
	const struct page_table *t = page_table(s);

	for (unsigned k = 0; k < CONTENT_LINES * LINE_BYTES / sizeof(uint64_t); k++)
		h = mix(h, t->entry[k]);
	return mix(h, t->shadow[0] & USES_MASK);
}

static uint64_t hash_capabilities(uint64_t h, const struct core *c)
{
	for (const struct slot *s = first_slot(c); s; s = database_next(s)) {
		h = mix(h, (uintptr_t)s);
		h = mix(h, s->base);
		h = mix(h, s->size);
		h = mix(h, s->type | (uint64_t)s->rights << 8 | (uint64_t)s->flags << 16 | (uint64_t)s->owner << 32 |
		               (uint64_t)s->cursor << 48);
		h = mix(h, s->extra);
		if (is_page_table(s) && !(s->flags & CAP_FLAG_FOREIGN))
			h = hash_table(h, s);
	}
	h = mix(h, (uintptr_t)c->caps.zombies);
	for (unsigned k = 0; k < PAGE_SET_WORDS && world.tables; k++)
		h = mix(h, c->translated[k]);
	return h;
}

_Static_assert(sizeof(struct shared) % 8 == 0 && sizeof(struct operation) % 8 == 0, "whole words");

static uint64_t hash_operation(uint64_t h, const struct operation *o)
{
	struct operation used = *o;

	used.messages = 0;
	return hash_words(h, &used, sizeof used);
}

/* Whole entries, so that a field that is added is not forgotten here; the statistics come last and are left out. */
static uint64_t hash_agreement(uint64_t h, const struct agreement *a)
{
	const size_t before = offsetof(struct agreement, shared) / sizeof(uint64_t) * sizeof(uint64_t);

	h = hash_words(h, a, before);
	for (unsigned k = 0; k < SHARED_MAX; k++)
		if (a->shared[k].object.type != CAP_Null)
			h = hash_words(mix(h, k), &a->shared[k], sizeof a->shared[k]);
	for (unsigned k = 0; k < OPERATIONS_MAX; k++) {
		const struct operation *o = &a->operation[k];

		if (o->kind != OPERATION_NONE)
			h = hash_operation(mix(h, k), o);
		else if (o->generation)
			h = mix(h, k | (uint64_t)o->generation << 16);
	}
	return h;
}

/* What an answer says of the number of messages is left out. */
static uint64_t hash_message(uint64_t h, const struct message *m)
{
	union agreement_message said;

	memcpy(said.words, m->word, sizeof said.words);
	if (m->type == AGREEMENT_copied)
		said.copied.messages = 0;
	else if (m->type == AGREEMENT_retype_answer)
		said.retype_answer.messages = 0;
	else if (m->type == AGREEMENT_swept)
		said.swept.messages = 0;
	else if (m->type == AGREEMENT_revoked)
		said.revoked.messages = 0;
	h = mix(h, m->type);
	for (unsigned k = 0; k < CHANNEL_WORDS; k++)
		h = mix(h, said.words[k]);
	return h;
}

uint64_t state_hash(void)
{
	uint64_t h = mix(0x61746f6c6c, world.view);

	for (unsigned k = 0; k < TASKS_MAX; k++) {
		const struct task *t = &world.task[k];

		if (t->state != TASK_NONE)
			h = mix(h, k | (uint64_t)t->state << 8 | (uint64_t)t->error << 16 | (uint64_t)t->delivered << 24 |
			               (uint64_t)t->revoked << 25 | (uint64_t)t->cap << 32 | (uint64_t)t->rights << 48);
	}
	for (unsigned from = 0; from < world.cores; from++) {
		const struct core *c = &world.core[from];

		h = mix(h, c->dead | (uint64_t)c->view << 32);
		if (!c->dead) {
			h = hash_agreement(hash_capabilities(h, c), &c->agreement);
			for (unsigned k = 0; k < (MONITOR_SLOTS + 63) / 64; k++)
				h = mix(mix(mix(h, c->taken[k]), c->unwanted[k]), c->kept[k]);
		}
		for (unsigned to = 0; to < world.cores; to++)
			for (unsigned k = 0; k < world.queue[from][to].count; k++)
				h = hash_message(mix(h, from * 64 + to), &world.queue[from][to].message[k]);
	}
	return h;
}
