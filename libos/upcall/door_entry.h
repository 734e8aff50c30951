/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What door.S defines and calls. */

#include "libos/ipc/endpoint.h"

void upcall_door_entry(void);

/* Disabled, on the upcall stack; the interrupted thread, if there is one, in the shared frame. */
_Noreturn void upcall_door(uint64_t badge, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t token);

/* Replies and leaves (REPLY_LEAVE). Comes back when somebody goes on with what was saved at *save, or if nobody runs instead. */
void door_leave(uint64_t *save, uint64_t token, const struct endpoint_message *reply);
