/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Slabs of other members of the span, as this one knows them: by a copy of the capability, which it asks the owner for when it first needs
 * it and keeps. Inside sections. */

#include "libos/address_space/tables.h"
#include "libos/ipc/connection.h"

/* A copy of the capability of a page's slab in a new slot, and the page's physical address; of own slabs and of others'. STATE: the slab is
 * not known yet. */
MUST_USE err_t page_copy_cap(struct page page, cap_t *out);
uint64_t page_paddr(struct page page);

/* Whether the slab is known. If not it is asked for, and arrives (others_arrived) or is refused. */
bool others_have(unsigned owner, uint16_t slab);
void others_want(unsigned owner, uint16_t slab);
/* For a thread: waits until the slab is known. Errors: PEER_GONE, NO_MEMORY. */
MUST_USE err_t others_wait(unsigned owner, uint16_t slab);

/* A frame that others know as a slab is none any more: they forget it, and then its capability is dropped. */
void others_end(uint16_t slab);

/* Begins to hear of what others give. */
void others_start(void);
