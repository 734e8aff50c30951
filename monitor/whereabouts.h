/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Where a domain lives. Its number says where it began, and most stay there. For those that have moved (move.h) every monitor has a record,
 * because everybody hears of a move: from the core where the domain was and from the one where it is, so that each of them has said it
 * before anything else that follows from it. A question that was on its way to the old core comes back as `elsewhere`, and is asked again.
 * When the domain has ended the core that numbered it remembers how, as if it had ended there. */

#include "monitor/monitor.h"

uint32_t domain_lives_on(const struct monitor *m, uint32_t number);

/* Tells every monitor, this one too. */
void whereabouts_tell(struct monitor *m, uint32_t domain, uint32_t core);
/* The same to a core that has just come up, about the domains that have moved here. */
void whereabouts_introduce(struct monitor *m, uint32_t core);
/* A domain that has come here from elsewhere has ended. */
void whereabouts_end(struct monitor *m, const struct domain *d);
void whereabouts_lose_core(struct monitor *m, uint32_t core);
/* A number that was given out here is in use somewhere else. */
bool whereabouts_has(const struct monitor *m, uint32_t domain);
