/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The machine model as hwloc's XML (its version 2 format), which lstopo draws and every tool of hwloc reads.
 *
 * An APIC ID names package, die, core and thread by groups of its bits, and what shares a cache by another; all are prefixes, so the
 * cores in the order of their APIC IDs form a tree, whatever the firmware did. Nodes are the firmware's own business: one that has exactly
 * the cores of an object becomes its memory; one that has several neighbours gets a Group around them; one that has some of this and some
 * of that is the memory of the smallest object around all of them, for more hwloc can't say: the attribute Cores lists whose it is. A
 * PU's os_index is Atoll's number of the core. */

#include "numa/model.h"

enum machine_place { MACHINE_AT_ALL, MACHINE_AT_NODE, MACHINE_AT_CORE };

/* Something to be known of an object: an attribute, or, without a value, a box of its own in the picture. */
struct machine_annotation {
	enum machine_place at;
	unsigned index; /* of the node or core */
	const char *name, *value;
};

/* Text comes in pieces of any length, each ending with a NUL. */
typedef void machine_put_fn(void *context, const char *text);

void machine_write_hwloc_xml(const struct machine *machine, const struct machine_annotation *annotations, unsigned count,
                             machine_put_fn *put, void *context);
