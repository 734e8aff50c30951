/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* fetch and deliver: a monitor reaches into the capability space of a domain on its core, to take what the domain wants to have copied,
 * moved or deleted by agreement, and to put there what has come for it. An address means what it would mean if the domain itself
 * had used it: a slot of its root CNode, which the dispatcher is bound to, names a CNode, and that one's slot is it.
 *
 *   fetch    W0 dispatcher, W1 address there, W2 own CNode, W3 slot | FETCH_*<<8
 *   deliver  W0 own capability, W1 dispatcher, W2 address there, of an empty slot in a CNode that may be written
 *
 * The slots inside a dispatcher have no address, nor has anything in a CNode that is being taken apart. */

#include "cpudriver/capability/arguments.h"

/* The first slot of the root CNode that the dispatcher is bound to. */
static err_t space_of(const struct slot *dispatcher, struct slot **root)
{
	unsigned count;
	const struct slot *bound = dispatcher_slots(PADDR(dispatcher->base), &count);

	for (unsigned k = 0; k < count; k++)
		if (bound[k].type == CAP_CNode) {
			*root = cnode_slots(&bound[k]);
			return OK;
		}
	return ERR(NOT_CONFIGURED);
}

/* Decodes words as if the domain of that dispatcher had written them. */
static err_t their_words(const struct invocation *i, uint64_t dispatcher, struct invocation *theirs)
{
	struct slot *d;
	err_t e = cap_argument(i, dispatcher, CAP_Dispatcher, RIGHTS(RIGHT_CONTROL), &d);

	*theirs = (struct invocation){.caps = i->caps};
	return is_err(e) ? e : space_of(d, &theirs->root);
}

err_t op_Kernel_fetch(struct invocation *i)
{
	uint64_t how = i->word[3] >> 8;
	struct slot *from, *to;
	struct invocation theirs;
	err_t e = their_words(i, i->word[0], &theirs);

	if (is_ok(e))
		e = named_slot(&theirs, i->word[1], &from);
	if (is_ok(e))
		e = destination(i, i->word[2], i->word[3] & 0xff, &to);
	if (is_ok(e) && how > FETCH_MOVE)
		e = ERR(ARGUMENT);
	if (is_err(e))
		return e;

	if (how == FETCH_MOVE)
		slot_move(i->caps, from, to);
	else
		slot_copy(i->caps, from, to, RIGHTS(RIGHTS_ALL));
	return OK;
}

err_t op_Kernel_deliver(struct invocation *i)
{
	struct slot *from, *to;
	struct invocation theirs;
	err_t e = their_words(i, i->word[1], &theirs);

	if (is_ok(e))
		e = named_slot(i, i->word[0], &from);
	if (is_ok(e))
		e = empty_address(&theirs, i->word[2], &to);
	if (is_err(e))
		return e;

	slot_move(i->caps, from, to);
	return OK;
}
