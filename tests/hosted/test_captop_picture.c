// sources: apps/captop/picture.c
// flags: -Ilibos/include
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* captop's picture of the agreement: from the cores' records to text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atoll/capability.h>

#include "apps/captop/picture.h"

#define GHZ UINT64_C(1000000000)

static struct picture *p;
static char text[64 * 1024];

const char *cap_type_name(enum cap_type type)
{
	return type == CAP_Frame ? "Frame" : "another";
}

static int begin(void **state)
{
	(void)state;
	p = malloc(sizeof(*p));
	assert_non_null(p);
	picture_begin(p);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(p);
	return 0;
}

static void print(unsigned rows, size_t room)
{
	struct picture_text out = {.at = text, .bytes = room};

	memset(text, 0x55, sizeof(text));
	picture_print(p, GHZ, rows, &out);
	assert_true(out.used < room);
	assert_int_equal(strlen(text), out.used);
	assert_int_equal(text[room], 0x55);
}

static void shows(const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("no \"%s\" in:\n%s", what, text);
}

static void add_object(uint32_t teller, uint8_t owner, uint64_t base, unsigned detail, uint64_t holders0, uint64_t holders3)
{
	picture_add(p, teller,
	            &(struct agreement_info){.kind = AGREEMENT_INFO_OBJECT,
	                                     .type = CAP_Frame,
	                                     .core = owner,
	                                     .detail = (uint8_t)detail,
	                                     .base = base,
	                                     .size = 8192,
	                                     .word = {holders0, 0, 0, holders3}});
}

static void owner_and_holders_of_an_object(void **state)
{
	(void)state;
	add_object(0, 0, 0x12000, AGREEMENT_BUSY, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 7, UINT64_C(1) << 63);
	add_object(2, 0, 0x12000, AGREEMENT_ANCHORED, 0, 0); /* an anchor is no second object */
	picture_add(p, 2, &(struct agreement_info){.kind = AGREEMENT_INFO_TRAFFIC, .base = 3, .word = {11, 22, 33}});
	print(10, 4096);
	shows("cores 1, view 3, shared objects 1, operations under way 0\n");
	shows("Frame       0x000000012000         8 KiB      0  1-3 7 255  busy\n");
	shows("   2      0        1           0          11          22       33\n");
}

static void operations_and_their_cost(void **state)
{
	(void)state;
	for (uint32_t core = 0; core < 2; core++)
		picture_add(p, core,
		            &(struct agreement_info){
		                .kind = AGREEMENT_INFO_COST, .detail = ASKED_REVOKE, .word = {2, 6 + core, 3000, 2000 + core * 500}});
	picture_add(p, 1,
	            &(struct agreement_info){.kind = AGREEMENT_INFO_OPERATION,
	                                     .type = CAP_Frame,
	                                     .core = 5,
	                                     .detail = PART_HOLDER,
	                                     .base = 0x1000,
	                                     .size = 4096,
	                                     .word = {17, 4}});
	print(10, 4096);
	shows("revoke             4            3.2        1.5         2.5\n");
	shows("operations under way 1\n");
	shows("holder's part     1     5  Frame       0x000000001000         4 KiB        17        4\n");
	assert_null(strstr(text, "retype"));
}

/* A core may tell anything; the picture stays one. */
static void senseless_records_are_left_out(void **state)
{
	struct agreement_info record = {.kind = 200};

	(void)state;
	picture_add(p, 0, &record);
	record = (struct agreement_info){.kind = AGREEMENT_INFO_COST, .detail = 255, .word = {1, 1, 1, 1}};
	picture_add(p, 0, &record);
	record = (struct agreement_info){.kind = AGREEMENT_INFO_TRAFFIC};
	picture_add(p, MACHINE_CORES, &record);
	record = (struct agreement_info){.kind = AGREEMENT_INFO_OPERATION, .type = 255, .detail = 255};
	picture_add(p, 0, &record);
	print(10, 4096);
	shows("cores 0, view 0, shared objects 0, operations under way 1\n");
	shows("?                 0     0  another");
}

static void what_is_too_much_is_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PICTURE_ROWS_MAX + 10; i++)
		add_object(0, 0, i * UINT64_C(4096), 0, 2, 0);
	print(3, sizeof(text) - 1);
	shows("0x000000002000");
	assert_null(strstr(text, "0x000000003000"));
	shows("... and 4103 more\n");
	print(PICTURE_ROWS_MAX + 10, 2000); /* text that does not fit is left out, without half a number */
	for (size_t room = 1; room < 600; room++)
		print(5, room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(owner_and_holders_of_an_object, begin, end),
	    cmocka_unit_test_setup_teardown(operations_and_their_cost, begin, end),
	    cmocka_unit_test_setup_teardown(senseless_records_are_left_out, begin, end),
	    cmocka_unit_test_setup_teardown(what_is_too_much_is_counted, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
