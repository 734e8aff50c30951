/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include <atoll/address_space.h>

#include "monitor/modules.h"

/* The slot of ROOT_BOOT that holds a region has the region's number. */
static err_t map_region(const struct monitor *m, uint32_t module, const void **at, size_t *bytes)
{
	const struct core_boot *boot = m->boot;

	for (unsigned i = 0; i < boot->regions; i++) {
		const struct region *r = &boot->region[i];
		uint64_t into = boot->module[module].base - r->base;
		void *mapped;
		err_t e;

		if (r->kind != REGION_MODULE || r->index != module || into >= r->bytes || boot->module[module].bytes > r->bytes - into)
			continue;
		e = frame_map(CAP(ROOT_BOOT, i), 0, r->bytes, RIGHTS(RIGHT_READ), &mapped);
		if (is_ok(e)) {
			*at = (const uint8_t *)mapped + into;
			*bytes = boot->module[module].bytes;
		}
		return e;
	}
	return ERR(NOT_FOUND);
}

err_t module_map(const struct monitor *m, const char *name, const void **at, size_t *bytes)
{
	for (uint32_t i = 0; i < m->boot->modules && i < MODULES_MAX; i++)
		if (strncmp(m->boot->module[i].name, name, sizeof(m->boot->module[i].name)) == 0)
			return map_region(m, i, at, bytes);
	return ERR(NOT_FOUND);
}
