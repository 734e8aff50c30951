/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What domains ask (monitor/abi/requests.def). A domain is known by the badge of its endpoint, which only its monitor could give it;
 * everything else in a call is the domain's word and is checked. */

#include "monitor/monitor.h"

/* Serves one call: the reply is m->reply, unless that comes later, or never. */
void request_serve(struct monitor *m, const struct platform_call *call);
