/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Capabilities that a domain gives to the peer of one of its connections (CAPABILITY_GIVE, CAPABILITY_MOVE).
 *
 *   same core      a copy is made at once
 *   another core   the agreement brings a copy there (monitor/agreement/copy.c); its monitor places it
 *   an Endpoint    on whichever core: the peer gets a connection of its own with the server, because an endpoint can't leave its core, and
 *                  its badge says who calls; so it can be given, but not moved */

#include "monitor/monitor.h"

/* Refusals come at once, all else with the event `done`. */
MUST_USE err_t gift_begin(struct monitor *m, struct domain *d, struct capability_work *w);
