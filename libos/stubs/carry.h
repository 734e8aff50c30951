/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Capabilities and pieces of buffers, as both sides treat them. */

#include <atoll/stubs.h>

/* A piece, on the wire (libos/interfaces/atoll.capnp). */
enum { BULK_NUMBER_SHIFT = 56, BULK_OFFSET_SHIFT = 28, BULK_MASK = (1 << 28) - 1 };
_Static_assert((int)STUB_BUFFER_MOST <= (int)BULK_MASK, "every piece can be named");

/* Errors: CAP_EMPTY (nobody has given it), CAP_TYPE (it is of another one, and has been dropped). */
MUST_USE err_t carry_take(struct ipc_connection *connection, struct stub_cap *cap, enum cap_type type);
MUST_USE err_t carry_give(struct ipc_connection *connection, uint32_t tag, struct stub_cap *cap, enum cap_type type, unsigned rights,
                          bool move);

/* Fills `place` from `at` and `bytes`, and the other way round. Errors: ARGUMENT; RANGE. */
MUST_USE err_t carry_name(struct stub_bulk *bulk, unsigned number, const void *buffer, uint32_t buffer_bytes);
MUST_USE err_t carry_find(struct stub_bulk *bulk, void *buffer, uint32_t buffer_bytes);
