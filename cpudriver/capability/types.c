/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "cpudriver/capability/types.h"

#include "cpudriver/capability/capability.h"

#define NONE       0
#define R          RIGHT_READ
#define W          RIGHT_WRITE
#define X          RIGHT_EXECUTE
#define C          RIGHT_CONTROL
#define FROM(type) TYPE_BIT(CAP_##type)
#define STAY       false
#define COPY       true

const struct type_facts type_facts[CAP_TYPES] = {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) [number] = {bytes, align, sources, rights, crosses},
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
};

uint64_t type_line(enum cap_type type)
{
	static const uint64_t lines[CAP_TYPES] = {
	    [CAP_IoPorts] = LINE_PORTS, [CAP_Interrupt] = LINE_INTERRUPTS, [CAP_Kernel] = LINE_KERNEL};

	return lines[type];
}

unsigned type_ancestors(enum cap_type type)
{
	unsigned found = type_facts[type].sources, before = 0;

	while (found != before) {
		before = found;
		for (unsigned t = 0; t < CAP_TYPES; t++)
			if (found & TYPE_BIT(t))
				found |= type_facts[t].sources;
	}
	return found;
}

/* One past the last number of each line that is not memory: 16-bit port numbers (Intel SDM vol. 1, 19.3), and the 32-bit global system
 * interrupts of ACPI (6.4, 5.2.13). */
static uint64_t line_limit(enum cap_type type)
{
	static const uint64_t limits[CAP_TYPES] = {[CAP_IoPorts] = UINT64_C(1) << 16, [CAP_Interrupt] = UINT64_C(1) << 32};

	return limits[type] ? limits[type] : WINDOW_BYTES;
}

err_t type_takes(enum cap_type type, uint64_t number, uint64_t size)
{
	const struct type_facts *facts = &type_facts[type];

	if (type == CAP_Kernel)
		return number || size ? ERR(RANGE) : OK;
	if (number % facts->alignment || size % facts->alignment)
		return ERR(ALIGNMENT);
	if (!size || (facts->bytes && size != facts->bytes))
		return ERR(RANGE);
	if (size > line_limit(type) || number > line_limit(type) - size)
		return ERR(RANGE);
	return OK;
}
