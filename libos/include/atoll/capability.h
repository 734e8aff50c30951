/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The domain's capability space: which slots are free, and the operations as functions.
 *
 * Calls that the CPU driver answers with AGAIN are repeated here. Retype, delete and revoke concern every core that has to do with the
 * object: if others have, the monitors agree, and the calling thread waits for it; programs see no difference but the time, and that LIMIT
 * (too much is under way) and CORE_DEAD are possible. Sizes are bytes. */

#include "cpudriver/abi/calls.h"

/* What a capability says of its object: base (physical address) and size are in bytes. */
struct cap_identity {
	enum cap_type type;
	uint8_t rights;
	uint16_t flags; /* CAP_FLAG_* */
	uint16_t owner; /* core */
	uint16_t extra; /* a Doorbell's index; the low bits of an Endpoint's badge */
	uint64_t base, size;
};

/* A free slot, and back. Consecutive slots lie in one CNode. Errors: NO_SLOT, NO_MEMORY. */
MUST_USE err_t cap_slot_alloc(cap_t *out);
MUST_USE err_t cap_slots_alloc(unsigned count, cap_t *first);
void cap_slot_free(cap_t slot); /* must be empty */

/* "RAM", "Frame", ...; "unknown" for what the table does not have. */
const char *cap_type_name(enum cap_type type);

/* What is in a slot. Errors: CAP_EMPTY. */
MUST_USE err_t cap_identify(cap_t cap, struct cap_identity *out);
/* To another slot, which is empty. With mint the copy has at most those rights, and, of an Endpoint, that badge; move leaves the source
 * empty. Errors: CAP_EMPTY, SLOT_IN_USE, CAP_RIGHTS. */
MUST_USE err_t cap_copy(cap_t source, cap_t destination);
MUST_USE err_t cap_mint(cap_t source, cap_t destination, rights_t rights, uint64_t badge);
MUST_USE err_t cap_move(cap_t source, cap_t destination);
/* Makes `count` objects of that type and size, from `offset` of the source on, in consecutive slots. Errors: RETYPE (that can't
 * be made of it), RANGE, ALIGNMENT, OVERLAP (something of it is in use), SLOT_IN_USE. */
MUST_USE err_t cap_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first);
MUST_USE err_t cap_delete(cap_t cap); /* the slot is empty afterwards, or holds RAM: see cap_identify */
MUST_USE err_t cap_revoke(cap_t cap); /* every other copy and every descendant, on all cores */

/* How many messages between monitors the last operation took that needed their agreement. */
uint32_t cap_last_messages(void);

/* Physically contiguous memory of the domain's own, on this core's node. `alignment` is a power of two. Errors: NO_MEMORY. */
MUST_USE err_t memory_object(enum cap_type type, uint64_t bytes, uint64_t alignment, cap_t slot, paddr_t *base);
void memory_object_free(cap_t slot); /* deletes it and takes the memory back for the next one */
