/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: libos/stubs/wire.c generated/tests/hosted/interfaces/sample.c

/* A reader of messages gets any bytes. Whatever it reads out of them can be written, and reads the same again. */

#include <stdlib.h>
#include <string.h>

#include "tests/hosted/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t again[4096];
	size_t count = size / sizeof(uint64_t), written;
	uint64_t *words = malloc(count * sizeof *words + 1); /* of exactly that size: reading beyond it is found */
	struct sample sample, copy;
	struct inner inner;

	memcpy(words, data, count * sizeof *words);
	(void)!(inner_decode(words, count, &inner) == WIRE_FAULT_NONE);
	if (sample_decode(words, count, &sample) == WIRE_FAULT_NONE) {
		written = sample_encode(again, sizeof again / sizeof again[0], &sample);
		if (written == 0 && count < 2000)
			abort();
		if (written != 0 && (sample_decode(again, written, &copy) != WIRE_FAULT_NONE || !same_sample(&sample, &copy)))
			abort();
	}
	free(words);
	return 0;
}
