/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/captop/picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <atoll/capability.h>

static const char *operation_name(unsigned kind)
{
	static const char *const names[] = {
	    [ASKED_COPY] = "copy",         [ASKED_MOVE] = "move",           [ASKED_RETYPE] = "retype",
	    [ASKED_DELETE] = "delete",     [ASKED_REVOKE] = "revoke",       [PART_SWEEP] = "sweep",
	    [PART_OWNER] = "owner's part", [PART_HOLDER] = "holder's part", [PART_TRANSFER] = "transfer",
	};

	return kind < sizeof(names) / sizeof(names[0]) && names[kind] != NULL ? names[kind] : "?";
}

/* ---- Putting together ---- */

void picture_begin(struct picture *p)
{
	memset(p, 0, sizeof(*p));
}

static void add_row(struct picture_row *rows, unsigned *count, uint32_t core, const struct agreement_info *record)
{
	if (*count < PICTURE_ROWS_MAX)
		rows[*count] = (struct picture_row){core, *record};
	++*count;
}

static void add_cost(struct picture *p, const struct agreement_info *record)
{
	if (record->detail >= ASKED_KINDS)
		return;
	p->cost[record->detail].operations += record->word[0];
	p->cost[record->detail].messages += record->word[1];
	p->cost[record->detail].cycles += record->word[2];
	if (record->word[3] > p->cost[record->detail].longest)
		p->cost[record->detail].longest = record->word[3];
}

void picture_add(struct picture *p, uint32_t core, const struct agreement_info *record)
{
	struct picture_core *c;

	if (core >= MACHINE_CORES)
		return;
	c = &p->core[core];
	switch ((enum agreement_info_kind)record->kind) {
	case AGREEMENT_INFO_TRAFFIC:
		c->seen = true;
		c->view = record->base;
		c->sent = record->word[0];
		c->received = record->word[1];
		c->refused = record->word[2];
		break;
	case AGREEMENT_INFO_COST:
		add_cost(p, record);
		break;
	case AGREEMENT_INFO_OPERATION:
		c->operations++;
		add_row(p->operation, &p->operations, core, record);
		break;
	case AGREEMENT_INFO_OBJECT:
		c->anchors += (record->detail & AGREEMENT_ANCHORED) != 0;
		if (record->core != core)
			break; /* another owner's, for which this core keeps an anchor */
		c->owned++;
		add_row(p->object, &p->objects, core, record);
		break;
	default:
		break;
	}
}

/* ---- Text ---- */

static void add(struct picture_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct picture_text *out, const char *format, ...)
{
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vsnprintf(out->at + out->used, out->bytes - out->used, format, arguments);
	va_end(arguments);
	if (written < 0 || (size_t)written >= out->bytes - out->used)
		out->at[out->used] = '\0';
	else
		out->used += (size_t)written;
}

static bool holds(const struct agreement_info *object, unsigned core)
{
	return object->word[core / 64] >> core % 64 & 1;
}

/* "1-3 7": runs of cores. */
static void add_holders(struct picture_text *out, const struct agreement_info *object)
{
	for (unsigned core = 0; core < MACHINE_CORES; core++) {
		unsigned last = core;

		if (!holds(object, core))
			continue;
		while (last + 1 < MACHINE_CORES && holds(object, last + 1))
			last++;
		add(out, last > core ? " %u-%u" : " %u", core, last);
		core = last;
	}
}

static void add_object_name(struct picture_text *out, const struct agreement_info *is)
{
	add(out, "%-10s  0x%012llx  %8llu KiB", cap_type_name((enum cap_type)is->type), (unsigned long long)is->base,
	    (unsigned long long)(is->size / KIB));
}

static void add_head(struct picture_text *out, const struct picture *p)
{
	unsigned cores = 0;
	uint64_t view = 0;

	for (unsigned core = 0; core < MACHINE_CORES; core++) {
		cores += p->core[core].seen;
		if (p->core[core].view > view)
			view = p->core[core].view;
	}
	add(out, "captop: cores %u, view %llu, shared objects %u, operations under way %u\n", cores, (unsigned long long)view, p->objects,
	    p->operations);
}

static void add_cores(struct picture_text *out, const struct picture *p)
{
	add(out, "core  owned  anchors  operations        sent    received  refused\n");
	for (unsigned core = 0; core < MACHINE_CORES; core++) {
		const struct picture_core *c = &p->core[core];

		if (c->seen)
			add(out, "%4u  %5u  %7u  %10u  %10llu  %10llu  %7llu\n", core, c->owned, c->anchors, c->operations,
			    (unsigned long long)c->sent, (unsigned long long)c->received, (unsigned long long)c->refused);
	}
}

static void add_cost_row(struct picture_text *out, const struct picture *p, unsigned kind, uint64_t tsc_hz)
{
	const uint64_t n = p->cost[kind].operations;
	const double us = 1e6 / (double)(tsc_hz != 0 ? tsc_hz : 1);

	if (n > 0)
		add(out, "%-9s  %9llu  %13.1f  %9.1f  %10.1f\n", operation_name(kind), (unsigned long long)n,
		    (double)p->cost[kind].messages / (double)n, (double)p->cost[kind].cycles * us / (double)n,
		    (double)p->cost[kind].longest * us);
}

static void add_rest(struct picture_text *out, unsigned all, unsigned shown)
{
	if (all > shown)
		add(out, "... and %u more\n", all - shown);
}

static unsigned shown_of(unsigned all, unsigned rows)
{
	const unsigned kept = all < PICTURE_ROWS_MAX ? all : PICTURE_ROWS_MAX;

	return kept < rows ? kept : rows;
}

static void add_objects(struct picture_text *out, const struct picture *p, unsigned rows)
{
	const unsigned shown = shown_of(p->objects, rows);

	add(out, "object            address              size  owner  holders\n");
	for (unsigned i = 0; i < shown; i++) {
		const struct agreement_info *is = &p->object[i].is;

		add_object_name(out, is);
		add(out, "  %5u ", is->core);
		add_holders(out, is);
		add(out, "%s%s\n", is->detail & AGREEMENT_BUSY ? "  busy" : "", is->detail & AGREEMENT_MOVING ? "  changes its owner" : "");
	}
	add_rest(out, p->objects, shown);
}

static void add_operations(struct picture_text *out, const struct picture *p, unsigned rows)
{
	const unsigned shown = shown_of(p->operations, rows);

	if (p->operations == 0)
		return;
	add(out, "operation        on  with  object            address              size  messages  awaited\n");
	for (unsigned i = 0; i < shown; i++) {
		const struct agreement_info *is = &p->operation[i].is;

		add(out, "%-13s  %4u  %4u  ", operation_name(is->detail), p->operation[i].core, is->core);
		add_object_name(out, is);
		add(out, "  %8llu  %7llu\n", (unsigned long long)is->word[0], (unsigned long long)is->word[1]);
	}
	add_rest(out, p->operations, shown);
}

void picture_print(const struct picture *p, uint64_t tsc_hz, unsigned rows, struct picture_text *out)
{
	out->used = 0;
	out->at[0] = '\0';
	add_head(out, p);
	add_cores(out, p);
	add(out, "cost       completed  messages each    us each  longest us\n");
	for (unsigned kind = 1; kind < ASKED_KINDS; kind++)
		add_cost_row(out, p, kind, tsc_hz);
	add_objects(out, p, rows);
	add_operations(out, p, rows);
}
