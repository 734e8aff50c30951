/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* CPUID, which any program may ask. Intel SDM, volume 2A, CPUID; leaf 0x8000001d: AMD APM, volume 3, appendix E.4. */

#include "numa/acpi/leaves.h"

#define LEAF_EXTENDED 0x80000000u

enum { LEAVES = 4, SUBLEAVES = LEAVES_MAX / LEAVES };

static struct machine_leaf ask(uint32_t leaf, uint32_t subleaf)
{
	struct machine_leaf l = {.leaf = leaf, .subleaf = subleaf};

	__asm__("cpuid" : "=a"(l.a), "=b"(l.b), "=c"(l.c), "=d"(l.d) : "a"(leaf), "c"(subleaf));
	return l;
}

size_t leaves_read(struct machine_leaf leaves[LEAVES_MAX])
{
	static const uint32_t wanted[LEAVES] = {0x4, 0xb, 0x1f, 0x8000001d};
	size_t count = 0;

	for (unsigned i = 0; i < LEAVES; i++)
		for (unsigned subleaf = 0; subleaf < SUBLEAVES && ask(wanted[i] & LEAF_EXTENDED, 0).a >= wanted[i]; subleaf++)
			leaves[count++] = ask(wanted[i], subleaf);
	return count;
}
