/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* One handler for each message of messages.def, in the file of its section. The message has been checked; everything else that it claims
 * has not. */

#include "monitor/monitor.h"

#define MESSAGE(name, number, fields) void handle_##name(struct monitor *m, uint32_t from, const struct message_##name *message);
#include "monitor/messages.def"
#undef MESSAGE
