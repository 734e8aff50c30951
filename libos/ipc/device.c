/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* For drivers: ports, interrupts, and the monitor's wish that the machine be switched off. Handlers run in the loop that serves IPC. */

#include <atoll/device.h>

#include "libos/ipc/events.h"
#include "libos/ipc/serve.h"
#include "libos/ipc/server.h"
#include "libos/upcall/dispatcher.h"

#define INTERRUPTS_MAX 16

struct device_handler {
	void (*function)(void *);
	void *context;
	cap_t interrupt;
};

static struct device_handler interrupts[INTERRUPTS_MAX];
static unsigned interrupt_count;
static struct device_handler power_off;
static bool power_off_wanted;

err_t port_in(cap_t ports, uint16_t port, unsigned bytes, uint32_t *value)
{
	struct call_result r = invoke(ports, OP_IoPorts_in, port, bytes, 0, 0, 0);

	*value = (uint32_t)r.value[0];
	return r.error;
}

err_t port_out(cap_t ports, uint16_t port, unsigned bytes, uint32_t value)
{
	return invoke(ports, OP_IoPorts_out, port, bytes, value, 0, 0).error;
}

static bool run_handlers(void)
{
	uint64_t arrived = server_take(DEVICE_NOTICES);
	bool any = arrived != 0;

	for (unsigned i = 0; i < interrupt_count; i++) {
		if ((arrived & PENDING_INTERRUPT(i)) == 0)
			continue;
		interrupts[i].function(interrupts[i].context);
		(void)!is_ok(invoke(interrupts[i].interrupt, OP_Interrupt_acknowledge, 0, 0, 0, 0, 0).error);
	}
	if (power_off_wanted && power_off.function != NULL) {
		power_off_wanted = false;
		power_off.function(power_off.context);
		any = true;
	}
	return any;
}

err_t interrupt_attach(cap_t interrupt, unsigned flags, void (*handler)(void *context), void *context)
{
	bool inside = dispatcher_enter();
	err_t e = ERR(LIMIT);

	if (interrupt_count < INTERRUPTS_MAX) {
		interrupts[interrupt_count] = (struct device_handler){handler, context, interrupt};
		serve_devices = run_handlers;
		e = invoke(interrupt, OP_Interrupt_bind, CAP_SELF_DISPATCHER.value, interrupt_count, flags, 0, 0).error;
		if (is_ok(e))
			interrupt_count++;
	}
	dispatcher_leave(inside);
	return e;
}

static void power_off_event(const uint64_t word[EVENT_WORDS])
{
	(void)word;
	power_off_wanted = true;
	server_notified(NOTICE_EVENT);
}

void power_off_attach(void (*handler)(void *context), void *context)
{
	bool inside = dispatcher_enter();

	power_off = (struct device_handler){handler, context, CAP_NULL};
	serve_devices = run_handlers;
	events_handle(EVENT_power_off, power_off_event);
	dispatcher_leave(inside);
}
