/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The functions of <string.h> that the compiler may call on its own (GCC manual, "Standards"), for objects of a few words. */

#include <string.h>

#include "cpudriver/abi/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	for (; bytes >= 8; bytes -= 8, t += 8, f += 8)
		__builtin_memcpy(t, f, 8);
	for (; bytes > 0; bytes--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	uint8_t *t = to;
	uint64_t word = (uint8_t)value * UINT64_C(0x0101010101010101);

	for (; bytes >= 8; bytes -= 8, t += 8)
		__builtin_memcpy(t, &word, 8);
	for (; bytes > 0; bytes--)
		*t++ = (uint8_t)value;
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t <= f)
		return memcpy(to, from, bytes);
	while (bytes-- > 0)
		t[bytes] = f[bytes];
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}
