/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/clear.h"

#define SLICE (256 * KIB)

err_t clear_slice(const struct block *b, uint64_t *cleared)
{
	uint64_t left = b->bytes - *cleared, bytes = left < SLICE ? left : SLICE;
	struct view view;
	err_t e = view_open(b, *cleared, bytes, &view);

	if (is_err(e))
		return e;
	memset(view.at, 0, bytes);
	view_close(&view);
	*cleared += bytes;
	return OK;
}
