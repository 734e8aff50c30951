/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Saving, restoring and comparing states.
 *
 * A saved state has a part for each core (its CNodes and its struct core) and one for the rest (users, channels, contents of pages). Of a
 * stretch of memory, which is mostly zero, there is for each 64 lines a word that says which of them are not zero, and then these lines. A
 * step touches one core, as a rule: the other parts are neither looked at nor written again.
 *
 * The hash is of what the state means, not of its bytes: a core's capabilities in the order of its database (the tree's shape is left
 * out, the order of copies is not), of the agreement what is in use (no counts of messages), of messages what they say, of a user's
 * operation that is over nothing.
 *
 * Generations of operations are left out. They are only ever compared for equality and counted up, so two states in which those of one
 * place in one core's table, and all numbers that name it, differ by the same amount can't be told apart. What is hashed of a number is its
 * index, and how many generations it is behind. But a core that comes back counts from nothing: where that may happen, generations and
 * numbers are hashed as they are. (`search --compare` tests that no two states are taken for one that lead to different ones.) */

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

/* ---- Stretches of memory, there and back -------------------------------------------------------- */

static char *save_stretch(char *at, const struct line *from, size_t lines)
{
	for (size_t first = 0; first < lines; first += 64) {
		char *used = at;
		const size_t count = lines - first < 64 ? lines - first : 64;
		uint64_t bits = 0;

		at += sizeof bits;
		for (size_t k = 0; k < count; k++) {
			if (is_zero(&from[first + k]))
				continue;
			bits |= UINT64_C(1) << k;
			memcpy(at, &from[first + k], LINE_BYTES);
			at += LINE_BYTES;
		}
		memcpy(used, &bits, sizeof bits);
	}
	return at;
}

static const char *restore_stretch(const char *at, struct line *to, size_t lines)
{
	for (size_t first = 0; first < lines; first += 64) {
		const size_t count = lines - first < 64 ? lines - first : 64;
		uint64_t bits;

		memcpy(&bits, at, sizeof bits);
		at += sizeof bits;
		for (size_t k = 0; k < count; k++) {
			if (bits >> k & 1) {
				memcpy(&to[first + k], at, LINE_BYTES);
				at += LINE_BYTES;
			} else {
				memset(&to[first + k], 0, LINE_BYTES);
			}
		}
	}
	return at;
}

/* ---- Parts -------------------------------------------------------------------------------------- */

#define CORE_STRETCHES 4

struct stretch {
	struct line *at;
	size_t lines;
};

static void stretches_of(uint32_t core, struct stretch out[CORE_STRETCHES])
{
	char *memory = window(core_memory(core));

	out[0] = (struct stretch){(struct line *)(memory + CNODE_ROOT), IN_KERNEL + 1};
	out[1] = (struct stretch){(struct line *)(memory + CNODE_MONITOR), MONITOR_SLOTS};
	out[2] = (struct stretch){(struct line *)(memory + CNODE_USERS), USER_SLOTS};
	out[3] = (struct stretch){(struct line *)&world.core[core], sizeof world.core[core] / LINE_BYTES};
}

static char *save_core(char *at, uint32_t core)
{
	struct stretch s[CORE_STRETCHES];

	stretches_of(core, s);
	for (unsigned k = 0; k < CORE_STRETCHES; k++)
		at = save_stretch(at, s[k].at, s[k].lines);
	return at;
}

static void restore_core(const char *at, uint32_t core)
{
	struct stretch s[CORE_STRETCHES];

	stretches_of(core, s);
	for (unsigned k = 0; k < CORE_STRETCHES; k++)
		at = restore_stretch(at, s[k].at, s[k].lines);
}

static char *save_queue(char *at, const struct queue *q)
{
	const size_t bytes = (size_t)q->count * sizeof q->message[0];

	memcpy(at, &q->count, sizeof q->count);
	memcpy(at + sizeof q->count, q->message, bytes);
	return at + sizeof q->count + bytes;
}

static const char *restore_queue(const char *at, struct queue *q)
{
	const uint64_t before = q->count;

	memcpy(&q->count, at, sizeof q->count);
	memcpy(q->message, at + sizeof q->count, (size_t)q->count * sizeof q->message[0]);
	if (before > q->count)
		memset(&q->message[q->count], 0, (size_t)(before - q->count) * sizeof q->message[0]);
	return at + sizeof q->count + (size_t)q->count * sizeof q->message[0];
}

/* Pages in which slots or entries of tables may be. What is in other pages nobody looks at: an object of the CPU driver's begins as zero.
 */
static void note_contents(void)
{
	unsigned number;

	for (uint32_t core = 0; core < world.cores; core++)
		for (const struct slot *s = first_slot(&world.core[core]); s && touched >> core & 1; s = database_next(s))
			for (uint64_t at = s->base; (s->type == CAP_CNode || is_page_table(s)) && at < slot_end(s); at += PAGE_BYTES)
				if (page_number(at, &number))
					world.contents[number / 64] |= UINT64_C(1) << number % 64;
}

static struct line *contents_of(unsigned number)
{
	return window(managed_page(number / MANAGED_PAGES, number % MANAGED_PAGES));
}

/* The first page of the set from `page` on; PAGES: there is none. */
#define PAGES (PAGE_SET_WORDS * 64)

static unsigned next_page(const uint64_t *set, unsigned page)
{
	for (; page < PAGES; page = (page / 64 + 1) * 64) {
		const uint64_t word = set[page / 64] >> page % 64;

		if (word)
			return page + (unsigned)__builtin_ctzll(word);
	}
	return PAGES;
}

#define WORLD_LINES (offsetof(struct world, core) / LINE_BYTES)

static char *save_rest(char *at)
{
	note_contents();
	at = save_stretch(at, (const struct line *)&world, WORLD_LINES);
	for (uint32_t from = 0; from < world.cores; from++)
		for (uint32_t to = 0; to < world.cores; to++)
			at = save_queue(at, &world.queue[from][to]);
	for (unsigned page = next_page(world.contents, 0); page < PAGES; page = next_page(world.contents, page + 1))
		at = save_stretch(at, contents_of(page), CONTENT_LINES);
	return at;
}

static void restore_rest(const char *at)
{
	uint64_t before[PAGE_SET_WORDS];

	memcpy(before, world.contents, sizeof before);
	at = restore_stretch(at, (struct line *)&world, WORLD_LINES);
	for (uint32_t from = 0; from < world.cores; from++)
		for (uint32_t to = 0; to < world.cores; to++)
			at = restore_queue(at, &world.queue[from][to]);
	for (unsigned k = 0; k < PAGE_SET_WORDS; k++)
		before[k] &= ~world.contents[k];
	for (unsigned page = next_page(before, 0); page < PAGES; page = next_page(before, page + 1))
		memset(contents_of(page), 0, CONTENT_LINES * LINE_BYTES);
	for (unsigned page = next_page(world.contents, 0); page < PAGES; page = next_page(world.contents, page + 1))
		at = restore_stretch(at, contents_of(page), CONTENT_LINES);
}

/* ---- States ------------------------------------------------------------------------------------- */

/* What a saved state begins with: where its parts end, the cores' in their order and then the rest. */
struct head {
	uint64_t end[WORLD_CORES + 1];
};

size_t state_save_step(void *to, const void *before)
{
	struct head old = {{0}}, new;
	char *at = (char *)to + sizeof new;

	if (before)
		memcpy(&old, before, sizeof old);
	for (uint32_t core = 0; core < world.cores; core++) {
		const uint64_t begins = core ? old.end[core - 1] : sizeof old;

		if (before && !(touched >> core & 1)) {
			memcpy(at, (const char *)before + begins, old.end[core] - begins);
			at += old.end[core] - begins;
		} else {
			at = save_core(at, core);
		}
		new.end[core] = (uint64_t)(at - (char *)to);
	}
	at = save_rest(at);
	memcpy(to, &new, sizeof new);
	return (size_t)(at - (char *)to);
}

size_t state_save(void *to)
{
	touched = EVERY_CORE;
	return state_save_step(to, NULL);
}

void state_undo_step(const void *from)
{
	struct head h;

	memcpy(&h, from, sizeof h);
	for (uint32_t core = 0; core < world.cores; core++)
		if (touched >> core & 1)
			restore_core((const char *)from + (core ? h.end[core - 1] : sizeof h), core);
	restore_rest((const char *)from + h.end[world.cores - 1]);
}

void state_restore(const void *from)
{
	touched = EVERY_CORE;
	state_undo_step(from);
}

void state_go_over(const void *to, const void *present)
{
	struct head old, new;

	memcpy(&old, present, sizeof old);
	memcpy(&new, to, sizeof new);
	for (uint32_t core = 0; core < world.cores; core++) {
		const uint64_t from_old = core ? old.end[core - 1] : sizeof old, from_new = core ? new.end[core - 1] : sizeof new;
		const uint64_t bytes = new.end[core] - from_new;

		if (old.end[core] - from_old != bytes || memcmp((const char *)present + from_old, (const char *)to + from_new, bytes) != 0)
			touched |= (cores_t)1 << core;
	}
	state_undo_step(to);
}

size_t state_room(void)
{
	size_t lines = WORLD_LINES + PAGES * CONTENT_LINES, words = lines + WORLD_CORES + 1;
	struct stretch s[CORE_STRETCHES];

	for (uint32_t core = 0; core < world.cores; core++) {
		stretches_of(core, s);
		for (unsigned k = 0; k < CORE_STRETCHES; k++)
			lines += s[k].lines;
	}
	words += lines;
	return lines * LINE_BYTES + words * sizeof(uint64_t) + world.cores * world.cores * sizeof(struct queue);
}

/* ---- The hash ----------------------------------------------------------------------------------- */

static struct hash mix(struct hash hash, uint64_t value)
{
	const uint64_t a = (hash.word[0] ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	const uint64_t b = (hash.word[1] ^ (value << 32 | value >> 32)) * UINT64_C(0xd6e8feb86659fd93);

	return (struct hash){{a ^ a >> 29, b ^ b >> 32}};
}

/* Most words are zero: the others are hashed with their places. */
static struct hash hash_words(struct hash h, const void *from, size_t bytes)
{
	const char *at = from;

	for (size_t k = 0; k < bytes; k += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, at + k, sizeof word);
		if (word)
			h = mix(mix(h, k), word);
	}
	return mix(h, bytes);
}

static struct hash hash_table(struct hash h, const struct slot *s)
{
	const struct page_table *t = page_table(s);

	for (unsigned k = 0; k < CONTENT_LINES * LINE_BYTES / sizeof(uint64_t); k++)
		h = mix(h, t->entry[k]);
	return mix(h, t->shadow[0] & USES_MASK);
}

static struct hash hash_capabilities(struct hash h, const struct core *c)
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

#define INDEX_MASK 0xffffu /* of an operation's number; above it is the generation */

static struct hash hash_operation(struct hash h, const struct operation *o)
{
	struct operation used = *o;

	used.messages = 0;
	used.generation = 0;
	used.number &= INDEX_MASK;
	return hash_words(h, &used, sizeof used);
}

/* Whole entries, so that a field that is added is not forgotten here; the statistics come last and are left out. */
static struct hash hash_agreement(struct hash h, const struct agreement *a)
{
	const size_t before = offsetof(struct agreement, shared) / sizeof(uint64_t) * sizeof(uint64_t);

	h = hash_words(h, a, before);
	for (unsigned k = 0; k < SHARED_MAX; k++)
		if (a->shared[k].object.type != CAP_Null)
			h = hash_words(mix(h, k), &a->shared[k], sizeof a->shared[k]);
	for (unsigned k = 0; k < OPERATIONS_MAX; k++) {
		if (a->operation[k].kind != OPERATION_NONE)
			h = hash_operation(mix(h, k), &a->operation[k]);
		if (world.returns)
			h = mix(h, a->operation[k].generation);
	}
	return h;
}

/* What follows from this core alone. */
static struct hash hash_core(const struct core *c)
{
	struct hash h = mix((struct hash){{0x61746f6c6c, 0x6973}}, c->dead | (uint64_t)c->view << 32);

	if (c->dead)
		return h;
	h = hash_agreement(hash_capabilities(h, c), &c->agreement);
	for (unsigned k = 0; k < (MONITOR_SLOTS + 63) / 64; k++)
		h = mix(mix(mix(h, c->taken[k]), c->unwanted[k]), c->kept[k]);
	return h;
}

/* The generation that the index stands for on that core now. */
static uint16_t generation_at(uint32_t core, uint32_t index)
{
	if (core >= world.cores || index == 0 || index > OPERATIONS_MAX)
		return 0;
	return world.core[core].agreement.operation[index - 1].generation;
}

/* An operation's number, as seen from the present. */
static uint32_t aged(uint32_t number, uint32_t core)
{
	const uint32_t index = number & INDEX_MASK, generation = number >> 16;

	return generation && !world.returns ? index | (uint32_t)(uint16_t)(generation - generation_at(core, index) + 1) << 16 : number;
}

/* What a core's operations say of other cores'. */
static struct hash hash_references(struct hash h, const struct agreement *a)
{
	uint32_t left = a->operation_count;

	for (unsigned k = 0; k < OPERATIONS_MAX && left; k++) {
		const struct operation *op = &a->operation[k];

		left -= op->kind != OPERATION_NONE;
		if (op->kind != OPERATION_NONE && op->number > INDEX_MASK)
			h = mix(h, k | (uint64_t)aged(op->number, op->core) << 32);
	}
	return h;
}

/* Whether a message names an operation of its receiver, not of its sender. */
static bool is_answer(uint64_t type)
{
	return type == AGREEMENT_installed || type == AGREEMENT_copied || type == AGREEMENT_found || type == AGREEMENT_retype_answer ||
	       type == AGREEMENT_taken_over || type == AGREEMENT_noted || type == AGREEMENT_swept || type == AGREEMENT_sweep_later ||
	       type == AGREEMENT_flushed || type == AGREEMENT_revoked;
}

/* What an answer says of the number of messages is left out. */
static struct hash hash_message(struct hash h, const struct message *m, uint32_t from, uint32_t to)
{
	union agreement_message said;

	memcpy(said.words, m->word, sizeof said.words);
	said.head.operation = aged(said.head.operation, is_answer(m->type) ? to : from);
	if (m->type == AGREEMENT_copied)
		said.copied.messages = 0;
	else if (m->type == AGREEMENT_retype_answer)
		said.retype_answer.messages = 0;
	else if (m->type == AGREEMENT_swept)
		said.swept.messages = 0;
	else if (m->type == AGREEMENT_revoked)
		said.revoked.messages = 0;
	else if (m->type == AGREEMENT_sweep_asker)
		said.sweep_asker.asker = aged(said.sweep_asker.asker, to);
	return hash_words(mix(h, m->type), said.words, sizeof said.words);
}

static struct hash hash_task(struct hash h, unsigned k)
{
	const struct task *t = &world.task[k];

	if (t->state == TASK_NONE)
		return h;
	h = mix(h, k | (uint64_t)t->state << 8 | (uint64_t)t->lost << 16);
	if (t->state != TASK_PENDING)
		return h;
	h = mix(h, (uint64_t)t->delivered | (uint64_t)t->revoked << 1 | (uint64_t)t->cap << 32 | (uint64_t)t->rights << 48);
	return mix(mix(h, t->object.base | t->object.type), t->object.size);
}

struct hash state_hash_step(void)
{
	struct hash h = mix((struct hash){{0}}, world.view | (uint64_t)world.died << 32 | (uint64_t)world.joined << 48);

	for (unsigned k = 0; k < TASKS_MAX; k++)
		h = hash_task(h, k);
	for (uint32_t from = 0; from < world.cores; from++) {
		struct core *c = &world.core[from];

		if (touched >> from & 1)
			c->hash = hash_core(c);
		h = mix(mix(h, c->hash.word[0]), c->hash.word[1]);
		if (!c->dead)
			h = hash_references(h, &c->agreement);
		for (uint32_t to = 0; to < world.cores; to++)
			for (unsigned k = 0; k < world.queue[from][to].count; k++)
				h = hash_message(mix(h, from * 64 + to), &world.queue[from][to].message[k], from, to);
	}
	return h;
}

struct hash state_hash(void)
{
	touched = EVERY_CORE;
	return state_hash_step();
}

struct hash state_hash_exact(void)
{
	struct hash h = state_hash();

	for (uint32_t core = 0; core < world.cores; core++)
		for (unsigned k = 0; k < OPERATIONS_MAX; k++)
			h = mix(h, world.core[core].agreement.operation[k].generation);
	for (unsigned k = 0; k < TASKS_MAX; k++)
		h = mix(h, world.task[k].error | (uint64_t)world.task[k].delivered << 8 | (uint64_t)world.task[k].revoked << 9);
	return h;
}
