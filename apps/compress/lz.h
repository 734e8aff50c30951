/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A small compressor of the Lempel-Ziv kind (Ziv and Lempel 1977), for pages. Pure.
 *
 * The output is a sequence of parts, each beginning with a byte c:
 *   c < 128    c + 1 bytes follow that stand for themselves
 *   c >= 128   c - 128 + LZ_LEAST bytes are as they were `distance` before; two bytes follow, the distance, low byte first */

#include <stddef.h>
#include <stdint.h>

#define LZ_LEAST 4
#define LZ_NONE  SIZE_MAX

/* Answers the length of the output; LZ_NONE: it does not fit. */
size_t lz_compress(const uint8_t *in, size_t bytes, uint8_t *out, size_t capacity);
/* Answers the length of what was compressed; LZ_NONE: it does not fit, or `in` was not made by lz_compress. */
size_t lz_expand(const uint8_t *in, size_t bytes, uint8_t *out, size_t capacity);
