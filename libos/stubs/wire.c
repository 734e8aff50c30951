/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* A pointer is a word; its lowest two bits say of what kind (https://capnproto.org/encoding.html):
 *
 *   0 struct       bits  2..31  offset from the word behind the pointer, signed
 *                       32..47  words of the data section
 *                       48..63  pointers behind it
 *   1 list         bits  2..31  offset
 *                       32..34  size of an element
 *                       35..63  number of elements
 *   2 far, 3 capability: not here
 *
 * A word of zeroes is the null pointer. */

#include <string.h>

#include <atoll/wire.h>

enum { POINTER_STRUCT = 0, POINTER_LIST = 1 };

const char *wire_fault_sentence(enum wire_fault fault)
{
	static const char *const sentences[] = {
#define FAULT(name, sentence) [WIRE_FAULT_##name] = (sentence),
	    WIRE_FAULTS(FAULT)
#undef FAULT
	};

	return (size_t)fault < sizeof(sentences) / sizeof(sentences[0]) ? sentences[fault] : "unknown";
}

static unsigned kind_of(uint64_t pointer)
{
	return pointer & 3;
}
static int64_t offset_of(uint64_t pointer)
{
	return (int32_t)pointer >> 2;
}

/* ---- Reading ---- */

static void fail(struct wire_reader *r, enum wire_fault fault)
{
	if (r->fault == WIRE_FAULT_NONE)
		r->fault = fault;
	r->budget = 0;
}

/* Where the pointer at index `at` leads, if all of `words` there lie inside the message. */
static bool follow(struct wire_reader *r, uint32_t at, uint64_t pointer, uint64_t words, uint32_t *target)
{
	int64_t begin = (int64_t)at + 1 + offset_of(pointer);

	if (begin < 0 || (uint64_t)begin > r->count || words > r->count - (uint64_t)begin) {
		fail(r, WIRE_FAULT_BOUNDS);
		return false;
	}
	if (words > r->budget) {
		fail(r, WIRE_FAULT_AGAIN);
		return false;
	}
	r->budget -= (uint32_t)words;
	*target = (uint32_t)begin;
	return true;
}

static struct wire_struct read_struct(struct wire_reader *r, uint32_t at)
{
	uint64_t pointer = r->words[at];
	struct wire_struct s = {.data_words = (uint16_t)(pointer >> 32), .pointer_count = (uint16_t)(pointer >> 48)};

	if (pointer == 0 || r->fault != WIRE_FAULT_NONE)
		return (struct wire_struct){0};
	if (kind_of(pointer) != POINTER_STRUCT) {
		fail(r, kind_of(pointer) == POINTER_LIST ? WIRE_FAULT_KIND : WIRE_FAULT_SEGMENT);
		return (struct wire_struct){0};
	}
	if (!follow(r, at, pointer, (uint64_t)s.data_words + s.pointer_count, &s.data))
		return (struct wire_struct){0};
	s.pointers = s.data + s.data_words;
	return s;
}

struct wire_struct wire_read_root(struct wire_reader *r, const uint64_t *words, size_t count)
{
	*r = (struct wire_reader){.words = words, .count = (uint32_t)count, .budget = (uint32_t)count};
	if (count == 0 || count > INT32_MAX) {
		fail(r, WIRE_FAULT_SHORT);
		return (struct wire_struct){0};
	}
	return read_struct(r, 0);
}

struct wire_struct wire_read_struct(struct wire_reader *r, const struct wire_struct *s, unsigned pointer)
{
	return pointer < s->pointer_count ? read_struct(r, s->pointers + pointer) : (struct wire_struct){0};
}

/* Elements of a whole number of bytes. */
const void *wire_read_list(struct wire_reader *r, const struct wire_struct *s, unsigned pointer, enum wire_size size, uint32_t *count)
{
	uint32_t at = s->pointers + pointer, target;
	uint64_t word, bytes;

	*count = 0;
	if (pointer >= s->pointer_count || r->fault != WIRE_FAULT_NONE || r->words[at] == 0)
		return NULL;
	word = r->words[at];
	if (kind_of(word) != POINTER_LIST || (word >> 32 & 7) != size) {
		fail(r, kind_of(word) > POINTER_LIST ? WIRE_FAULT_SEGMENT : WIRE_FAULT_KIND);
		return NULL;
	}
	bytes = (word >> 35) << (size - WIRE_BYTE);
	if (!follow(r, at, word, (bytes + 7) / 8, &target))
		return NULL;
	*count = (uint32_t)(word >> 35);
	return r->words + target;
}

struct stub_data wire_read_data(struct wire_reader *r, const struct wire_struct *s, unsigned pointer)
{
	struct stub_data data;

	data.at = wire_read_list(r, s, pointer, WIRE_BYTE, &data.bytes);
	return data;
}

struct stub_text wire_read_text(struct wire_reader *r, const struct wire_struct *s, unsigned pointer)
{
	struct stub_data data = wire_read_data(r, s, pointer);
	const char *at = data.at;

	if (at == NULL)
		return (struct stub_text){0};
	if (data.bytes == 0 || at[data.bytes - 1] != 0) {
		fail(r, WIRE_FAULT_TEXT);
		return (struct stub_text){0};
	}
	return (struct stub_text){at, data.bytes - 1};
}

void wire_read_words(const struct wire_reader *r, const struct wire_struct *s, uint64_t *out, unsigned count)
{
	unsigned there = s->data_words < count ? s->data_words : count;

	memcpy(out, r->words + s->data, there * sizeof *out);
	memset(out + there, 0, (count - there) * sizeof *out);
}

/* ---- Writing ---- */

/* Zeroed words at the end. */
static bool take(struct wire_builder *b, uint64_t words, uint32_t *at)
{
	if (b->full || words > b->room - b->used) {
		b->full = true;
		return false;
	}
	*at = b->used;
	memset(b->words + b->used, 0, words * sizeof *b->words);
	b->used += (uint32_t)words;
	return true;
}

bool wire_build_struct(struct wire_builder *b, uint32_t pointer, unsigned data_words, unsigned pointers, uint32_t *at)
{
	if (!take(b, (uint64_t)data_words + pointers, at))
		return false;
	b->words[pointer] = wire_struct_pointer((int32_t)(*at - pointer - 1), (uint16_t)data_words, (uint16_t)pointers);
	return true;
}

bool wire_build_root(struct wire_builder *b, uint64_t *words, size_t room, unsigned data_words, unsigned pointers, uint32_t *at)
{
	uint32_t root;

	*b = (struct wire_builder){.words = words, .room = (uint32_t)room};
	return take(b, 1, &root) && wire_build_struct(b, root, data_words, pointers, at);
}

static uint8_t *build_list(struct wire_builder *b, uint32_t pointer, enum wire_size size, uint64_t count)
{
	uint64_t words = ((count << (size - WIRE_BYTE)) + 7) / 8;
	uint32_t at;

	if (!take(b, words, &at))
		return NULL;
	b->words[pointer] = POINTER_LIST | (uint64_t)(at - pointer - 1) << 2 | (uint64_t)size << 32 | count << 35;
	return (uint8_t *)(b->words + at);
}

void wire_build_list(struct wire_builder *b, uint32_t pointer, enum wire_size size, const void *elements, uint32_t count)
{
	uint8_t *to = elements == NULL ? NULL : build_list(b, pointer, size, count);

	if (to != NULL)
		memcpy(to, elements, (size_t)count << (size - WIRE_BYTE));
}

void wire_build_text(struct wire_builder *b, uint32_t pointer, struct stub_text text)
{
	uint8_t *to = text.at == NULL ? NULL : build_list(b, pointer, WIRE_BYTE, (uint64_t)text.bytes + 1);

	if (to != NULL)
		memcpy(to, text.at, text.bytes);
}
