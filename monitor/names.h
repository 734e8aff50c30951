/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which domain serves which name, and what it speaks; kept by the first monitor, asked by message (offer, withdraw, resolve, forget,
 * list_names). Who asks for a name that nobody offers yet waits here for it, unless it wants to know now. */

#include "monitor/monitor.h"

/* Every name of a domain, and every question of it, is forgotten. */
void names_forget_domain(struct monitor *m, uint32_t domain);
/* The same for all domains of a core. */
void names_forget_core(struct monitor *m, uint32_t core);
