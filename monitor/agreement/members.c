/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/agreement/internal.h"

void agreement_view(struct agreement *a, uint32_t view, const struct core_set *alive)
{
	a->view = view;
	a->alive = *alive;
}

bool receive_claim(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_claim *m)
{
	(void)a, (void)from, (void)s, (void)m;
	return false;
}

bool receive_claimed(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_claimed *m)
{
	(void)a, (void)from, (void)s, (void)m;
	return false;
}

bool receive_adopt(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_adopt *m)
{
	(void)a, (void)from, (void)s, (void)m;
	return false;
}

bool receive_settled(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_settled *m)
{
	(void)a, (void)from, (void)s, (void)m;
	return false;
}
