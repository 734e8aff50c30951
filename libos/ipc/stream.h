/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "libos/ipc/connection.h"

/* The next message, in the connection's buffer until stream_taken. WOULD_BLOCK: none; MESSAGE: too long; PEER_GONE: and none will come. */
MUST_USE err_t stream_take(struct ipc_connection *c, uint16_t *label, const void **data, size_t *bytes);
void stream_taken(struct ipc_connection *c);
