/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "numa/plan/validate.h"

#include <hwloc.h>
#include <stdio.h>

static void summarize(hwloc_topology_t topology, char *summary, size_t bytes)
{
	static const struct {
		hwloc_obj_type_t type;
		const char *name;
	} kinds[] = {{HWLOC_OBJ_NUMANODE, "nodes"}, {HWLOC_OBJ_PACKAGE, "packages"}, {HWLOC_OBJ_DIE, "dies"},
	             {HWLOC_OBJ_CORE, "cores"},     {HWLOC_OBJ_PU, "processors"},    {HWLOC_OBJ_MISC, "notes"}};
	size_t used = (size_t)snprintf(summary, bytes, "hwloc finds it consistent:");

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && used < bytes; i++)
		used += (size_t)snprintf(summary + used, bytes - used, "%s %d %s", i == 0 ? "" : ",",
		                         hwloc_get_nbobjs_by_type(topology, kinds[i].type), kinds[i].name);
	if (used < bytes)
		snprintf(summary + used, bytes - used, ".");
}

bool validate(const char *path, char *summary, size_t bytes)
{
	hwloc_topology_t topology = NULL;
	bool loaded = hwloc_topology_init(&topology) == 0 && hwloc_topology_set_xml(topology, path) == 0 &&
	              hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL) == 0 && hwloc_topology_load(topology) == 0;

	if (loaded) {
		hwloc_topology_check(topology);
		summarize(topology, summary, bytes);
	} else {
		snprintf(summary, bytes, "%s is not a machine that hwloc can load.", path);
	}
	if (topology != NULL)
		hwloc_topology_destroy(topology);
	return loaded;
}
