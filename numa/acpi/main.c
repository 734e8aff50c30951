/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The acpi domain: tells the first monitor what the machine is made of, then listens to the firmware's events and switches the machine off
 * when the monitor says so. hand_over.h has the conversation. The model goes out before any AML runs: the other cores start meanwhile. */

#include <stdlib.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/device.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "numa/acpi/discover.h"
#include "numa/acpi/hand_over.h"
#include "numa/acpi/hardware.h"
#include "numa/acpi/leaves.h"
#include "numa/acpi/power.h"
#include "numa/acpi/routes.h"
#include "numa/acpi/service.h"
#include "numa/acpi/start.h"

/* ---- The model ---- */

/* All RAM, whoever has it now. The starter's list has it in order, and the holes between as devices. */
static size_t list_memory(const struct core_boot *boot, struct machine_span span[REGIONS_MAX])
{
	size_t count = 0;

	for (unsigned i = 0; i < boot->regions; i++)
		if (boot->region[i].kind != REGION_DEVICE)
			span[count++] = (struct machine_span){boot->region[i].base, boot->region[i].bytes};
	return count;
}

/* A read-only copy of the frame's capability in a slot of the task CNode, where the monitor can take it. */
static err_t show_frame(cap_t frame, unsigned *slot)
{
	err_t e = ERR(NO_SLOT);

	for (*slot = ACPI_MODEL_FIRST_SLOT; *slot < CNODE_SLOTS; ++*slot) {
		e = cap_mint(frame, CAP(ROOT_TASK, *slot), RIGHTS(RIGHT_READ), 0);
		if (!err_is(e, ERR_NUMBER_SLOT_IN_USE))
			break;
	}
	return e;
}

static err_t hand_model_over(const struct core_boot *boot, const struct machine **machine)
{
	struct machine_leaf leaves[LEAVES_MAX];
	struct machine_span memory[REGIONS_MAX];
	size_t count = list_memory(boot, memory);
	paddr_t base;
	unsigned slot;
	void *model;
	cap_t frame;
	err_t e = frame_create(page_up(sizeof(**machine)), RIGHTS(RIGHT_READ | RIGHT_WRITE), &frame, &model, &base);

	if (is_err(e))
		return e;
	discover_machine(model, boot->apic, memory, count);
	machine_read_levels(model, leaves, leaves_read(leaves));
	*machine = model;
	e = show_frame(frame, &slot);
	if (is_err(e))
		return e;
	return monitor_request(REQUEST_take_machine, 0, sizeof(**machine), slot, 0).error;
}

/* ---- Power ---- */

static void tell(enum acpi_powered what, uint64_t value)
{
	/* A monitor that does not want to know can't be helped. */
	(void)!is_ok(monitor_request(REQUEST_powered, 0, what, value, 0).error);
}

static void button_pressed(void)
{
	tell(ACPI_BUTTON, 0);
}

/* A machine that can't be switched off is restarted: better than one that stands still and looks alive. */
static void switch_off(void *has_acpi)
{
	if (has_acpi != NULL) {
		hardware_print(power_off());
		hardware_print(power_reset());
	}
	tell(ACPI_STILL_ON, 0);
}

/* ---- Drivers' questions ---- */

static err_t find_route(const struct ipc_message *request, struct ipc_message *reply)
{
	uint64_t where = request->word[0];
	struct route route;

	if (request->label != ACPI_ROUTE)
		return ERR(OPERATION);
	if (where >> 40 != 0)
		return ERR(ARGUMENT);
	if (!routes_find((uint16_t)(where >> 24), (uint8_t)(where >> 16), (uint8_t)(where >> 8), (uint8_t)where, &route))
		return ERR(NOT_FOUND);
	reply->word[0] = route.gsi;
	reply->word[1] =
	    (route.level ? INTERRUPT_LEVEL : INTERRUPT_EDGE) | (route.active_low ? INTERRUPT_ACTIVE_LOW : INTERRUPT_ACTIVE_HIGH);
	return OK;
}

static void answer(void *context, struct ipc_connection *connection, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context;
	(void)connection;
	reply->label = (uint16_t)find_route(request, reply).number;
}

/* ---- Start ---- */

static void start_acpi(const struct machine *machine)
{
	const char *wrong;

	hardware_know(machine);
	wrong = discover_namespace();
	if (wrong == NULL)
		wrong = power_watch_button(button_pressed);
	if (wrong == NULL)
		wrong = routes_read(machine);
	if (wrong != NULL)
		hardware_print(wrong);
}

int main(void)
{
	const struct ipc_server server = {.call = answer};
	const struct machine *machine;
	const struct core_boot *boot;
	struct ipc_service *service;
	err_t e = hardware_start(&boot);

	if (is_ok(e))
		e = hand_model_over(boot, &machine);
	if (is_err(e)) /* nobody can print yet: the monitor reports how this domain ended */
		return (int)e.number;

	if (machine->has_acpi)
		start_acpi(machine);
	power_off_attach(switch_off, machine->has_acpi ? (void *)(uintptr_t)machine : NULL);
	tell(ACPI_READY, machine->has_acpi && power_can_switch_off());
	e = ipc_offer(ACPI_SERVICE, &server, &service);
	if (is_err(e))
		hardware_print("the acpi service can't be offered");
	ipc_serve();
}
