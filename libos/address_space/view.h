/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Looking at pages of any slab from inside the library OS, whether they are mapped for the program or not. Inside sections, and not over a
 * wait. */

#include "libos/address_space/tables.h"

#define VIEWS      2
#define VIEW_BYTES PAGE_BYTES_LARGE

/* There are VIEWS windows from this address on. */
void page_view_start(uint64_t windows);
/* View number `view` on pages side by side, at most VIEW_BYTES. */
MUST_USE err_t page_view_open(unsigned view, struct page page, uint32_t pages, uint8_t **out);
void page_view_close(unsigned view);
