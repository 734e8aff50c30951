/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What capabilities.def says about each type, as data. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"

struct type_facts {
	uint32_t bytes; /* of one object, 0: any multiple of the alignment */
	uint16_t alignment;
	uint16_t sources; /* types that it may be retyped from, bit by bit */
	uint8_t rights;
	bool crosses; /* other cores may have copies */
};

extern const struct type_facts type_facts[CAP_TYPES];

#define TYPE_BIT(type) (1u << (type))

/* Where a type's numbers lie in the database (LINE_*, capability.h). */
uint64_t type_line(enum cap_type type);

/* The types that an object of this type may lie in, however many generations above. */
unsigned type_ancestors(enum cap_type type);

/* OK if [number, number + size) can be an object of that type: ALIGNMENT, RANGE. */
MUST_USE err_t type_takes(enum cap_type type, uint64_t number, uint64_t size);
