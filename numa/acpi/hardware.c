/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The machine behind the acpi domain's capabilities.
 *
 * Physical memory is mapped in windows of at least 64 KiB that are kept while there is room, because tables lie side by side and ACPICA
 * maps and unmaps each of them several times. What no DeviceFrame of ours covers can't be mapped, so AML can't reach RAM. */

#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/console.h>
#include <atoll/device.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "cpudriver/abi/core_boot.h"
#include "numa/acpi/hardware.h"
#include "numa/acpi/start.h"

#define PORTS      CAP(ROOT_TASK, TASK_IO_PORTS)
#define INTERRUPTS CAP(ROOT_TASK, TASK_INTERRUPTS)

enum { DEVICES_MAX = REGIONS_MAX, WINDOWS = 64, PRINT_BYTES = 8192, PRINT_STACK = 16384 };
#define WINDOW_LEAST (64 * KIB)

struct device {
	cap_t frame;
	uint64_t base, bytes;
};

struct window {
	uint64_t base, bytes; /* bytes 0: free */
	uint8_t *at;
	unsigned uses;
};

static struct {
	const struct core_boot *boot;
	const struct machine *machine;
	struct device device[DEVICES_MAX];
	unsigned devices;
	struct window window[WINDOWS];
} hardware;

/* ---- Start ---- */

static void find_devices(void)
{
	struct cap_identity is;

	for (unsigned slot = TASK_FREE; slot < domain_self()->first_free_slot && hardware.devices < DEVICES_MAX; slot++) {
		cap_t frame = CAP(ROOT_TASK, slot);
		if (is_ok(cap_identify(frame, &is)) && is.type == CAP_DeviceFrame)
			hardware.device[hardware.devices++] = (struct device){frame, is.base, is.size};
	}
}

err_t hardware_start(const struct core_boot **boot)
{
	void *page;
	err_t e = frame_map(CAP(ROOT_TASK, TASK_CORE_BOOT), 0, PAGE_BYTES, RIGHTS(RIGHT_READ), &page);

	if (is_err(e))
		return e;
	hardware.boot = *boot = page;
	if ((*boot)->magic != CORE_BOOT_MAGIC || (*boot)->version != CORE_BOOT_VERSION || (*boot)->regions > REGIONS_MAX)
		return ERR(VERSION);
	find_devices();
	return OK;
}

void hardware_know(const struct machine *machine)
{
	hardware.machine = machine;
}

uint64_t hardware_rsdp(void)
{
	return hardware.boot->rsdp;
}

/* ---- Memory ---- */

static bool covers(uint64_t base, uint64_t bytes, uint64_t at, uint64_t length)
{
	return at >= base && at - base < bytes && length <= bytes - (at - base);
}

static struct window *find_window(uint64_t physical, uint64_t bytes)
{
	for (unsigned i = 0; i < WINDOWS; i++)
		if (covers(hardware.window[i].base, hardware.window[i].bytes, physical, bytes))
			return &hardware.window[i];
	return NULL;
}

/* A free window, or one that nobody uses any more, unmapped; NULL if all are in use. */
static struct window *free_window(void)
{
	for (unsigned i = 0; i < WINDOWS; i++)
		if (hardware.window[i].bytes == 0)
			return &hardware.window[i];
	for (unsigned i = 0; i < WINDOWS; i++)
		if (hardware.window[i].uses == 0 && is_ok(frame_unmap(hardware.window[i].at))) {
			hardware.window[i].bytes = 0;
			return &hardware.window[i];
		}
	return NULL;
}

/* Maps what the device has of the 64 KiB around, or more if more is wanted. */
static struct window *open_window(const struct device *device, uint64_t physical, uint64_t bytes)
{
	struct window *window = free_window();
	uint64_t low = physical & ~(WINDOW_LEAST - 1), high = (physical + bytes + WINDOW_LEAST - 1) & ~(WINDOW_LEAST - 1);
	void *at;

	if (window == NULL)
		return NULL;
	if (low < device->base)
		low = device->base;
	if (high > device->base + device->bytes)
		high = device->base + device->bytes;
	if (is_err(frame_map(device->frame, low - device->base, high - low, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at)))
		return NULL;
	*window = (struct window){low, high - low, at, 0};
	return window;
}

void *hardware_map(uint64_t physical, size_t bytes)
{
	struct window *window = find_window(physical, bytes);

	for (unsigned i = 0; i < hardware.devices && window == NULL; i++)
		if (covers(hardware.device[i].base, hardware.device[i].bytes, physical, bytes))
			window = open_window(&hardware.device[i], physical, bytes);
	if (window == NULL)
		return NULL;
	window->uses++;
	return window->at + (physical - window->base);
}

void hardware_unmap(void *address, size_t bytes)
{
	(void)bytes;
	for (unsigned i = 0; i < WINDOWS; i++) {
		struct window *window = &hardware.window[i];
		if (window->uses > 0 && covers((uint64_t)window->at, window->bytes, (uint64_t)address, 1)) {
			window->uses--;
			return;
		}
	}
}

/* ---- Ports ---- */

bool hardware_read_port(uint16_t port, unsigned bytes, uint32_t *value)
{
	return is_ok(port_in(PORTS, port, bytes, value));
}

bool hardware_write_port(uint16_t port, unsigned bytes, uint32_t value)
{
	return is_ok(port_out(PORTS, port, bytes, value));
}

/* ---- Time ---- */

uint64_t hardware_nanoseconds(void)
{
	return (uint64_t)((__uint128_t)time_tsc() * 1000000000 / time_tsc_hz());
}

void hardware_wait(uint64_t nanoseconds)
{
	thread_sleep_until(time_tsc() + (uint64_t)((__uint128_t)nanoseconds * time_tsc_hz() / 1000000000) + 1);
}

/* ---- The interrupt ---- */

/* Level and low, unless the MADT says something else about it (ACPI 6.4, 5.2.9, SCI_INT). */
static unsigned flags_of(const struct machine_override *source)
{
	bool edge = source->trigger == MACHINE_TRIGGER_EDGE, high = source->polarity == MACHINE_POLARITY_HIGH;

	return (edge ? INTERRUPT_EDGE : INTERRUPT_LEVEL) | (high ? INTERRUPT_ACTIVE_HIGH : INTERRUPT_ACTIVE_LOW);
}

static struct machine_override source_of(uint32_t isa)
{
	for (unsigned i = 0; i < hardware.machine->override_count; i++)
		if (hardware.machine->overrides[i].isa == isa)
			return hardware.machine->overrides[i];
	return (struct machine_override){.gsi = isa, .trigger = MACHINE_TRIGGER_LEVEL, .polarity = MACHINE_POLARITY_LOW};
}

bool hardware_attach_interrupt(uint32_t isa, void (*handler)(void *context), void *context)
{
	struct machine_override source = source_of(isa);
	struct cap_identity is;
	cap_t interrupt = INTERRUPTS;

	if (is_err(cap_identify(INTERRUPTS, &is)) || !covers(is.base, is.size, source.gsi, 1))
		return false;
	if (is.size > 1 &&
	    (is_err(cap_slot_alloc(&interrupt)) || is_err(cap_retype(INTERRUPTS, CAP_Interrupt, source.gsi - is.base, 1, 1, interrupt))))
		return false;
	return is_ok(interrupt_attach(interrupt, flags_of(&source), handler, context));
}

/* ---- Messages ---- */

/* Printing waits for the console, which starts long after this domain and may never do. So a thread of its own prints, and the first
 * message starts it. It keeps no connection, since this domain outlives the console. What does not fit is lost. */
static struct {
	char text[PRINT_BYTES];
	size_t used;
	struct mutex lock;
	struct condition more;
	struct thread *printer;
} messages;

static void show(const char *text, size_t bytes)
{
	struct ipc_connection *console;

	if (is_err(ipc_bind(CONSOLE_SERVICE, true, &console)))
		return;
	for (size_t at = 0, piece; at < bytes; at += piece) {
		piece = bytes - at < IPC_STREAM_BYTES ? bytes - at : IPC_STREAM_BYTES;
		if (is_err(ipc_send(console, CONSOLE_WRITE, text + at, piece)))
			break;
	}
	ipc_close(console);
}

static void print_all(void *unused)
{
	static char text[PRINT_BYTES];

	(void)unused;
	for (;;) {
		mutex_lock(&messages.lock);
		while (messages.used == 0)
			condition_wait(&messages.more, &messages.lock);
		size_t bytes = messages.used;
		memcpy(text, messages.text, bytes);
		messages.used = 0;
		mutex_unlock(&messages.lock);
		show(text, bytes);
	}
}

void hardware_print(const char *line)
{
	size_t bytes = strlen(line);

	mutex_lock(&messages.lock);
	if (bytes < PRINT_BYTES - messages.used) {
		memcpy(messages.text + messages.used, line, bytes);
		messages.used += bytes;
		messages.text[messages.used++] = '\n';
	}
	condition_signal(&messages.more);
	mutex_unlock(&messages.lock);
	if (messages.printer == NULL && is_err(thread_create(print_all, NULL, PRINT_STACK, &messages.printer)))
		messages.printer = NULL;
}
