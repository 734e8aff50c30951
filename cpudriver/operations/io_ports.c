/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The operations of IoPorts.
 *
 *   in   W0 port, W1 bytes 1, 2 or 4 -> V0
 *   out  W0 port, W1 bytes 1, 2 or 4, W2 value */

#include "cpudriver/capability/capability.h"
#include "cpudriver/processor/instructions.h"

static err_t check(const struct invocation *i)
{
	uint64_t port = i->word[0], bytes = i->word[1], first = slot_number(i->self);

	if (bytes != 1 && bytes != 2 && bytes != 4)
		return ERR(ARGUMENT);
	if (port < first || port - first >= i->self->size || bytes > i->self->size - (port - first))
		return ERR(RANGE);
	return OK;
}

err_t op_IoPorts_in(struct invocation *i)
{
	err_t e = check(i);

	if (is_err(e))
		return e;
	i->value[0] = port_in((uint16_t)i->word[0], (unsigned)i->word[1]);
	return OK;
}

err_t op_IoPorts_out(struct invocation *i)
{
	err_t e = check(i);

	if (is_err(e))
		return e;
	port_out((uint16_t)i->word[0], (unsigned)i->word[1], (uint32_t)i->word[2]);
	return OK;
}
