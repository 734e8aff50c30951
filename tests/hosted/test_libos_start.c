// sources: libos/start/stack.c libos/domain/command.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a program begins with: its stack as the System V ABI wants it, and the block of strings that a spawn hands over. */

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libos/domain/command.h"
#include "libos/start/stack.h"
#include "monitor/abi/messages.h"

#define WORDS 128

static _Alignas(16) uint64_t stack[WORDS];

static uint64_t auxiliary(const uint64_t *vector, uint64_t type)
{
	for (; vector[0] != AT_NULL; vector += 2)
		if (vector[0] == type)
			return vector[1];
	return UINT64_MAX;
}

static void a_program_finds_everything(void **state)
{
	static const char strings[] = "prog\0-v\0HOME=/\0";
	const struct stack_plan plan = {
	    .arguments = strings,
	    .argument_count = 2,
	    .environment = strings + 8,
	    .environment_count = 1,
	    .strings_end = strings + sizeof strings,
	    .phdr = 0x400040,
	    .phdr_count = 7,
	    .entry = 0x401000,
	    .random = {11, 22},
	};
	const uint64_t *at, *random;
	uint64_t rsp;

	(void)state;
	assert_true(is_ok(stack_build(&plan, stack, WORDS, (uint64_t)(stack + WORDS), &rsp)));
	assert_int_equal(rsp % 16, 0);
	at = (const uint64_t *)rsp;
	assert_int_equal(at[0], 2);
	assert_string_equal((const char *)at[1], "prog");
	assert_string_equal((const char *)at[2], "-v");
	assert_int_equal(at[3], 0);
	assert_string_equal((const char *)at[4], "HOME=/");
	assert_int_equal(at[5], 0);
	assert_int_equal(auxiliary(at + 6, AT_PHDR), 0x400040);
	assert_int_equal(auxiliary(at + 6, AT_PHNUM), 7);
	assert_int_equal(auxiliary(at + 6, AT_PHENT), sizeof(Elf64_Phdr));
	assert_int_equal(auxiliary(at + 6, AT_PAGESZ), 4096);
	assert_int_equal(auxiliary(at + 6, AT_ENTRY), 0x401000);
	random = (const uint64_t *)auxiliary(at + 6, AT_RANDOM);
	assert_int_equal(random[0], 11);
	assert_int_equal(random[1], 22);
}

/* With any number of strings the stack pointer is aligned, and nothing is written outside. */
static void the_stack_is_always_aligned(void **state)
{
	char strings[40] = {0};

	(void)state;
	for (unsigned arguments = 0; arguments < 20; arguments++) {
		struct stack_plan plan = {
		    .arguments = strings, .argument_count = arguments, .environment = strings, .strings_end = strings + sizeof strings};
		uint64_t rsp;

		memset(stack, 0xaa, sizeof stack);
		assert_true(is_ok(stack_build(&plan, stack, WORDS, (uint64_t)(stack + WORDS), &rsp)));
		assert_int_equal(rsp % 16, 0);
		assert_int_equal(*(const uint64_t *)rsp, arguments);
		assert_int_equal(((const uint64_t *)rsp)[-1], 0xaaaaaaaaaaaaaaaa);
	}
}

static void too_much_is_refused(void **state)
{
	static const char endless[4] = {'a', 'b', 'c', 'd'};
	struct stack_plan plan = {.arguments = endless, .argument_count = 1, .environment = endless, .strings_end = endless + 4};
	uint64_t rsp;

	(void)state;
	assert_true(err_is(stack_build(&plan, stack, WORDS, (uint64_t)(stack + WORDS), &rsp), ERR_NUMBER_FORMAT));
	plan.argument_count = UINT32_MAX;
	assert_true(err_is(stack_build(&plan, stack, WORDS, (uint64_t)(stack + WORDS), &rsp), ERR_NUMBER_RANGE));
	plan.argument_count = 1;
	assert_true(err_is(stack_build(&plan, stack, 8, (uint64_t)(stack + 8), &rsp), ERR_NUMBER_RANGE));
}

static void a_command_is_two_lists(void **state)
{
	const char *const arguments[] = {"ipcbench", "", "--quick", "", NULL}, *const environment[] = {"A=1", "", NULL};
	static const char wanted[] = "ipcbench\0\0--quick\0\0A=1\0";
	struct spawn_order order;
	char block[128];
	size_t length;

	(void)state;
	assert_true(is_ok(command_build(arguments, environment, block, sizeof block, &length)));
	assert_int_equal(length, sizeof order + sizeof wanted);
	memcpy(&order, block, sizeof order);
	assert_true(order.arguments == 4 && order.environment == 2 && order.gifts == 0 && order.quota == 0);
	assert_memory_equal(block + sizeof order, wanted, sizeof wanted);
	assert_true(is_ok(command_build(arguments, NULL, block, sizeof block, &length)));
	assert_int_equal(length, sizeof order + sizeof wanted - 5); /* without A=1 and the empty one */
	assert_memory_equal(block + sizeof order, wanted, length - sizeof order);
}

/* Every capacity that is too small is refused, and nothing behind it is touched. */
static void a_command_that_does_not_fit_is_refused(void **state)
{
	const char *const arguments[] = {"shell", "x", NULL}, *const environment[] = {"B=22", NULL};
	char block[128];
	size_t length, needed;

	(void)state;
	assert_true(is_ok(command_build(arguments, environment, block, sizeof block, &needed)));
	for (size_t capacity = 0; capacity < needed; capacity++) {
		memset(block, 0x55, sizeof block);
		assert_true(err_is(command_build(arguments, environment, block, capacity, &length), ERR_NUMBER_RANGE));
		assert_int_equal(block[capacity], 0x55);
	}
	assert_true(is_ok(command_build(arguments, environment, block, needed, &length)));
}

static void a_command_without_a_name_is_refused(void **state)
{
	const char *const nothing[] = {NULL};
	char block[64];
	size_t length;

	(void)state;
	assert_true(err_is(command_build(NULL, NULL, block, sizeof block, &length), ERR_NUMBER_ARGUMENT));
	assert_true(err_is(command_build(nothing, NULL, block, sizeof block, &length), ERR_NUMBER_ARGUMENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_program_finds_everything),
	    cmocka_unit_test(the_stack_is_always_aligned),
	    cmocka_unit_test(too_much_is_refused),
	    cmocka_unit_test(a_command_is_two_lists),
	    cmocka_unit_test(a_command_that_does_not_fit_is_refused),
	    cmocka_unit_test(a_command_without_a_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
