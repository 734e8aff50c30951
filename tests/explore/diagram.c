/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/world.h"

#include "tests/explore/diagram.h"

#include <stdio.h>
#include <string.h>

#include "cpudriver/capability/database.h"

#define COLUMN    22
#define LINE_SIZE (WORLD_CORES * COLUMN + 1)

static bool drawing;
static struct object only; /* type Null: everything */

static const char *const type_name[] = {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) #name,
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
};

static bool is_listed(uint64_t base, uint64_t size)
{
	return only.type == CAP_Null || (base < only.base + only.size && only.base < base + size);
}

/* ---- Words -------------------------------------------------------------------------------------- */

const char *object_text(enum cap_type type, uint64_t base, uint64_t size)
{
	static char text[64];

	if (type == CAP_Null)
		return "";
	snprintf(text, sizeof text, "%s %u:%d+%u", type < CAP_TYPES ? type_name[type] : "?", (unsigned)(base / CORE_BYTES),
	         (int)((int64_t)(base % CORE_BYTES - MANAGED) / (int64_t)PAGE_BYTES), (unsigned)(size / PAGE_BYTES));
	return text;
}

const char *request_text(const struct request *r)
{
	static char text[120];
	const unsigned core = r->core, slot = r->slot, to = r->to_slot;

	switch ((enum request_kind)r->kind) {
	case REQUEST_COPY:
	case REQUEST_MOVE:
		snprintf(text, sizeof text, "core %u %s slot %u to slot %u of core %u", core, r->kind == REQUEST_COPY ? "copies" : "moves",
		         slot, to, r->to_core);
		break;
	case REQUEST_RETYPE:
		snprintf(text, sizeof text, "core %u makes a %s of pages %u+%u of slot %u in slot %u", core, type_name[r->type], r->page,
		         r->pages, slot, to);
		break;
	case REQUEST_LOCAL_COPY:
		snprintf(text, sizeof text, "core %u copies slot %u to slot %u", core, slot, to);
		break;
	case REQUEST_PUT:
		snprintf(text, sizeof text, "core %u puts slot %u into slot %u of the CNode in slot %u", core, slot, r->page, to);
		break;
	case REQUEST_MAP:
		snprintf(text, sizeof text, "core %u maps slot %u in entry %u of the table in slot %u", core, slot, r->page, to);
		break;
	default:
		snprintf(text, sizeof text, "core %u %s slot %u", core, r->kind == REQUEST_DELETE ? "deletes" : "revokes", slot);
	}
	return text;
}

/* ---- Lines -------------------------------------------------------------------------------------- */

static unsigned middle(unsigned core)
{
	return core * COLUMN + COLUMN / 2;
}

/* The cores' lives; the dead have none. */
static void begin_line(char *line)
{
	memset(line, ' ', LINE_SIZE);
	for (unsigned c = 0; c < world.cores; c++)
		line[middle(c)] = world.core[c].dead ? ' ' : '|';
	line[world.cores * COLUMN] = '\0';
}

static void draw_at(unsigned core, const char *mark, const char *words)
{
	char line[LINE_SIZE];

	if (!drawing)
		return;
	begin_line(line);
	memcpy(line + middle(core), mark, strlen(mark));
	printf("  %s %s\n", line, words);
}

static void draw_arrow(unsigned from, unsigned to, const char *label, const char *words)
{
	const unsigned left = middle(from < to ? from : to), right = middle(from < to ? to : from);
	const size_t bytes = strlen(label);
	char line[LINE_SIZE];

	begin_line(line);
	memset(line + left + 1, '-', right - left - 1);
	line[middle(from)] = 'o';
	line[middle(to)] = from < to ? '>' : '<';
	if (bytes + 2 < right - left)
		memcpy(line + left + (right - left - bytes) / 2 + 1, label, bytes);
	printf("  %s %s\n", line, words);
}

static bool is_drawn(uint64_t base, uint64_t size)
{
	return drawing && is_listed(base, size);
}

void diagram_begin(const struct object *about)
{
	drawing = true;
	only = about ? *about : (struct object){.type = CAP_Null};
	printf("  ");
	for (unsigned c = 0; c < world.cores; c++)
		printf("%*s%-*u", COLUMN / 2 - 5, "core ", COLUMN - COLUMN / 2 + 5, c);
	printf("\n");
}

static const char *place_text(unsigned core, const struct slot *s)
{
	const uint64_t at = window_paddr(s).value - core_memory(core).value;
	static char text[32];

	snprintf(text, sizeof text, "%s slot %u",
	         at < CNODE_MONITOR ? "root"
	         : at < CNODE_USERS ? "monitor's"
	         : at < MANAGED     ? "user's"
	                            : "inner",
	         (unsigned)(at % CNODE_BYTES / sizeof *s));
	return text;
}

static bool is_object_of_memory(const struct slot *s)
{
	return s->type == CAP_Doorbell || (!(s->base & LINE_MASK) && s->base % CORE_BYTES >= MANAGED);
}

static void list_capabilities(unsigned core)
{
	for (const struct slot *s = first_slot(&world.core[core]); s; s = database_next(s))
		if (is_object_of_memory(s) && is_listed(slot_number(s), s->size))
			printf("  core %u, %s: %s%s%s, rights %u, owner %u\n", core, place_text(core, s),
			       object_text(plain_type(s->type), slot_number(s), s->size), s->flags & CAP_FLAG_REMOTE ? ", remote" : "",
			       s->flags & CAP_FLAG_MAPPED ? ", mapped" : "", s->rights, s->owner);
}

static void list_agreement(unsigned core)
{
	static const char *const kind_name[] = {
	    "", "copy", "move", "retype", "delete", "revoke", "sweep", "the owner's part", "a holder's sweep", "transfer"};
	const struct agreement *a = &world.core[core].agreement;

	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *s = &a->shared[k];

		if (s->object.type != CAP_Null && is_listed(s->object.base, s->object.size))
			printf("  core %u, shared: %s, owner %u, holders %#lx, anchor in slot %u\n", core,
			       object_text(s->object.type, s->object.base, s->object.size), s->owner, s->holders.word[0],
			       s->anchor.value & 0xff);
	}
	for (unsigned k = 0; k < OPERATIONS_MAX; k++) {
		const struct operation *op = &a->operation[k];

		if (op->kind != OPERATION_NONE && is_listed(op->object.base, op->object.size))
			printf("  core %u, under way: %s%s%s, %s, phase %u, capability in slot %u, waits for cores %#lx and for %u more\n",
			       core, kind_name[op->kind], op->serving != OPERATION_NONE ? " of a " : "", kind_name[op->serving],
			       object_text(op->object.type, op->object.base, op->object.size), op->phase, op->cap.value & 0xff,
			       op->left.word[0], op->children);
	}
}

void diagram_end(void)
{
	drawing = false;
	for (unsigned core = 0; core < world.cores; core++)
		if (!world.core[core].dead) {
			list_capabilities(core);
			list_agreement(core);
		}
	if (only.type != CAP_Null)
		return;
	for (unsigned from = 0; from < world.cores; from++)
		for (unsigned to = 0; to < world.cores; to++)
			for (unsigned k = 0; k < world.queue[from][to].count; k++)
				printf("  still on its way from core %u to core %u: %s\n", from, to,
				       agreement_name((unsigned)world.queue[from][to].message[k].type));
}

/* ---- Events ------------------------------------------------------------------------------------- */

void diagram_started(const struct task *t)
{
	if (is_drawn(t->object.base, t->object.size))
		draw_at(t->request.core, "*", request_text(&t->request));
}

void diagram_done(const struct task *t)
{
	char words[160];

	if (!is_drawn(t->object.base, t->object.size))
		return;
	snprintf(words, sizeof words, "%s: %s", request_text(&t->request), err_name((err_t){t->error}));
	draw_at(t->request.core, "=", words);
}

void diagram_delivered(unsigned from, unsigned to, const struct message *m)
{
	union agreement_message said;

	memcpy(said.words, m->word, sizeof said.words);
	if (is_drawn(said.head.object & AGREEMENT_BASE_MASK, said.head.size))
		draw_arrow(from, to, agreement_name((unsigned)m->type),
		           object_text(said.head.object & AGREEMENT_TYPE_MASK, said.head.object & AGREEMENT_BASE_MASK, said.head.size));
}

void diagram_step(unsigned core)
{
	if (only.type == CAP_Null)
		draw_at(core, "+", "a slice of work");
}

void diagram_died(unsigned core)
{
	draw_at(core, "X", "dies");
}

void diagram_view(unsigned core)
{
	draw_at(core, "V", "hears of the new view");
}

void diagram_joined(unsigned core)
{
	draw_at(core, "J", "has started again, and is let in");
}
