/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The functions of <string.h> that the loader and its compiler use. Copies go by 8 bytes where they can: an emulator counts and runs each
 * repetition of a string instruction as one instruction. */

#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	void *t = to;
	size_t words = bytes / 8, rest = bytes % 8;

	__asm__ volatile("rep movsq" : "+D"(t), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(t), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *t = to;
	size_t words = bytes / 8, rest = bytes % 8;
	uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);

	__asm__ volatile("rep stosq" : "+D"(t), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(t), "+c"(rest) : "a"(pattern) : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if ((uintptr_t)t <= (uintptr_t)f || (uintptr_t)t >= (uintptr_t)f + bytes)
		return memcpy(to, from, bytes);
	while (bytes-- > 0)
		__asm__ volatile("movb %1, %%al; movb %%al, %0" : "=m"(t[bytes]) : "m"(f[bytes]) : "al");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

void *memchr(const void *s, int c, size_t bytes)
{
	const uint8_t *p = s;

	for (size_t i = 0; i < bytes; i++)
		if (p[i] == (uint8_t)c)
			return (void *)(uintptr_t)&p[i];
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++)
		__asm__ volatile(""); /* else the compiler makes it a call of strlen */
	return n;
}

size_t strcspn(const char *s, const char *reject)
{
	size_t n = 0;

	while (s[n] && !memchr(reject, s[n], strlen(reject)))
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (a[i] != b[i] || a[i] == 0)
			return (uint8_t)a[i] - (uint8_t)b[i];
	return 0;
}
