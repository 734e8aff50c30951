/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#include "boot/loader/fw_cfg.h"
#include "boot/loader/ports.h"

#include <string.h>

/* QEMU docs/specs/fw_cfg: an item is selected through one port and read byte by byte from the next. */
#define SELECTOR       0x510
#define DATA           0x511
#define ITEM_SIGNATURE 0x0000
#define ITEM_DIRECTORY 0x0019

/* An entry of the directory; numbers are big-endian. */
struct directory_entry {
	uint32_t bytes;
	uint16_t item, reserved;
	char name[56];
};
_Static_assert(sizeof(struct directory_entry) == 64, "as QEMU gives it");

#define DIRECTORY_MAX 4096 /* entries; QEMU has some 20 */

static void select_item(uint16_t item)
{
	port_out16(SELECTOR, item);
}
static void read_data(void *to, size_t bytes)
{
	port_in_string8(DATA, to, bytes);
}

size_t fw_cfg_read(const char *name, char *to, size_t bytes)
{
	char signature[4];
	uint32_t count;

	select_item(ITEM_SIGNATURE);
	read_data(signature, sizeof(signature));
	if (memcmp(signature, "QEMU", sizeof(signature)) != 0)
		return 0;

	select_item(ITEM_DIRECTORY);
	read_data(&count, sizeof(count));
	count = __builtin_bswap32(count);
	for (uint32_t i = 0; i < count && i < DIRECTORY_MAX; i++) {
		struct directory_entry entry;
		read_data(&entry, sizeof(entry));
		if (strncmp(entry.name, name, sizeof(entry.name)) != 0)
			continue;
		size_t size = __builtin_bswap32(entry.bytes);
		select_item(__builtin_bswap16(entry.item));
		read_data(to, size < bytes ? size : bytes);
		return size;
	}
	return 0;
}
