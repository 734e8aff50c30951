/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Cap'n Proto's encoding (https://capnproto.org/encoding.html), as far as generated stubs need it: one segment of words, of structs, texts,
 * data, and lists of numbers. Pure: the same code runs in programs, in hosted tests and under the fuzzer.
 *
 * Reading. The message is a private copy, but its content is the peer's and may be anything. A pointer is followed only if all of what it
 * leads to lies inside the message. A well-formed message is a tree, so no word is read twice: every word that is followed is paid for from
 * a budget of as many words as the message has, and a message that points to one thing many times (amplification) runs out of it. How deep
 * pointers are followed is bounded by the types, which can't contain themselves. The first fault is kept; from then on everything reads as
 * empty, so the caller looks once, at the end. Pointers to other segments and to capabilities are faults: there are none.
 *
 * Another version's struct may be shorter or longer: what is missing reads as zeroes, which is the defaults, and what is new is skipped.
 *
 * Writing fills a caller's buffer from the front. When there is no room that is kept likewise, and nothing is written beyond. */

#include "cpudriver/abi/types.h"

/* Bytes that lie elsewhere: with what is sent in the caller's memory, with what is received in the message. A text has a zero behind it,
 * which does not count. `at` NULL: the default, or empty. */
struct stub_text {
	const char *at;
	uint32_t bytes;
};
struct stub_data {
	const void *at;
	uint32_t bytes;
};

/* Lists of numbers. They are little-endian and aligned, so they can be used in place. */
#define STUB_LIST(name, type)                                                                                                              \
	struct stub_list_##name {                                                                                                          \
		const type *at;                                                                                                            \
		uint32_t count;                                                                                                            \
	}
STUB_LIST(int8, int8_t);
STUB_LIST(int16, int16_t);
STUB_LIST(int32, int32_t);
STUB_LIST(int64, int64_t);
STUB_LIST(uint8, uint8_t);
STUB_LIST(uint16, uint16_t);
STUB_LIST(uint32, uint32_t);
STUB_LIST(uint64, uint64_t);
STUB_LIST(float32, float);
STUB_LIST(float64, double);

/* The size of a list's elements, in the list's pointer. */
enum wire_size { WIRE_BYTE = 2, WIRE_TWO_BYTES = 3, WIRE_FOUR_BYTES = 4, WIRE_EIGHT_BYTES = 5, WIRE_COMPOSITE = 7 };

/* What can be wrong with a message: FAULT(name, sentence). */
#define WIRE_FAULTS(FAULT)                                                                                                                 \
	FAULT(NONE, "the message is well-formed")                                                                                          \
	FAULT(SHORT, "the message has no root")                                                                                            \
	FAULT(BOUNDS, "a pointer leads out of the message")                                                                                \
	FAULT(KIND, "a pointer leads to something of another kind")                                                                        \
	FAULT(SEGMENT, "a pointer leads to another segment or to a capability")                                                            \
	FAULT(AGAIN, "the message points to the same words again and again")                                                               \
	FAULT(TEXT, "a text does not end in a zero byte")

/* The first of them that was found. */
enum wire_fault {
#define FAULT(name, sentence) WIRE_FAULT_##name,
	WIRE_FAULTS(FAULT)
#undef FAULT
};
/* In words. */
const char *wire_fault_sentence(enum wire_fault fault);

/* ---- Reading ---- */

/* A message that is read: `count` words, so many of which may still be followed. */
struct wire_reader {
	const uint64_t *words;
	uint32_t count;
	uint32_t budget;
	enum wire_fault fault;
};

/* A struct in the message. */
struct wire_struct {
	uint32_t data, pointers; /* index of the first word of each section */
	uint16_t data_words, pointer_count;
};

/* The root struct; on a fault one that is empty. */
struct wire_struct wire_read_root(struct wire_reader *r, const uint64_t *words, size_t count);
/* What a struct's pointer leads to. Absent, null or faulty: empty. */
struct wire_struct wire_read_struct(struct wire_reader *r, const struct wire_struct *s, unsigned pointer);
struct stub_text wire_read_text(struct wire_reader *r, const struct wire_struct *s, unsigned pointer);
struct stub_data wire_read_data(struct wire_reader *r, const struct wire_struct *s, unsigned pointer);
/* A list's first element, NULL if there is none. */
const void *wire_read_list(struct wire_reader *r, const struct wire_struct *s, unsigned pointer, enum wire_size size, uint32_t *count);
/* Copies the data section, as if it had exactly `count` words. */
void wire_read_words(const struct wire_reader *r, const struct wire_struct *s, uint64_t *out, unsigned count);

/* ---- Writing ---- */

/* A message that is written: how many words there are, are in use, and whether something had no room. */
struct wire_builder {
	uint64_t *words;
	uint32_t room, used;
	bool full;
};

/* Zeroed structs; the answer is the index of the data section, behind which the pointers lie. False: no room. */
bool wire_build_root(struct wire_builder *b, uint64_t *words, size_t room, unsigned data_words, unsigned pointers, uint32_t *at);
bool wire_build_struct(struct wire_builder *b, uint32_t pointer, unsigned data_words, unsigned pointers, uint32_t *at);
void wire_build_text(struct wire_builder *b, uint32_t pointer, struct stub_text text);
void wire_build_list(struct wire_builder *b, uint32_t pointer, enum wire_size size, const void *elements, uint32_t count);
static inline void wire_build_data(struct wire_builder *b, uint32_t pointer, struct stub_data data)
{
	wire_build_list(b, pointer, WIRE_BYTE, data.at, data.bytes);
}

/* The word in front of bare data words that makes a message of them, as `capnp decode --flat` wants it. */
static inline uint64_t wire_struct_pointer(int32_t offset, uint16_t data_words, uint16_t pointers)
{
	return (uint64_t)((uint32_t)offset << 2) | (uint64_t)data_words << 32 | (uint64_t)pointers << 48;
}

/* ---- Floating-point numbers, as bits ---- */

/* The bits of a number. */
static inline uint32_t wire_bits_of_float(float value)
{
	uint32_t bits;

	__builtin_memcpy(&bits, &value, sizeof bits);
	return bits;
}
/* The bits of a number. */
static inline uint64_t wire_bits_of_double(double value)
{
	uint64_t bits;

	__builtin_memcpy(&bits, &value, sizeof bits);
	return bits;
}
/* The number of these bits. */
static inline float wire_float(uint32_t bits)
{
	float value;

	__builtin_memcpy(&value, &bits, sizeof value);
	return value;
}
/* The number of these bits. */
static inline double wire_double(uint64_t bits)
{
	double value;

	__builtin_memcpy(&value, &bits, sizeof value);
	return value;
}
