/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Kernel.split: one RAM object becomes two that lie side by side.
 *
 * A monitor that gives a part of its memory to another core cuts there first, so that no capability of its own covers what belongs to
 * the other. Nothing else changes: what was made out of the memory lies in the one half or the other. An object across the cut would lie in
 * neither, so there must be none.
 *
 *   W0 RAM, the only copy here, W1 offset of the cut, W2 CNode, W3 slot for the part from there on */

#include "cpudriver/capability/arguments.h"
#include "cpudriver/capability/database.h"
#include "cpudriver/capability/delete.h"

/* An object that is equal to a half would become its copy: then it must not be known to other cores either. */
static bool is_shared(const struct capabilities *c, uint64_t base, uint64_t size)
{
	const struct slot object = {.base = base, .size = size, .type = CAP_RAM};
	const struct slot *s = database_not_before(c, &object);

	return s && same_object(s, &object) && s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN);
}

static err_t check_cut(const struct capabilities *c, const struct slot *s, uint64_t offset)
{
	uint64_t cut = s->base + offset;

	if (offset % PAGE_BYTES)
		return ERR(ALIGNMENT);
	if (!offset || offset >= s->size)
		return ERR(RANGE);
	if (s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN) || is_shared(c, s->base, offset) || is_shared(c, cut, s->size - offset))
		return ERR(NEEDS_AGREEMENT);
	if (another_copy(s))
		return ERR(STATE);
	/* of what reaches past the cut from below, the smallest is the last */
	return database_last_reaching(c, database_from(c, cut), cut) == s ? OK : ERR(OVERLAP);
}

err_t op_Kernel_split(struct invocation *i)
{
	uint64_t offset = i->word[1];
	struct slot *s, *rest;
	err_t e = cap_argument(i, i->word[0], CAP_RAM, RIGHTS(0), &s);

	if (is_ok(e))
		e = destination(i, i->word[2], i->word[3], &rest);
	if (is_ok(e))
		e = check_cut(i->caps, s, offset);
	if (err_is(e, ERR_NUMBER_OVERLAP) && i->caps->zombies)
		return deletions_first(i->caps); /* perhaps just the rest of a deletion */
	if (is_err(e))
		return e;

	*rest = (struct slot){.base = s->base + offset, .size = s->size - offset, .type = CAP_RAM, .rights = s->rights, .owner = s->owner};
	database_shrink(s, offset);
	database_insert(i->caps, rest, database_from(i->caps, rest->base));
	return OK;
}
