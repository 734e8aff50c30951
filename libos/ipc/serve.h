/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "libos/thread/thread.h"

/* The thread that waits in ipc_serve_once or ipc_serve; one at a time serves. */
extern struct thread *serving_thread;
/* A call to the endpoint has been taken, and its caller has no reply yet. */
extern bool server_answers;
/* Other calls to the endpoint without a reply yet: that shuttles serve (door.c), or that were put off. Changed inside a section. */
extern unsigned server_owes;

/* Runs the handlers of interrupts and events (device.c); true if there were any. NULL until something was attached. */
extern bool (*serve_devices)(void);
