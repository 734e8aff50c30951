/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdbool.h>
#include <string.h>

#include "monitor/abi/start.h"
#include "monitor/spawn_text.h"

static bool skip_strings(const struct spawn_strings *s, unsigned count, size_t *at)
{
	for (unsigned i = 0; i < count; i++) {
		const char *zero = *at < s->bytes ? memchr(s->first + *at, 0, s->bytes - *at) : NULL;

		if (zero == NULL)
			return false;
		*at = (size_t)(zero + 1 - s->first);
	}
	return true;
}

err_t spawn_text_read(const void *text, size_t bytes, struct spawn_strings *out)
{
	struct spawn_order order;
	size_t end;

	if (bytes < sizeof(order) || bytes - sizeof(order) > PAGE_BYTES - sizeof(struct domain_start))
		return ERR(ARGUMENT);
	memcpy(&order, text, sizeof(order));
	*out = (struct spawn_strings){.order = order,
	                              .first = (const char *)text + sizeof(order),
	                              .bytes = bytes - sizeof(order),
	                              .arguments = order.arguments,
	                              .environment = order.environment};
	if (out->arguments == 0 || !skip_strings(out, out->arguments, &out->environment_at))
		return ERR(ARGUMENT);
	end = out->environment_at;
	return skip_strings(out, out->environment, &end) && end == out->bytes ? OK : ERR(ARGUMENT);
}
