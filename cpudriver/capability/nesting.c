/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "cpudriver/capability/nesting.h"

#include "cpudriver/capability/database.h"
#include "cpudriver/capability/types.h"

/* Objects that a new one may contain besides RAM, which may contain any number. */
#define CONTENTS_MAX 256

static bool may_lie_in(const struct slot *inner, const struct slot *outer)
{
	return type_ancestors(plain_type(inner->type)) & TYPE_BIT(plain_type(outer->type));
}

/* The objects from `s` on that lie in `object`. */
static err_t check_contents(const struct slot *s, const struct slot *object)
{
	for (unsigned n = 0; s && s->base < slot_end(object); s = database_next(s), n++) {
		if (!may_lie_in(s, object))
			return ERR(OVERLAP);
		if (object->type == CAP_RAM)
			return OK;
		if (n == CONTENTS_MAX)
			return ERR(LIMIT);
	}
	return OK;
}

err_t nesting_place(const struct capabilities *c, const struct slot *object, struct slot **next, struct slot **same)
{
	struct slot *after = database_after(c, object);
	struct slot *beyond = database_reaching(after, slot_end(object));
	struct slot *around = database_last_reaching(c, after, object->base);

	*next = after;
	*same = NULL;
	if (around && same_object(around, object)) {
		*same = around;
		return OK;
	}
	if (beyond && beyond->base < slot_end(object))
		return ERR(OVERLAP);
	if (around && (slot_end(around) < slot_end(object) || !may_lie_in(object, around)))
		return ERR(OVERLAP);
	return check_contents(after, object);
}
