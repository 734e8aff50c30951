/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/domain/options.h"

#define CORES (64 * CORE_SET_WORDS)

/* ---- Load ---- */

void load_of(const struct domain_info *list, unsigned count, struct core_load *out)
{
	out->domains = count;
	out->runnable = 0;
	for (unsigned i = 0; i < count; i++)
		out->runnable += list[i].state == DISPATCHER_RUNNABLE;
}

static bool has_less(const struct core_load *a, const struct core_load *b)
{
	if (a->runnable != b->runnable)
		return a->runnable < b->runnable;
	return a->domains != b->domains ? a->domains < b->domains : a->core < b->core;
}

uint32_t load_least(const struct core_load *loads, unsigned count)
{
	const struct core_load *least = &loads[0];

	for (unsigned i = 1; i < count; i++)
		if (has_less(&loads[i], least))
			least = &loads[i];
	return least->core;
}

/* ---- What is wrong ---- */

static err_t wrong(struct text *why, err_t e, const char *before, uint64_t number, const char *behind)
{
	text_add(why, before);
	text_add_number(why, number);
	text_add(why, behind);
	return e;
}

static err_t check_core(uint64_t core, const struct core_info *cores, unsigned count, struct text *why)
{
	for (unsigned i = 0; i < count; i++)
		if (cores[i].core == core)
			return cores[i].alive ? OK : wrong(why, ERR(CORE_DEAD), "core ", core, " does not answer");
	return wrong(why, ERR(CORE_UNKNOWN), "the machine has no core ", core, "");
}

static err_t check_set(const struct domain_options *o, const struct core_info *cores, unsigned count, struct text *why)
{
	bool any = false;
	err_t e = OK;

	for (unsigned core = 0; core < CORES && is_ok(e); core++)
		if (o->cores[core / 64] >> core % 64 & 1) {
			any = true;
			e = check_core(core, cores, count, why);
		}
	if (is_err(e) || any)
		return e;
	text_add(why, "the set of cores is empty");
	return ERR(ARGUMENT);
}

static err_t check_node(uint32_t node, const struct core_info *cores, unsigned count, struct text *why)
{
	for (unsigned i = 0; i < count; i++)
		if (cores[i].node == node && cores[i].alive)
			return OK;
	return wrong(why, ERR(CORE_UNKNOWN), "node ", node, " has no core that answers");
}

static err_t check_place(const struct domain_options *o, const struct core_info *cores, unsigned count, struct text *why)
{
	switch (o->where) {
	case DOMAIN_HERE:
		return OK;
	case DOMAIN_ON_CORE:
		return check_core(o->core, cores, count, why);
	case DOMAIN_ON_CORES:
		return check_set(o, cores, count, why);
	case DOMAIN_ON_NODE:
		return check_node(o->node, cores, count, why);
	default:
		return wrong(why, ERR(ARGUMENT), "there is no such place as number ", (uint64_t)o->where, " (enum domain_where)");
	}
}

err_t options_check(const struct domain_options *o, const struct core_info *cores, unsigned count, struct text *why)
{
	if (o->arguments == NULL || o->arguments[0] == NULL || o->arguments[0][0] == '\0') {
		text_add(why, "no program is named");
		return ERR(ARGUMENT);
	}
	if (o->gifts > DOMAIN_GIFTS_MAX)
		return wrong(why, ERR(LIMIT), "more than ", DOMAIN_GIFTS_MAX, " capabilities can't be handed over");
	if (o->quota != 0 && o->memory > o->quota) {
		text_add(why, "a quota of ");
		text_add_number(why, o->quota);
		return wrong(why, ERR(ARGUMENT), " bytes is less than the ", o->memory, " bytes to begin with");
	}
	if (o->quota != 0 && o->memory == 0 && o->quota < DOMAIN_LEAST_MEMORY)
		return wrong(why, ERR(ARGUMENT), "a quota of ", o->quota, " bytes is less than any program begins with");
	return check_place(o, cores, count, why);
}

static void explain(struct text *why, const char *before, const char *name, const char *behind)
{
	text_add(why, before);
	text_add(why, name);
	text_add(why, behind);
}

void options_explain(const struct domain_options *o, uint64_t core, err_t e, struct text *why)
{
	const char *name = o->arguments[0];

	switch (e.number) {
	case ERR_NUMBER_NOT_FOUND:
		explain(why, "the boot archive has no program ", name, "");
		break;
	case ERR_NUMBER_FORMAT:
		explain(why, "", name, " is not a program");
		break;
	case ERR_NUMBER_RANGE:
		explain(why, "the arguments and the environment of ", name, " do not fit a page");
		break;
	case ERR_NUMBER_PERMISSION:
		explain(why, "the boot manifest binds ", name, " to another core");
		break;
	case ERR_NUMBER_NO_MEMORY:
		explain(why, "there is not so much memory for ", name, "");
		break;
	default:
		explain(why, "", name, " can't be started: ");
		text_add(why, err_sentence(e));
		break;
	}
	if (core != CORE_HERE) {
		text_add(why, " (core ");
		text_add_number(why, core);
		text_add(why, ")");
	}
}
