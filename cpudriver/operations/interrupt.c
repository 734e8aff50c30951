/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The operations of Interrupt. The capability must name a single interrupt (RANGE): retype a larger one.
 *
 *   bind         W0 dispatcher (with the right to write), W1 bit 0..31 of the pending word's upper half, W2 INTERRUPT_*
 *   acknowledge
 *   unbind */

#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"

static uint32_t number_of(const struct invocation *i)
{
	return (uint32_t)slot_number(i->self);
}

err_t op_Interrupt_bind(struct invocation *i)
{
	uint64_t bit = i->word[1], how = i->word[2];
	struct slot *dispatcher;
	err_t e = cap_argument(i, i->word[0], CAP_Dispatcher, RIGHTS(RIGHT_WRITE), &dispatcher);

	if (is_err(e))
		return e;
	if (bit > 31 || how > (INTERRUPT_LEVEL | INTERRUPT_ACTIVE_LOW))
		return ERR(ARGUMENT);
	if (i->self->size != 1)
		return ERR(RANGE);

	return interrupt_bind(number_of(i), dispatcher_at(dispatcher->base), (uint8_t)bit, (how & INTERRUPT_LEVEL) != 0,
	                      (how & INTERRUPT_ACTIVE_LOW) != 0, &i->self->extra);
}

err_t op_Interrupt_acknowledge(struct invocation *i)
{
	return i->self->size == 1 ? interrupt_acknowledge(number_of(i)) : ERR(RANGE);
}

err_t op_Interrupt_unbind(struct invocation *i)
{
	if (i->self->size != 1)
		return ERR(RANGE);
	i->self->extra = 0;
	return interrupt_unbind(number_of(i));
}
