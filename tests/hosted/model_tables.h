/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Builds ACPI tables byte by byte for the tests of the machine model. A finished table is copied into a heap block
 * of exactly its size, so that the address sanitizer sees a parser that reads one byte too far. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "numa/model.h"

struct table_maker {
	uint8_t bytes[16384];
	size_t length;
};

static inline void add(struct table_maker *t, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		t->bytes[t->length++] = (uint8_t)(value >> 8 * i);
}

static inline void set(struct table_maker *t, size_t offset, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		t->bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

/* The 36-byte header and `more` zero bytes. */
static inline struct table_maker begin_table(const char *signature, uint8_t revision, size_t more)
{
	struct table_maker t = {.length = 36 + more};

	memcpy(t.bytes, signature, 4);
	t.bytes[8] = revision;
	memcpy(t.bytes + 10, "ATOLL TESTTABL", 14);
	return t;
}

static inline void sign(struct table_maker *t)
{
	uint8_t sum = 0;

	set(t, 4, t->length, 4);
	t->bytes[9] = 0;
	for (size_t i = 0; i < t->length; i++)
		sum = (uint8_t)(sum + t->bytes[i]);
	t->bytes[9] = (uint8_t)-sum;
}

/* The bytes as they are, in a block of their own; release it with free((void *)table.at). */
static inline struct machine_table raw_table(const struct table_maker *t)
{
	uint8_t *copy = malloc(t->length);

	memcpy(copy, t->bytes, t->length);
	return (struct machine_table){copy, t->length};
}

static inline struct machine_table finish_table(struct table_maker *t)
{
	sign(t);
	return raw_table(t);
}

static inline struct table_maker begin_madt(void)
{
	struct table_maker t = begin_table("APIC", 5, 8);

	set(&t, 36, 0xfee00000, 4);
	set(&t, 40, 1, 4);
	return t;
}

static inline void add_lapic(struct table_maker *t, uint8_t uid, uint8_t apic, uint32_t flags)
{
	add(t, 0x0800, 2), add(t, uid, 1), add(t, apic, 1), add(t, flags, 4);
}

static inline void add_x2apic(struct table_maker *t, uint32_t uid, uint32_t apic, uint32_t flags)
{
	add(t, 0x1009, 2), add(t, 0, 2), add(t, apic, 4), add(t, flags, 4), add(t, uid, 4);
}

static inline void add_ioapic(struct table_maker *t, uint8_t id, uint32_t address, uint32_t first_gsi)
{
	add(t, 0x0c01, 2), add(t, id, 1), add(t, 0, 1), add(t, address, 4), add(t, first_gsi, 4);
}

static inline void add_isa_override(struct table_maker *t, uint8_t isa, uint32_t gsi, uint16_t flags)
{
	add(t, 0x0a02, 2), add(t, 0, 1), add(t, isa, 1), add(t, gsi, 4), add(t, flags, 2);
}

static inline struct table_maker begin_srat(uint8_t revision)
{
	return begin_table("SRAT", revision, 12);
}

static inline void add_core_affinity(struct table_maker *t, uint32_t proximity, uint8_t apic, uint32_t flags)
{
	add(t, 0x1000, 2), add(t, proximity, 1), add(t, apic, 1), add(t, flags, 4), add(t, 0, 1);
	add(t, proximity >> 8, 3), add(t, 0, 4);
}

static inline void add_x2apic_affinity(struct table_maker *t, uint32_t proximity, uint32_t apic, uint32_t flags)
{
	add(t, 0x1802, 2), add(t, 0, 2), add(t, proximity, 4), add(t, apic, 4), add(t, flags, 4), add(t, 0, 8);
}

static inline void add_memory_affinity(struct table_maker *t, uint32_t proximity, uint64_t base, uint64_t size, uint32_t flags)
{
	add(t, 0x2801, 2), add(t, proximity, 4), add(t, 0, 2), add(t, base, 8), add(t, size, 8), add(t, 0, 4);
	add(t, flags, 4), add(t, 0, 8);
}

static inline struct table_maker make_slit(const uint8_t *cells, uint64_t count)
{
	struct table_maker t = begin_table("SLIT", 1, 0);

	add(&t, count, 8);
	for (uint64_t i = 0; i < count * count; i++)
		add(&t, cells[i], 1);
	return t;
}
