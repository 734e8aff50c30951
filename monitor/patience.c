/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/patience.h"

bool patience_has(struct patience *p)
{
	if (p->rest == 0)
		return true;
	p->rest--;
	return false;
}

void patience_learn(struct patience *p, bool came)
{
	if (came) {
		*p = (struct patience){0};
		return;
	}
	p->vain++;
	if (p->vain <= PATIENCE_FORGIVEN)
		return;
	/* It tries again when the rest is over, so the next one is vain's successor; beyond the longest rest it need not count on. */
	p->rest = 1u << (p->vain - PATIENCE_FORGIVEN - 1);
	if (p->rest >= PATIENCE_RESTS_AT_MOST) {
		p->rest = PATIENCE_RESTS_AT_MOST;
		p->vain--;
	}
}
