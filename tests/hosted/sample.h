/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Samples (tests/hosted/interfaces/sample.capnp) to compare. Including files bring string.h. */

#include "generated/tests/hosted/interfaces/sample.h"

enum { SAMPLE_WORDS = 400 };

static inline bool same_bytes(const void *a, uint32_t a_bytes, const void *b, uint32_t b_bytes)
{
	return a_bytes == b_bytes && (a_bytes == 0 || memcmp(a, b, a_bytes) == 0);
}

/* An absent text reads as its default, which the reader puts there; absent lists read as empty. Numbers are compared bit by bit. */
static inline bool same_sample(const struct sample *a, const struct sample *b)
{
	uint64_t x[8] = {0}, y[8] = {0}, v[8] = {0}, w[8] = {0};

	sample_put(x, a);
	sample_put(y, b);
	inner_put(v, &a->inner);
	inner_put(w, &b->inner);
	return memcmp(x, y, sizeof x) == 0 && memcmp(v, w, sizeof v) == 0 && a->plain.value == b->plain.value &&
	       same_bytes(a->text.at, a->text.bytes, b->text.at, b->text.bytes) &&
	       same_bytes(a->inner.label.at, a->inner.label.bytes, b->inner.label.at, b->inner.label.bytes) &&
	       same_bytes(a->data.at, a->data.bytes, b->data.at, b->data.bytes) &&
	       same_bytes(a->bytes.at, a->bytes.count, b->bytes.at, b->bytes.count) &&
	       same_bytes(a->shorts.at, 2 * a->shorts.count, b->shorts.at, 2 * b->shorts.count) &&
	       same_bytes(a->words.at, 4 * a->words.count, b->words.at, 4 * b->words.count) &&
	       same_bytes(a->longs.at, 8 * a->longs.count, b->longs.at, 8 * b->longs.count) &&
	       same_bytes(a->floats.at, 4 * a->floats.count, b->floats.at, 4 * b->floats.count) &&
	       same_bytes(a->doubles.at, 8 * a->doubles.count, b->doubles.at, 8 * b->doubles.count);
}
