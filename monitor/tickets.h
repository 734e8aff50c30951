/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Questions to monitors that wait for their answer. An answer names its ticket; it counts only if the ticket is of the right kind and comes
 * from the core that was asked, so a peer can neither answer twice nor for somebody else. */

#include "monitor/monitor.h"

/* Opens a ticket for `domain` (0: the monitor itself). 0: there are too many. */
uint32_t ticket_open(struct monitor *m, enum ticket_kind kind, uint32_t core, uint32_t domain, uint32_t tag, struct ticket **out);
uint32_t ticket_number(const struct monitor *m, const struct ticket *t);
/* NULL: no such ticket is open. It stays open. */
struct ticket *ticket_find(struct monitor *m, uint32_t number, enum ticket_kind kind, uint32_t from);
void ticket_close(struct monitor *m, struct ticket *t);
/* The ticket moves on to the next question. Returns its new number. */
uint32_t ticket_renew(struct monitor *m, struct ticket *t, enum ticket_kind kind, uint32_t core);

/* Ends the ticket with an error, told to who asked. */
void ticket_fail(struct monitor *m, struct ticket *t, err_t e);
