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

err_t destination(const struct invocation *i, uint64_t cnode, uint64_t slot, uint64_t count, struct slot **first)
{
	struct slot *holder;
	err_t e = cap_argument(i, cnode, CAP_CNode, RIGHTS(RIGHT_WRITE), &holder);

	if (is_err(e))
		return e;
	if (!count || count > CNODE_SLOTS || slot > CNODE_SLOTS - count)
		return ERR(ARGUMENT);
	*first = &cnode_slots(holder)[slot];
	for (uint64_t k = 0; k < count; k++)
		if ((*first)[k].type != CAP_Null)
			return ERR(SLOT_IN_USE);
	return OK;
}
