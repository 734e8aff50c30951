/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A frame of another core's as this monitor sees it, while it copies what a domain left there. */

#include "monitor/monitor.h"

struct foreign_frame {
	cap_t cap;
	void *at;
};
/* Only [offset, offset + bytes) of it can be read. */
MUST_USE err_t foreign_frame_open(struct monitor *m, const struct platform_remote *what, uint64_t offset, uint64_t bytes,
                                  struct foreign_frame *out);
void foreign_frame_close(struct monitor *m, struct foreign_frame *f);
