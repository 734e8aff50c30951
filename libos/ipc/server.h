/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Something is pending that only a server takes care of: a caller at an endpoint, an interrupt. Inside a section. */
void server_notified(uint64_t bits);
/* Wakes the thread that serves, if it waits. Inside a section. */
void server_wake(void);
extern uint64_t server_notices;
/* Something has come over a connection that is served. Inside a section. */
struct ipc_connection;
void server_given(struct ipc_connection *c);
static inline bool server_has_notices(void)
{
	return *(volatile uint64_t *)&server_notices != 0;
}

/* For loops of a program's own around endpoint_reply_wait (<atoll/stubs.h>): serves until nothing is to be done but to wait, and until a
 * client on this core may call. From then on the dispatcher is disabled and all channels are parked; the answer is wait_generation. */
uint64_t server_fall_asleep(void);
/* Ends that; `token` and `reply`: what the last caller still gets. */
struct endpoint_message;
void server_wake_up(uint64_t token, const struct endpoint_message *reply);
/* Whose call it is; NULL: nobody's. */
struct ipc_connection *server_caller(uint64_t badge);
/* For doors (door.c): whose call it is, kept until it is let go; NULL: nobody's. Inside sections. */
struct ipc_connection *server_hold(uint64_t badge);
void server_let_go(struct ipc_connection *c);
/* The program's answer, in place of the call. False: it comes later. Outside of sections. */
bool server_answer(struct ipc_connection *c, uint64_t token, struct endpoint_message *m);
/* A notice of the library OS's own: a bit that the CPU driver does not use. */
#define NOTICE_EVENT (UINT64_C(1) << 31)
/* What serve_devices takes: interrupts, and that. */
#define DEVICE_NOTICES (~UINT64_C(0) << 32 | NOTICE_EVENT)
/* What was notified, of `mask`; it is cleared. */
uint64_t server_take(uint64_t mask);
