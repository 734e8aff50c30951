/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the parsers of single tables share. Private to numa/model.
 *
 * Every parser first checks its whole table and only then writes into the machine, so a refused table leaves no
 * trace but its note. The bytes come from firmware: nothing in them is trusted, and nothing is assumed aligned. */

#include "numa/model.h"
#include "numa/model/text.h"

enum {
	SDT_LENGTH = 4, /* ACPI 6.4, 5.2.6, table 5.4: offsets in the header that every table starts with */
	SDT_REVISION = 8,
	SDT_HEADER_BYTES = 36,
};

static inline uint16_t load16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t load32(const uint8_t *at)
{
	return load16(at) | (uint32_t)load16(at + 2) << 16;
}

static inline uint64_t load64(const uint8_t *at)
{
	return load32(at) | (uint64_t)load32(at + 4) << 32;
}

/* The sum of all bytes modulo 256, which is 0 in everything that ACPI protects by a checksum. */
uint8_t byte_sum(const uint8_t *at, size_t bytes);

/* A table after its header was checked: `length` bytes, all readable. */
struct checked {
	const uint8_t *at;
	uint32_t length;
	const char *name; /* "MADT", for sentences */
};

/* The next note to write; one that keeps nothing when all are used. */
struct text machine_note(struct machine *machine);

/* Writes "SRAT refused: <what> at offset <offset>". */
void machine_refuse(struct machine *machine, const char *name, const char *what, size_t offset);

/* Signature, length (at least `least`) and checksum. false: the table is missing, or refused with a note. */
__attribute__((warn_unused_result)) bool machine_check_table(struct machine *machine, const struct machine_table *table,
                                                             const char *signature, const char *name, size_t least,
                                                             struct checked *checked);

/* The MADT and the SRAT are sequences of entries that begin with their type and length. */
struct entry {
	const uint8_t *at;
	uint32_t offset; /* of the entry in its table */
};

/* Steps through the entries behind `first`; start with *entry zeroed. Only after machine_check_entries(). */
bool machine_next_entry(const struct checked *table, uint32_t first, struct entry *entry);

/* Whether all entries lie inside the table and none is shorter than least[its type] asks for. */
__attribute__((warn_unused_result)) bool machine_check_entries(struct machine *machine, const struct checked *table, uint32_t first,
                                                               const uint8_t *least, unsigned least_count);

/* machine->cores must hold at least the boot core. */
void machine_read_madt(struct machine *machine, const struct machine_table *table);

/* machine->cores must be complete. Sets their nodes, machine->nodes and machine->ranges. */
void machine_read_srat(struct machine *machine, const struct machine_table *table);

/* machine->nodes must be complete. */
void machine_read_slit(struct machine *machine, const struct machine_table *table);

void machine_read_hpet(struct machine *machine, const struct machine_table *table);
void machine_read_fadt(struct machine *machine, const struct machine_table *table);
void machine_read_mcfg(struct machine *machine, const struct machine_table *table);

/* Answers of machine_add_range. */
enum range_result { RANGE_ADDED, RANGE_OF_ANOTHER_NODE, RANGE_NO_ROOM };

/* Adds a range that does not wrap, in order, united with those of the same node that it overlaps. */
__attribute__((warn_unused_result)) enum range_result machine_add_range(struct machine *machine, const struct machine_range *range);
