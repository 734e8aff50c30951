/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "apps/compress/lz.h"

#include <stdbool.h>
#include <string.h>

#define HASH_BITS     12
#define LITERALS_MOST 128
#define MATCH_MOST    (127 + LZ_LEAST)
#define DISTANCE_MOST 65535

struct writer {
	uint8_t *out;
	size_t at, capacity;
};

static bool put_literals(struct writer *w, const uint8_t *from, size_t bytes)
{
	while (bytes > 0) {
		size_t some = bytes < LITERALS_MOST ? bytes : LITERALS_MOST;

		if (w->capacity - w->at < some + 1)
			return false;
		w->out[w->at++] = (uint8_t)(some - 1);
		memcpy(w->out + w->at, from, some);
		w->at += some;
		from += some;
		bytes -= some;
	}
	return true;
}

static bool put_match(struct writer *w, size_t length, size_t distance)
{
	if (w->capacity - w->at < 3)
		return false;
	w->out[w->at++] = (uint8_t)(128 + length - LZ_LEAST);
	w->out[w->at++] = (uint8_t)distance;
	w->out[w->at++] = (uint8_t)(distance >> 8);
	return true;
}

static uint32_t hash(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof word);
	return word * UINT32_C(2654435761) >> (32 - HASH_BITS); /* Knuth, TAOCP vol. 3, 6.4 */
}

static size_t match_length(const uint8_t *a, const uint8_t *b, size_t most)
{
	size_t length = 0;

	while (length < most && length < MATCH_MOST && a[length] == b[length])
		length++;
	return length;
}

size_t lz_compress(const uint8_t *in, size_t bytes, uint8_t *out, size_t capacity)
{
	uint32_t last[1 << HASH_BITS] = {0}; /* where these bytes were last seen, plus one */
	struct writer w = {out, 0, capacity};
	size_t literals = 0, at = 0;

	while (at + LZ_LEAST <= bytes) {
		uint32_t *seen = &last[hash(in + at)];
		size_t before = *seen, length = 0;

		*seen = (uint32_t)at + 1;
		if (before > 0 && at - (before - 1) <= DISTANCE_MOST)
			length = match_length(in + before - 1, in + at, bytes - at);
		if (length < LZ_LEAST) {
			at++;
			continue;
		}
		if (!put_literals(&w, in + literals, at - literals) || !put_match(&w, length, at - (before - 1)))
			return LZ_NONE;
		at += length;
		literals = at;
	}
	return put_literals(&w, in + literals, bytes - literals) ? w.at : LZ_NONE;
}

size_t lz_expand(const uint8_t *in, size_t bytes, uint8_t *out, size_t capacity)
{
	size_t at = 0, made = 0;

	while (at < bytes) {
		size_t length = in[at] < 128 ? (size_t)in[at] + 1 : (size_t)in[at] - 128 + LZ_LEAST;
		bool literal = in[at++] < 128;

		if (length > capacity - made || bytes - at < (literal ? length : 2))
			return LZ_NONE;
		if (literal) {
			memcpy(out + made, in + at, length);
			at += length;
			made += length;
			continue;
		}
		size_t distance = in[at] | (size_t)in[at + 1] << 8;

		at += 2;
		if (distance == 0 || distance > made)
			return LZ_NONE;
		/* Byte by byte: a match may reach into what it makes. */
		for (; length > 0; length--, made++)
			out[made] = out[made - distance];
	}
	return made;
}
