/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The asked domain's side of visible revocation (monitor/revocation.h).
 *
 *   event revoke   a service thread gives what the library OS can give by itself; for the rest a worker calls the program's handler, on
 *                  member 0; then once more; then it says that this was all (given_back). If the handler never returns the deadline passes
 *   event taken    what is in the block is lost (libos/address_space/parting.c). Only then the monitor is told (give_back) that nobody will
 *                  touch it inside a section, where a fault would be the domain's end
 *
 * Events come at any moment, also in the middle of an operation that waits for the agreement inside a section. So handlers here do nothing
 * but begin those threads. */

/* Listens. */
void revocation_start(void);
