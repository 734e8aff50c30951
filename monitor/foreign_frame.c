/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/foreign_frame.h"

#include <atoll/address_space.h>

#include "monitor/ends.h"

err_t foreign_frame_open(struct monitor *m, const struct platform_remote *what, uint64_t offset, uint64_t bytes, struct foreign_frame *out)
{
	err_t e = cap_slot_alloc(&out->cap);

	if (is_err(e))
		return e;
	e = platform_install(out->cap, what);
	if (is_err(e)) {
		cap_slot_free(out->cap);
		return e;
	}
	e = frame_map(out->cap, offset, bytes, RIGHTS(RIGHT_READ), &out->at);
	if (is_err(e))
		end_give_up(m, out->cap);
	return e;
}

void foreign_frame_close(struct monitor *m, struct foreign_frame *f)
{
	(void)!is_ok(frame_unmap(f->at));
	end_give_up(m, f->cap);
	f->at = NULL;
}
