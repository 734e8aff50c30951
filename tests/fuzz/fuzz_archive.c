// sources: monitor/archive.c monitor/manifest.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Any bytes as an archive, and each file of what is accepted as a manifest. What is accepted must lie inside the input. */

#include <stdlib.h>
#include <string.h>

#include "monitor/archive.h"
#include "monitor/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void read_manifest(const void *text, size_t bytes)
{
	static struct manifest manifest;
	const char *why;
	unsigned line;

	if (is_err(manifest_read(text, bytes, &manifest, &why, &line))) {
		if (why == NULL || line == 0)
			abort();
		return;
	}
	for (unsigned i = 0; i < manifest.programs; i++)
		if (manifest_find(&manifest, manifest.program[i].name) != &manifest.program[i])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct archive archive;
	struct archive_file file;
	const char *why = NULL;
	size_t offset;

	read_manifest(data, bytes);
	if (is_err(archive_open(data, bytes, &archive, &why, &offset))) {
		if (why == NULL || offset > bytes + 3)
			abort();
		return 0;
	}
	for (offset = 0; is_ok(archive_entry(&archive, offset, &file, &why)); offset = file.next) {
		struct archive_file found;

		if (file.data < data || file.data + file.size > data + bytes || strlen(file.name) > bytes || file.next <= offset)
			abort();
		if (is_err(archive_find(&archive, file.name, &found)) || strcmp(found.name, file.name) != 0)
			abort();
		read_manifest(file.data, file.size);
	}
	return 0;
}
