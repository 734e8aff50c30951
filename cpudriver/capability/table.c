/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The table of operations. A line of invocations.def is one entry; a line for `Any` is one for each type. */

#include "cpudriver/capability/capability.h"

#define NONE    0
#define READ    RIGHT_READ
#define WRITE   RIGHT_WRITE
#define CONTROL RIGHT_CONTROL

enum range {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) FIRST_##name = (number), LAST_##name = (number),
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
	FIRST_Any = CAP_Null + 1,
	LAST_Any = CAP_TYPES - 1,
};

#define INVOCATION(type, name, number, rights) _Static_assert((number) < OPERATION_LIMIT, "raise OPERATION_LIMIT");
#include "cpudriver/abi/invocations.def"
#undef INVOCATION

err_t no_operation(struct invocation *i)
{
	return i->self->type == CAP_Null ? ERR(CAP_EMPTY) : ERR(OPERATION);
}

/* Entries that invocations.def names replace the general one. */
#pragma GCC diagnostic ignored "-Woverride-init"

handler_t *const operation_handler[CAP_TYPES_ALL][OPERATION_LIMIT] = {
    [0 ... CAP_TYPES_ALL - 1][0 ... OPERATION_LIMIT - 1] = no_operation,
#define INVOCATION(type, name, number, rights) [FIRST_##type... LAST_##type][number] = op_##type##_##name,
#include "cpudriver/abi/invocations.def"
#undef INVOCATION
    /* whoever asked for the deletion repeats it until it is done */
    [CAP_ZOMBIE_CNODE... CAP_ZOMBIE_DISPATCHER][OP_Any_delete] = op_Any_delete,
};

const uint8_t operation_rights[CAP_TYPES_ALL][OPERATION_LIMIT] = {
#define INVOCATION(type, name, number, rights) [FIRST_##type... LAST_##type][number] = rights,
#include "cpudriver/abi/invocations.def"
#undef INVOCATION
};
