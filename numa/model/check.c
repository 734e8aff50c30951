/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Checks that all tables have in common, and the notes that say what was wrong. */

#include "numa/model/parse.h"

uint8_t byte_sum(const uint8_t *at, size_t bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + at[i]);
	return sum;
}

struct text machine_note(struct machine *machine)
{
	if (machine->note_count == MACHINE_NOTES)
		return text_begin(NULL, 0);
	return text_begin(machine->notes[machine->note_count++], MACHINE_NOTE_BYTES);
}

void machine_refuse(struct machine *machine, const char *name, const char *what, size_t offset)
{
	struct text note = machine_note(machine);

	text_string(&note, name);
	text_string(&note, " refused: ");
	text_string(&note, what);
	text_string(&note, " at offset ");
	text_decimal(&note, offset);
}

static bool same_signature(const uint8_t *at, const char *signature)
{
	return at[0] == (uint8_t)signature[0] && at[1] == (uint8_t)signature[1] && at[2] == (uint8_t)signature[2] &&
	       at[3] == (uint8_t)signature[3];
}

bool machine_check_table(struct machine *machine, const struct machine_table *table, const char *signature, const char *name, size_t least,
                         struct checked *checked)
{
	const uint8_t *at = table->at;

	if (at == NULL)
		return false;
	if (table->bytes < SDT_HEADER_BYTES) {
		machine_refuse(machine, name, "the header is cut off", table->bytes);
		return false;
	}
	if (!same_signature(at, signature)) {
		machine_refuse(machine, name, "the signature is another one", 0);
		return false;
	}
	uint32_t length = load32(at + SDT_LENGTH);
	if (length < least || length > table->bytes) {
		machine_refuse(machine, name, length < least ? "too short a length" : "a length beyond the table's end", SDT_LENGTH);
		return false;
	}
	if (byte_sum(at, length) != 0) {
		machine_refuse(machine, name, "wrong checksum", 9); /* ACPI 6.4, table 5.4 */
		return false;
	}

	*checked = (struct checked){at, length, name};
	machine->has_acpi = 1;
	return true;
}

bool machine_next_entry(const struct checked *table, uint32_t first, struct entry *entry)
{
	entry->offset = entry->at == NULL ? first : entry->offset + entry->at[1];
	entry->at = table->at + entry->offset;
	return entry->offset < table->length;
}

bool machine_check_entries(struct machine *machine, const struct checked *table, uint32_t first, const uint8_t *least, unsigned least_count)
{
	for (uint32_t offset = first; offset < table->length; offset += table->at[offset + 1]) {
		uint32_t left = table->length - offset;
		if (left < 2) {
			machine_refuse(machine, table->name, "half an entry", offset);
			return false;
		}
		uint8_t type = table->at[offset], length = table->at[offset + 1];
		uint8_t want = type < least_count && least[type] > 2 ? least[type] : 2;
		if (length < want || length > left) {
			machine_refuse(machine, table->name,
			               length < want ? "an entry shorter than its type needs" : "an entry beyond the table's end", offset);
			return false;
		}
	}
	return true;
}
