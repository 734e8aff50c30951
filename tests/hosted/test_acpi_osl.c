// sources: numa/acpi/osl.c numa/acpi/osl_sync.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What ACPICA is promised by the OS services layer, function by function, over a machine that only records. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <acpi/acpi.h>

#include "numa/acpi/hardware.h"
#include "numa/acpi/osl.h"

static struct {
	uint64_t memory[4];
	int maps;
	uint32_t address; /* last written to the PCI address port */
	uint16_t port;
	unsigned bytes;
	uint32_t value;
	uint64_t waited;
	void (*handler)(void *);
	char printed[512];
} fake;

uint64_t hardware_rsdp(void)
{
	return 0xe0000;
}

void *hardware_map(uint64_t physical, size_t bytes)
{
	if (physical < 0x1000 || physical + bytes > 0x1000 + sizeof(fake.memory))
		return NULL;
	fake.maps++;
	return (uint8_t *)fake.memory + (physical - 0x1000);
}

void hardware_unmap(void *address, size_t bytes)
{
	(void)address;
	(void)bytes;
	fake.maps--;
}

bool hardware_read_port(uint16_t port, unsigned bytes, uint32_t *value)
{
	fake.port = port, fake.bytes = bytes;
	*value = port >= 0xcfc && port < 0xd00 ? (fake.address & 0xfc) + port - 0xcfc : 0x55;
	return port != 0x99;
}

bool hardware_write_port(uint16_t port, unsigned bytes, uint32_t value)
{
	if (port == 0xcf8)
		fake.address = value;
	else
		fake.port = port, fake.bytes = bytes, fake.value = value;
	return port != 0x99;
}

uint64_t hardware_nanoseconds(void)
{
	return 12345678;
}

void hardware_wait(uint64_t nanoseconds)
{
	fake.waited += nanoseconds;
}

bool hardware_attach_interrupt(uint32_t isa, void (*handler)(void *), void *context)
{
	(void)context;
	fake.handler = handler;
	return isa == 9;
}

void hardware_print(const char *line)
{
	size_t used = strlen(fake.printed);

	snprintf(fake.printed + used, sizeof(fake.printed) - used, "[%s]", line);
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	return 0;
}

static void test_memory_is_accessed_by_width(void **state)
{
	(void)state;
	static const struct {
		u32 bits;
		u64 mask;
	} widths[] = {{8, 0xff}, {16, 0xffff}, {32, 0xffffffff}, {64, UINT64_MAX}};
	u64 value;

	for (unsigned i = 0; i < 4; i++) {
		fake.memory[0] = UINT64_MAX;
		assert_int_equal(acpi_os_write_memory(0x1000, 0x1122334455667788, widths[i].bits), AE_OK);
		assert_int_equal(fake.memory[0], (UINT64_MAX & ~widths[i].mask) | (0x1122334455667788 & widths[i].mask));
		assert_int_equal(acpi_os_read_memory(0x1000, &value, widths[i].bits), AE_OK);
		assert_int_equal(value, 0x1122334455667788 & widths[i].mask);
	}
	assert_int_equal(acpi_os_read_memory(0x1000 + sizeof(fake.memory) - 1, &value, 16), AE_BAD_ADDRESS);
	assert_int_equal(acpi_os_write_memory(0, 1, 8), AE_BAD_ADDRESS);
	assert_int_equal(fake.maps, 0);
}

static void test_memory_that_is_not_ours_is_named(void **state)
{
	(void)state;
	assert_null(acpi_os_map_memory(0xabcd000, 8));
	assert_string_equal(fake.printed, "[ACPI: physical memory 0xabcd000 is not the acpi domain's to see]");
}

static void test_ports(void **state)
{
	(void)state;
	u32 value;

	assert_int_equal(acpi_os_read_port(0x608, &value, 16), AE_OK);
	assert_int_equal(fake.bytes, 2);
	assert_int_equal(acpi_os_read_port(0x99, &value, 16), AE_BAD_ADDRESS);
	assert_int_equal(value, 0xffff);
	assert_int_equal(acpi_os_read_port(0x10000, &value, 32), AE_BAD_ADDRESS);
	assert_int_equal(acpi_os_write_port(0xb2, 0xf1, 8), AE_OK);
	assert_int_equal(fake.value, 0xf1);
	assert_int_equal(acpi_os_write_port(0x1000000b2, 0xf1, 8), AE_BAD_ADDRESS);
}

static void test_pci_configuration(void **state)
{
	(void)state;
	struct acpi_pci_id id = {0, 3, 31, 7}, elsewhere = {1, 0, 0, 0};
	u64 value;

	assert_int_equal(acpi_os_read_pci_configuration(&id, 0x62, &value, 16), AE_OK);
	assert_int_equal(fake.address, 0x8003ff60);
	assert_int_equal(fake.port, 0xcfe);
	assert_int_equal(value, 0x62);
	assert_int_equal(acpi_os_read_pci_configuration(&id, 0x20, &value, 64), AE_OK);
	assert_int_equal(value, (u64)0x24 << 32 | 0x20);
	assert_int_equal(acpi_os_write_pci_configuration(&id, 0x63, 0x0b, 8), AE_OK);
	assert_int_equal(fake.port, 0xcff);
	assert_int_equal(fake.value, 0x0b);
	assert_int_equal(acpi_os_read_pci_configuration(&id, 256, &value, 8), AE_BAD_ADDRESS);
	assert_int_equal(acpi_os_read_pci_configuration(&elsewhere, 0, &value, 8), AE_BAD_ADDRESS);
}

static void test_time(void **state)
{
	(void)state;
	assert_int_equal(acpi_os_get_timer(), 123456);
	acpi_os_stall(3);
	acpi_os_sleep(2);
	assert_int_equal(fake.waited, 2003000);
}

static unsigned work_done;

static void signal_it(void *semaphore)
{
	work_done++;
	assert_int_equal(acpi_os_signal_semaphore(semaphore, 1), AE_OK);
}

static void test_semaphores_count(void **state)
{
	(void)state;
	acpi_semaphore s;

	assert_int_equal(acpi_os_create_semaphore(2, 1, &s), AE_OK);
	assert_int_equal(acpi_os_wait_semaphore(s, 1, 0), AE_OK);
	assert_int_equal(acpi_os_wait_semaphore(s, 1, 0), AE_TIME);
	assert_int_equal(acpi_os_wait_semaphore(s, 1, 5), AE_TIME);
	assert_int_equal(fake.waited, 5000000);
	assert_int_equal(acpi_os_signal_semaphore(s, 2), AE_OK);
	assert_int_equal(acpi_os_signal_semaphore(s, 1), AE_LIMIT);
	assert_int_equal(acpi_os_wait_semaphore(s, 2, 0), AE_OK);
	/* A wait that nobody could end runs the work that was put off first, and it may be ended by that. */
	work_done = 0;
	assert_int_equal(acpi_os_execute(OSL_NOTIFY_HANDLER, signal_it, s), AE_OK);
	assert_int_equal(acpi_os_wait_semaphore(s, 1, ACPI_WAIT_FOREVER), AE_OK);
	assert_int_equal(work_done, 1);
	assert_int_equal(acpi_os_wait_semaphore(s, 1, ACPI_WAIT_FOREVER), AE_TIME);
	assert_int_equal(acpi_os_delete_semaphore(s), AE_OK);
}

static char order[8];

static void note(void *letter)
{
	strncat(order, letter, 1);
	if (*(const char *)letter == 'a')
		assert_int_equal(acpi_os_execute(OSL_NOTIFY_HANDLER, note, "d"), AE_OK);
}

static void test_work_is_done_in_order(void **state)
{
	(void)state;
	static const char letters[] = "abc";

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(acpi_os_execute(OSL_GPE_HANDLER, note, (void *)(uintptr_t)(letters + i)), AE_OK);
	assert_string_equal(order, "");
	osl_run_queue();
	assert_string_equal(order, "abcd");
	osl_run_queue();
	assert_string_equal(order, "abcd");
}

static void test_the_global_lock(void **state)
{
	(void)state;
	u32 lock = 0;

	assert_true(osl_acquire_global_lock(&lock));
	assert_int_equal(lock, 2);
	assert_false(osl_acquire_global_lock(&lock)); /* taken: pending is set for its owner to see */
	assert_int_equal(lock, 3);
	assert_true(osl_release_global_lock(&lock)); /* someone waits */
	assert_int_equal(lock, 0);
	assert_true(osl_acquire_global_lock(&lock));
	assert_false(osl_release_global_lock(&lock));
}

static u32 interrupts;

static u32 count_interrupt(void *context)
{
	assert_ptr_equal(context, &fake);
	interrupts++;
	return ACPI_INTERRUPT_HANDLED;
}

static void test_one_interrupt_handler(void **state)
{
	(void)state;
	assert_int_equal(acpi_os_install_interrupt_handler(8, count_interrupt, &fake), AE_NOT_ACQUIRED);
	assert_int_equal(acpi_os_install_interrupt_handler(9, count_interrupt, &fake), AE_OK);
	assert_int_equal(acpi_os_install_interrupt_handler(9, count_interrupt, &fake), AE_ALREADY_EXISTS);
	fake.handler(NULL);
	assert_int_equal(interrupts, 1);
	assert_int_equal(acpi_os_remove_interrupt_handler(9, NULL), AE_NOT_EXIST);
	assert_int_equal(acpi_os_remove_interrupt_handler(9, count_interrupt), AE_OK);
	fake.handler(NULL);
	assert_int_equal(interrupts, 1);
}

static void test_lines_are_put_together(void **state)
{
	(void)state;
	acpi_os_printf("%s: ", "one");
	assert_string_equal(fake.printed, "");
	acpi_os_printf("%d\n", 1);
	acpi_os_printf("ACPI info: nobody needs this\n");
	acpi_os_printf("%0300d", 0); /* longer than a line may be: cut, and shown at once */
	acpi_os_printf("end\n");
	assert_memory_equal(fake.printed, "[one: 1][000", 12);
	assert_int_equal(strlen(fake.printed), 8 + 2 + 255 + 5);
	assert_string_equal(fake.printed + 8 + 2 + 255, "[end]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_memory_is_accessed_by_width, set_up),
	    cmocka_unit_test_setup(test_memory_that_is_not_ours_is_named, set_up),
	    cmocka_unit_test_setup(test_ports, set_up),
	    cmocka_unit_test_setup(test_pci_configuration, set_up),
	    cmocka_unit_test_setup(test_time, set_up),
	    cmocka_unit_test_setup(test_semaphores_count, set_up),
	    cmocka_unit_test_setup(test_work_is_done_in_order, set_up),
	    cmocka_unit_test_setup(test_the_global_lock, set_up),
	    cmocka_unit_test_setup(test_one_interrupt_handler, set_up),
	    cmocka_unit_test_setup(test_lines_are_put_together, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
