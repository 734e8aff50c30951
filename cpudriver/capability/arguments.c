/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "cpudriver/capability/arguments.h"

err_t named_slot(const struct invocation *i, uint64_t word, struct slot **out)
{
	struct slot *s = word <= UINT16_MAX ? cap_slot(i->root, (cap_t){(uint16_t)word}) : NULL;

	if (!s)
		return ERR(CAP_ADDRESS);
	if (s->type == CAP_Null || s->type >= CAP_TYPES)
		return ERR(CAP_EMPTY);
	*out = s;
	return OK;
}

err_t cap_argument(const struct invocation *i, uint64_t word, enum cap_type type, rights_t rights, struct slot **out)
{
	err_t e = named_slot(i, word, out);

	if (is_err(e))
		return e;
	if ((*out)->type != type)
		return ERR(CAP_TYPE);
	if (rights.bits & ~(*out)->rights)
		return ERR(CAP_RIGHTS);
	return OK;
}

static err_t empty_slot_of(const struct slot *cnode, uint64_t slot, struct slot **out)
{
	if (!(cnode->rights & RIGHT_WRITE))
		return ERR(CAP_RIGHTS);
	if (slot >= CNODE_SLOTS)
		return ERR(ARGUMENT);
	*out = &cnode_slots(cnode)[slot];
	return (*out)->type == CAP_Null ? OK : ERR(SLOT_IN_USE);
}

err_t destination(const struct invocation *i, uint64_t cnode, uint64_t slot, struct slot **out)
{
	const struct slot *holder = cnode <= UINT16_MAX ? cap_slot(i->root, (cap_t){(uint16_t)cnode}) : NULL;

	if (!holder)
		return ERR(CAP_ADDRESS);
	if (holder->type != CAP_CNode)
		return holder->type == CAP_Null || holder->type >= CAP_TYPES ? ERR(CAP_EMPTY) : ERR(CAP_TYPE);
	return empty_slot_of(holder, slot, out);
}

err_t empty_address(const struct invocation *i, uint64_t word, struct slot **out)
{
	const struct slot *holder = word <= UINT16_MAX ? &i->root[word >> 8] : NULL;

	return holder && holder->type == CAP_CNode ? empty_slot_of(holder, word & 0xff, out) : ERR(CAP_ADDRESS);
}

err_t destinations(const struct invocation *i, uint64_t cnode, uint64_t slot, uint64_t count, struct slot **first)
{
	err_t e = destination(i, cnode, slot, first);

	if (is_err(e))
		return e;
	if (!count || count > CNODE_SLOTS - slot)
		return ERR(ARGUMENT);
	for (uint64_t k = 1; k < count; k++)
		if ((*first)[k].type != CAP_Null)
			return ERR(SLOT_IN_USE);
	return OK;
}
