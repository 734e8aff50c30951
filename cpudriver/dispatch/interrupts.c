/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Interrupts of devices to user space. Interrupt.bind gives one of this core's device vectors to a global system interrupt; its arrival
 * sets a bit of a dispatcher's pending word. A level-triggered source stays masked until Interrupt.acknowledge, because it would
 * interrupt again until its driver, which runs later, has served the device. */

#include "cpudriver/capability/paging.h"
#include "cpudriver/core.h"
#include "cpudriver/dispatch/dispatch.h"

static struct interrupt_binding *find_binding(uint32_t interrupt)
{
	for (unsigned v = 0; v < DEVICE_VECTORS; v++)
		if (core.interrupt[v].dispatcher != NULL && core.interrupt[v].interrupt == interrupt)
			return &core.interrupt[v];
	return NULL;
}

static struct interrupt_binding *free_binding(void)
{
	for (unsigned v = 0; v < DEVICE_VECTORS; v++)
		if (core.interrupt[v].dispatcher == NULL)
			return &core.interrupt[v];
	return NULL;
}

static const struct io_apic *find_io_apic(uint32_t interrupt)
{
	for (unsigned i = 0; i < core.io_apics; i++)
		if (io_apic_has(&core.io_apic[i], interrupt))
			return &core.io_apic[i];
	return NULL;
}

err_t interrupt_bind(uint32_t interrupt, struct dispatcher *d, uint8_t bit, bool level, bool active_low, uint64_t *serial)
{
	const struct io_apic *io_apic = find_io_apic(interrupt);
	struct interrupt_binding *b = free_binding();

	if (io_apic == NULL)
		return ERR(NOT_SUPPORTED);
	if (find_binding(interrupt) != NULL)
		return ERR(STATE);
	if (b == NULL)
		return ERR(LIMIT);
	if (core.apic.id > UINT8_MAX)
		return ERR(NOT_SUPPORTED); /* the redirection table can't name this core */

	*serial = ++core.interrupt_serial;
	*b = (struct interrupt_binding){.dispatcher = d, .interrupt = interrupt, .bit = bit, .level = level, .serial = *serial};
	io_apic_route(io_apic, interrupt,
	              &(struct io_apic_route){
	                  .vector = (uint8_t)(VECTOR_DEVICE + (b - core.interrupt)),
	                  .target = (uint8_t)core.apic.id,
	                  .level = level,
	                  .active_low = active_low,
	              });
	io_apic_unmask(io_apic, interrupt);
	return OK;
}

err_t interrupt_acknowledge(uint32_t interrupt)
{
	const struct interrupt_binding *b = find_binding(interrupt);

	if (b == NULL)
		return ERR(STATE);
	if (b->level)
		io_apic_unmask(find_io_apic(interrupt), interrupt);
	return OK;
}

static void unbind(struct interrupt_binding *b)
{
	io_apic_mask(find_io_apic(b->interrupt), b->interrupt);
	b->dispatcher = NULL;
}

err_t interrupt_unbind(uint32_t interrupt)
{
	struct interrupt_binding *b = find_binding(interrupt);

	if (b == NULL)
		return ERR(STATE);
	unbind(b);
	return OK;
}

void interrupts_unbind_all(struct dispatcher *d)
{
	for (unsigned v = 0; v < DEVICE_VECTORS; v++)
		if (core.interrupt[v].dispatcher == d)
			unbind(&core.interrupt[v]);
}

/* capability.h: the copy goes through which this binding was made, or an earlier one that has ended since. */
void interrupt_binding_lost(struct slot *slot)
{
	struct interrupt_binding *b = find_binding((uint32_t)slot_number(slot));

	if (b != NULL && b->serial == slot->extra)
		unbind(b);
}

void interrupt_arrived(unsigned vector)
{
	const struct interrupt_binding *b = &core.interrupt[vector - VECTOR_DEVICE];

	if (b->dispatcher != NULL && b->level)
		io_apic_mask(find_io_apic(b->interrupt), b->interrupt);
	local_apic_eoi(&core.apic);
	if (b->dispatcher != NULL)
		notify(b->dispatcher, PENDING_INTERRUPT(b->bit));
}

/* ---- I/O APICs ---------------------------------------------------------------------------------------------------------------------- */

/* The entry of the devices' level-1 table, which the starter made (core_image.h), for one of its addresses. */
uint64_t *device_entry(uint64_t address)
{
	uint64_t table = core.boot->page_table4;

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		const uint64_t *entries = window(PADDR(table));

		table = entries[address >> shift & (PAGE_TABLE_SLOTS - 1)] & PTE_ADDRESS;
	}
	return (uint64_t *)window(PADDR(table)) + (address >> 12 & (PAGE_TABLE_SLOTS - 1));
}

err_t io_apic_add(uint64_t base, uint32_t first)
{
	uint64_t page = DEVICE_IO_APIC + core.io_apics * PAGE_BYTES;

	if (base % PAGE_BYTES != 0)
		return ERR(ALIGNMENT);
	if (base >= WINDOW_BYTES)
		return ERR(RANGE);
	if (core.io_apics == DEVICE_IO_APICS)
		return ERR(LIMIT);
	if (find_io_apic(first) != NULL)
		return ERR(EXISTS);

	*device_entry(page) = base | PTE_PRESENT | PTE_WRITE | PTE_CACHE_DISABLE | PTE_WRITE_THROUGH | core.capabilities.no_execute;
	io_apic_init(&core.io_apic[core.io_apics++], page, first);
	return OK;
}
