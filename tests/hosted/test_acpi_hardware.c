// sources: numa/acpi/hardware.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* How the acpi domain reaches memory and its interrupt, over an imitated capability space: windows are shared, bounded by the device
 * frames, kept while there is room and never taken from someone who uses them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/device.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "numa/acpi/hardware.h"
#include "numa/acpi/start.h"

enum { LOW_BASE = 0xe0000, LOW_BYTES = 0x20000, HIGH_BASE = 0x7fe0000, HIGH_BYTES = 0x800000, FIRST_FREE = 20 };

static struct core_boot boot_page;
static struct domain_start start_page = {.first_free_slot = FIRST_FREE};
static struct machine model;

static struct {
	unsigned mapped, maps, unmaps;
	struct cap_identity interrupts;
	uint64_t retyped_offset;
	bool retyped;
	cap_t attached;
	unsigned flags;
	uint64_t slept_until;
} fake;

/* ---- The imitated library OS ---- */

const struct domain_start *domain_self(void)
{
	return &start_page;
}

uint64_t time_tsc(void)
{
	return 1000000;
}

uint64_t time_tsc_hz(void)
{
	return 2000000000;
}

void thread_sleep_until(uint64_t tsc)
{
	fake.slept_until = tsc;
}

err_t cap_identify(cap_t cap, struct cap_identity *out)
{
	if (cap.value == CAP(ROOT_TASK, TASK_FREE).value)
		*out = (struct cap_identity){.type = CAP_PageTable1, .base = 0x5000, .size = 0x2000};
	else if (cap.value == CAP(ROOT_TASK, TASK_FREE + 1).value)
		*out = (struct cap_identity){.type = CAP_DeviceFrame, .base = LOW_BASE, .size = LOW_BYTES};
	else if (cap.value == CAP(ROOT_TASK, TASK_FREE + 3).value)
		*out = (struct cap_identity){.type = CAP_DeviceFrame, .base = HIGH_BASE, .size = HIGH_BYTES};
	else if (cap.value == CAP(ROOT_TASK, TASK_INTERRUPTS).value)
		*out = fake.interrupts;
	else
		return ERR(CAP_EMPTY);
	return OK;
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	struct cap_identity is;

	if (frame.value == CAP(ROOT_TASK, TASK_CORE_BOOT).value) {
		*out = &boot_page;
		return OK;
	}
	assert_true(is_ok(cap_identify(frame, &is)));
	assert_int_equal(rights.bits, RIGHT_READ | RIGHT_WRITE);
	assert_int_equal((offset | bytes) % PAGE_BYTES, 0);
	assert_true(offset + bytes <= is.size);
	fake.mapped++, fake.maps++;
	*out = malloc(bytes);
	/* Each page says which physical page it is. */
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
		memcpy((uint8_t *)*out + at, &(uint64_t){is.base + offset + at}, 8);
	return OK;
}

err_t frame_unmap(void *address)
{
	free(address);
	fake.mapped--, fake.unmaps++;
	return OK;
}

err_t cap_slot_alloc(cap_t *out)
{
	*out = CAP(3, 7);
	return OK;
}

err_t cap_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	assert_int_equal(source.value, CAP(ROOT_TASK, TASK_INTERRUPTS).value);
	assert_int_equal(type, CAP_Interrupt);
	assert_int_equal(bytes * count, 1);
	assert_int_equal(first.value, CAP(3, 7).value);
	fake.retyped = true;
	fake.retyped_offset = offset;
	return OK;
}

err_t interrupt_attach(cap_t interrupt, unsigned flags, void (*handler)(void *), void *context)
{
	handler(context);
	fake.attached = interrupt;
	fake.flags = flags;
	return OK;
}

err_t port_in(cap_t ports, uint16_t port, unsigned bytes, uint32_t *value)
{
	assert_int_equal(ports.value, CAP(ROOT_TASK, TASK_IO_PORTS).value);
	*value = port + bytes;
	return port < 0x1000 ? OK : ERR(RANGE);
}

err_t port_out(cap_t ports, uint16_t port, unsigned bytes, uint32_t value)
{
	assert_int_equal(ports.value, CAP(ROOT_TASK, TASK_IO_PORTS).value);
	return port < 0x1000 && bytes == 1 && value == 7 ? OK : ERR(RANGE);
}

/* Messages need threads that really switch; a boot shows those. */
void mutex_wait(struct mutex *m)
{
	(void)m;
	fail_msg("nobody else is here");
}

void mutex_wake(struct mutex *m)
{
	(void)m;
	fail_msg("nobody else is here");
}

void condition_wait(struct condition *c, struct mutex *m)
{
	(void)c;
	(void)m;
	fail_msg("nothing here prints");
}

void condition_signal(struct condition *c)
{
	(void)c;
}

err_t thread_create(void (*function)(void *), void *argument, uint64_t stack_bytes, struct thread **out)
{
	(void)function;
	(void)argument;
	(void)stack_bytes;
	(void)out;
	fail_msg("nothing here prints");
	return OK;
}

err_t ipc_bind(const char *name, bool stream, struct ipc_connection **out)
{
	(void)name;
	(void)stream;
	(void)out;
	fail_msg("nothing here prints");
	return OK;
}

err_t ipc_send(struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	(void)c;
	(void)label;
	(void)data;
	(void)bytes;
	fail_msg("nothing here prints");
	return OK;
}

void ipc_close(struct ipc_connection *c)
{
	(void)c;
}

/* ---- Tests; they share one hardware, as the domain does ---- */

static int start(void **state)
{
	const struct core_boot *boot;

	(void)state;
	boot_page = (struct core_boot){.magic = CORE_BOOT_MAGIC, .version = CORE_BOOT_VERSION, .rsdp = 0xf5ad0};
	assert_true(is_ok(hardware_start(&boot)));
	assert_ptr_equal(boot, &boot_page);
	return 0;
}

static uint64_t page_of(const void *address, uint64_t physical)
{
	uint64_t page;

	memcpy(&page, (const uint8_t *)address - physical % PAGE_BYTES, 8);
	return page;
}

static void test_the_boot_page_is_checked(void **state)
{
	const struct core_boot *boot;

	(void)state;
	assert_int_equal(hardware_rsdp(), 0xf5ad0);
	boot_page.version++;
	assert_true(is_err(hardware_start(&boot)));
	boot_page.version--;
	boot_page.magic++;
	assert_true(is_err(hardware_start(&boot)));
	boot_page.magic--;
}

static void test_only_device_memory_can_be_mapped(void **state)
{
	(void)state;
	assert_null(hardware_map(0x5000, 8)); /* a page table lies there */
	assert_null(hardware_map(LOW_BASE - 1, 2));
	assert_null(hardware_map(LOW_BASE + LOW_BYTES - 4, 8));
	assert_null(hardware_map(HIGH_BASE + HIGH_BYTES, 1));
	assert_null(hardware_map(UINT64_MAX, 1));
	assert_null(hardware_map(HIGH_BASE, UINT64_MAX));
	assert_int_equal(fake.maps, 0);
}

static void test_neighbours_share_a_window(void **state)
{
	(void)state;
	uint8_t *a = hardware_map(HIGH_BASE + 0x1234, 36), *b = hardware_map(HIGH_BASE + 0x2345, 500);

	assert_int_equal(fake.maps, 1);
	assert_int_equal(page_of(a, 0x1234), HIGH_BASE + 0x1000);
	assert_int_equal(b - a, 0x1111);
	hardware_unmap(a, 36);
	hardware_unmap(b, 500);
	assert_int_equal(fake.unmaps, 0); /* it is kept */
	assert_ptr_equal(hardware_map(HIGH_BASE + 0x1234, 36), a);
	hardware_unmap(a, 36);
}

static void test_a_window_ends_where_the_device_ends(void **state)
{
	(void)state;
	uint64_t last = HIGH_BASE + HIGH_BYTES - 16;
	uint8_t *a = hardware_map(last, 16);

	assert_non_null(a);
	assert_int_equal(page_of(a, last), HIGH_BASE + HIGH_BYTES - PAGE_BYTES);
	hardware_unmap(a, 16);
}

static void test_unused_windows_make_room(void **state)
{
	(void)state;
	uint8_t *held = hardware_map(HIGH_BASE + 0x100000, 8), *more[64];

	assert_non_null(held);
	/* More windows than there may be, one after the other: all succeed, and the one in use stays. */
	for (unsigned i = 0; i < 100; i++) {
		uint64_t at = HIGH_BASE + 0x20000 + i * 0x11000;
		uint8_t *a = hardware_map(at, 8);
		assert_non_null(a);
		assert_int_equal(page_of(a, at), at);
		hardware_unmap(a, 8);
	}
	assert_true(fake.unmaps > 0);
	assert_int_equal(page_of(held, 0), HIGH_BASE + 0x100000);

	/* As many as there may be at the same time: the next one is refused, and works again when one is free. */
	unsigned count = 0;
	while (count < 64 && (more[count] = hardware_map(HIGH_BASE + 0x200000 + count * 0x10000, 8)) != NULL)
		count++;
	assert_int_equal(count, 63);
	hardware_unmap(more[--count], 8);
	assert_non_null(hardware_map(LOW_BASE, 8));
	while (count > 0)
		hardware_unmap(more[--count], 8);
	hardware_unmap(held, 8);
	assert_true(fake.mapped <= 64);
}

static void nothing(void *context)
{
	assert_ptr_equal(context, &fake);
}

static void test_the_interrupt_is_level_and_low_by_default(void **state)
{
	(void)state;
	hardware_know(&model);
	fake.interrupts = (struct cap_identity){.type = CAP_Interrupt, .base = 0, .size = 1024};
	assert_true(hardware_attach_interrupt(9, nothing, &fake));
	assert_true(fake.retyped);
	assert_int_equal(fake.retyped_offset, 9);
	assert_int_equal(fake.attached.value, CAP(3, 7).value);
	assert_int_equal(fake.flags, INTERRUPT_LEVEL | INTERRUPT_ACTIVE_LOW);
}

static void test_an_override_is_followed(void **state)
{
	(void)state;
	model.override_count = 1;
	model.overrides[0] =
	    (struct machine_override){.isa = 9, .gsi = 20, .polarity = MACHINE_POLARITY_HIGH, .trigger = MACHINE_TRIGGER_LEVEL};
	fake.interrupts = (struct cap_identity){.type = CAP_Interrupt, .base = 16, .size = 8};
	assert_true(hardware_attach_interrupt(9, nothing, &fake));
	assert_int_equal(fake.retyped_offset, 4);
	assert_int_equal(fake.flags, INTERRUPT_LEVEL | INTERRUPT_ACTIVE_HIGH);

	/* Just the one: it is used as it is. One that is not ours is refused. */
	fake.retyped = false;
	fake.interrupts = (struct cap_identity){.type = CAP_Interrupt, .base = 20, .size = 1};
	assert_true(hardware_attach_interrupt(9, nothing, &fake));
	assert_false(fake.retyped);
	assert_int_equal(fake.attached.value, CAP(ROOT_TASK, TASK_INTERRUPTS).value);
	assert_false(hardware_attach_interrupt(10, nothing, &fake));
}

static void test_ports_and_time(void **state)
{
	(void)state;
	uint32_t value;

	assert_true(hardware_read_port(0x608, 4, &value));
	assert_int_equal(value, 0x60c);
	assert_false(hardware_read_port(0x1000, 4, &value));
	assert_true(hardware_write_port(0xb2, 1, 7));
	assert_false(hardware_write_port(0xb2, 2, 7));
	assert_int_equal(hardware_nanoseconds(), 500000);
	hardware_wait(1000);
	assert_int_equal(fake.slept_until, 1000000 + 2000 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_boot_page_is_checked),  cmocka_unit_test(test_only_device_memory_can_be_mapped),
	    cmocka_unit_test(test_neighbours_share_a_window), cmocka_unit_test(test_a_window_ends_where_the_device_ends),
	    cmocka_unit_test(test_unused_windows_make_room),  cmocka_unit_test(test_the_interrupt_is_level_and_low_by_default),
	    cmocka_unit_test(test_an_override_is_followed),   cmocka_unit_test(test_ports_and_time),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
