// sources: cpudriver/image/core_image.c cpudriver/image/elf.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Builds one core and looks at it as its hardware will: by walking the page tables. */

#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/core_image.h"
#include "cpudriver/abi/trace.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE       UINT64_C(0x12345000) /* where the hardware would see the image */
#define GUARD      0x2000               /* bytes around it that must stay as they are */
#define GUARD_BYTE 0xa5
#define TRAMPOLINE UINT64_C(0x9e000)

/* Intel SDM vol. 3, 4.5.4: written here anew, so that a wrong bit in the code under test is a difference. */
enum { P = 1, RW = 2, US = 4, PWT = 8, PCD = 16, A = 32, D = 64, PS = 128, G = 256 };
#define NX      (UINT64_C(1) << 63)
#define ADDRESS UINT64_C(0x000ffffffffff000)

struct program {
	Elf64_Ehdr header;
	Elf64_Phdr segment[4];
	uint8_t body[0x3000];
};

static struct program make_program(uint64_t at)
{
	struct program p = {
	    .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	               .e_type = ET_EXEC,
	               .e_machine = EM_X86_64,
	               .e_version = EV_CURRENT,
	               .e_entry = at + 0x810,
	               .e_phoff = offsetof(struct program, segment),
	               .e_ehsize = sizeof(Elf64_Ehdr),
	               .e_phentsize = sizeof(Elf64_Phdr),
	               .e_phnum = 4},
	    .segment = {{PT_LOAD, PF_R | PF_X, 0, at, 0, 0x1800, 0x1800, 0x1000},
	                {PT_LOAD, PF_R, 0x2000, at + 0x2000, 0, 0x300, 0x300, 0x1000},
	                {PT_LOAD, PF_R | PF_W, 0x2300, at + 0x3300, 0, 0x100, 0x2800, 0x1000},
	                {PT_LOAD, PF_R | PF_W, 0, at + 0x7000, 0, 0, 0x2000, 0x1000}},
	};
	for (size_t i = 0; i < sizeof(p.body); i++)
		p.body[i] = (uint8_t)(i * 7 + 1);
	return p;
}

struct setting {
	uint32_t cores;
	uint64_t window_end;
	bool huge_pages;
	const char *command_line; /* NULL: nobody has looked at it */
};

struct built {
	struct program driver, monitor;
	struct core_image_plan plan;
	uint8_t *all, *memory; /* with the guards, without */
	struct core_boot *boot;
	struct setting setting;
};

static void build(struct built *b, struct setting s)
{
	const char *why = "";
	struct core_boot *template = calloc(1, sizeof(*template));

	b->setting = s;
	b->driver = make_program(IMAGE_BASE);
	b->monitor = make_program(USER_PROGRAM);
	assert_true(is_ok(core_image_plan(&b->driver, sizeof(b->driver), &b->monitor, sizeof(b->monitor), s.cores, s.window_end,
	                                  s.huge_pages, &b->plan, &why)));
	if (s.command_line != NULL)
		assert_true(is_ok(core_image_plan_trace(&b->plan, s.command_line, &why)));
	b->all = malloc(b->plan.bytes + 2 * GUARD);
	memset(b->all, GUARD_BYTE, b->plan.bytes + 2 * GUARD);
	b->memory = b->all + GUARD;
	template->trampoline = TRAMPOLINE;
	template->rsdp = 0xe0000;
	strcpy(template->command_line, "app=hello");
	const struct core_image_target target = {BASE, b->memory, 3, 77, 1, s.cores, s.window_end, s.huge_pages};
	b->boot = core_image_build(&b->plan, &b->driver, &b->monitor, &target, template);
	free(template);
}

static void tear_down(struct built *b)
{
	free(b->all);
}

static uint64_t *table_at(const struct built *b, uint64_t physical)
{
	assert_in_range(physical, BASE, BASE + b->plan.bytes - PAGE_BYTES);
	return (uint64_t *)(void *)(b->memory + (physical - BASE));
}

struct translation {
	uint64_t physical, bytes, bits; /* bits of the last entry; 0: not mapped */
};

static struct translation walk(const struct built *b, uint64_t vaddr)
{
	uint64_t table = b->boot->page_table4;

	for (unsigned level = 4;; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		uint64_t entry = table_at(b, table)[vaddr >> shift & 511];
		if (!(entry & P))
			return (struct translation){0};
		if (level == 1 || (entry & PS)) {
			uint64_t bytes = UINT64_C(1) << shift;
			return (struct translation){(entry & ADDRESS) + (vaddr & (bytes - 1)), bytes, entry & ~ADDRESS};
		}
		assert_int_equal(entry & ~ADDRESS, P | RW | A);
		table = entry & ADDRESS;
	}
}

static const uint8_t *image_byte(const struct built *b, uint64_t vaddr)
{
	struct translation t = walk(b, vaddr);
	return (uint8_t *)table_at(b, t.physical & ~(PAGE_BYTES - 1)) + (t.physical & (PAGE_BYTES - 1));
}

static void the_image_is_mapped_with_its_rights(void **state)
{
	(void)state;
	struct built b;
	build(&b, (struct setting){8, 4 * GIB, true, NULL});
	const struct {
		uint64_t offset, bytes, bits;
	} want[] = {{0, 0x2000, P | A | G},
	            {0x2000, 0x1000, P | A | G | NX},
	            {0x3000, 0x3000, P | RW | A | D | G | NX},
	            {0x6000, 0x1000, 0}, /* the guard page */
	            {0x7000, 0x2000, P | RW | A | D | G | NX},
	            {0x9000, PAGE_BYTES_LARGE - 0x9000, 0}};
	for (size_t w = 0; w < sizeof(want) / sizeof(want[0]); w++)
		for (uint64_t at = want[w].offset; at < want[w].offset + want[w].bytes; at += PAGE_BYTES)
			assert_int_equal(walk(&b, IMAGE_BASE + at).bits, want[w].bits);
	tear_down(&b);
}

static void the_image_has_the_files_bytes_and_zeros(void **state)
{
	(void)state;
	struct built b;
	build(&b, (struct setting){1, 4 * GIB, true, NULL});
	const uint8_t *file = (const uint8_t *)&b.driver;

	for (uint64_t i = 0; i < 0x1800; i++)
		assert_int_equal(*image_byte(&b, IMAGE_BASE + i), file[i]);
	for (uint64_t i = 0x1800; i < 0x2000; i++)
		assert_int_equal(*image_byte(&b, IMAGE_BASE + i), 0);
	for (uint64_t i = 0x3000; i < 0x6000; i++)
		assert_int_equal(*image_byte(&b, IMAGE_BASE + i), i >= 0x3300 && i < 0x3400 ? file[i - 0x1000] : 0);
	for (uint64_t i = 0x7000; i < 0x9000; i++)
		assert_int_equal(*image_byte(&b, IMAGE_BASE + i), 0);
	tear_down(&b);
}

static void check_window(struct setting s)
{
	struct built b;
	build(&b, s);
	uint64_t page = s.huge_pages ? PAGE_BYTES_HUGE : PAGE_BYTES_LARGE;

	for (uint64_t at = 0; at < s.window_end; at += page) {
		struct translation t = walk(&b, WINDOW_BASE + at + 0x1234);
		assert_int_equal(t.physical, at + 0x1234);
		assert_int_equal(t.bytes, page);
		assert_int_equal(t.bits, P | RW | A | D | G | NX | PS);
	}
	uint64_t end = (s.window_end + PAGE_BYTES_HUGE - 1) & ~(PAGE_BYTES_HUGE - 1);
	assert_int_equal(walk(&b, WINDOW_BASE + end).bits, 0);
	tear_down(&b);
}

static void the_window_maps_all_memory(void **state)
{
	(void)state;
	check_window((struct setting){1, 4 * GIB, true, NULL});
	check_window((struct setting){1, 9 * GIB + 5 * MIB, true, NULL});
	check_window((struct setting){1, 4 * GIB, false, NULL});
	check_window((struct setting){1, 6 * GIB + 4096, false, NULL});
	check_window((struct setting){1, 512 * GIB, true, NULL});
	check_window((struct setting){1, 1025 * GIB, true, NULL});
}

static void devices_are_mapped_and_have_room(void **state)
{
	(void)state;
	struct built b;
	build(&b, (struct setting){1, 4 * GIB, true, NULL});

	struct translation apic = walk(&b, DEVICE_LOCAL_APIC);
	assert_int_equal(apic.physical, 0xfee00000);
	assert_int_equal(apic.bits, P | RW | PWT | PCD | A | D | G | NX);
	struct translation trampoline = walk(&b, DEVICE_TRAMPOLINE);
	assert_int_equal(trampoline.physical, TRAMPOLINE);
	assert_int_equal(trampoline.bits, P | A);
	for (unsigned i = 0; i < DEVICE_IO_APICS; i++)
		assert_int_equal(walk(&b, DEVICE_IO_APIC + i * PAGE_BYTES).bits, 0);
	/* User space is empty, and so is everything between. */
	const uint64_t *level4 = table_at(&b, b.boot->page_table4);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(level4[i] != 0, i == 256 || i == 511);
	tear_down(&b);
}

static void core_boot_says_what_was_built(void **state)
{
	(void)state;
	struct built b;
	build(&b, (struct setting){200, 8 * GIB, true, NULL});
	const struct core_boot *c = b.boot;

	assert_ptr_equal(c, b.memory);
	assert_int_equal(c->magic, CORE_BOOT_MAGIC);
	assert_int_equal(c->version, CORE_BOOT_VERSION);
	assert_int_equal(c->bytes, sizeof(*c));
	assert_int_equal(c->core, 3);
	assert_int_equal(c->apic, 77);
	assert_int_equal(c->node, 1);
	assert_int_equal(c->cores, 200);
	assert_int_equal(c->image_base, BASE);
	assert_int_equal(c->image_bytes, b.plan.bytes);
	assert_int_equal(c->entry, IMAGE_BASE + 0x810);
	assert_int_equal(c->window_end, 8 * GIB);
	assert_int_equal(c->rsdp, 0xe0000);
	assert_string_equal(c->command_line, "app=hello");
	assert_int_equal(c->mailbox_bytes, 7 * PAGE_BYTES);
	assert_int_equal(c->mailbox_base + c->mailbox_bytes, BASE + b.plan.bytes);
	for (uint64_t i = 0; i < c->mailbox_bytes; i++)
		assert_int_equal(b.memory[c->mailbox_base - BASE + i], 0);
	tear_down(&b);
}

static void the_monitor_is_described_and_in_place(void **state)
{
	(void)state;
	struct built b;
	build(&b, (struct setting){1, 4 * GIB, true, NULL});
	const struct boot_program *m = &b.boot->monitor;
	const uint8_t *file = (const uint8_t *)&b.monitor;

	assert_int_equal(m->entry, USER_PROGRAM + 0x810);
	assert_int_equal(m->phdr, USER_PROGRAM + offsetof(struct program, segment));
	assert_int_equal(m->phdr_count, 4);
	assert_int_equal(m->segments, 4);
	const uint64_t rights[] = {RIGHT_READ | RIGHT_EXECUTE, RIGHT_READ, RIGHT_READ | RIGHT_WRITE, RIGHT_READ | RIGHT_WRITE};
	const uint64_t bytes[] = {0x2000, 0x1000, 0x3000, 0x2000};
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(m->segment[i].rights, rights[i]);
		assert_int_equal(m->segment[i].bytes, bytes[i]);
		assert_int_equal(m->segment[i].vaddr % PAGE_BYTES, 0);
		assert_int_equal(m->segment[i].paddr % PAGE_BYTES, 0);
	}
	const uint8_t *data = (const uint8_t *)table_at(&b, m->segment[2].paddr);
	for (uint64_t i = 0; i < bytes[2]; i++)
		assert_int_equal(data[i], i >= 0x300 && i < 0x400 ? file[i + 0x2000] : 0);
	tear_down(&b);
}

static void nothing_outside_the_plan_is_touched(void **state)
{
	(void)state;
	const struct setting settings[] = {{1, 4 * GIB, true, NULL}, {256, 5 * GIB, false, NULL}, {33, 600 * GIB, true, NULL}};

	for (size_t s = 0; s < sizeof(settings) / sizeof(settings[0]); s++) {
		struct built b;
		build(&b, settings[s]);
		for (uint64_t i = 0; i < GUARD; i++) {
			assert_int_equal(b.all[i], GUARD_BYTE);
			assert_int_equal(b.memory[b.plan.bytes + i], GUARD_BYTE);
		}
		tear_down(&b);
	}
}

static void it_is_small_and_grows_slowly(void **state)
{
	(void)state;
	struct program driver = make_program(IMAGE_BASE), monitor = make_program(USER_PROGRAM);
	uint64_t before = 0;
	const char *why = "";

	for (uint32_t cores = 1; cores <= CORES_MAX; cores++) {
		struct core_image_plan plan;
		assert_true(is_ok(core_image_plan(&driver, sizeof(driver), &monitor, sizeof(monitor), cores, 10 * GIB, true, &plan, &why)));
		assert_true(before == 0 || plan.bytes - before <= 3 * PAGE_BYTES);
		assert_true(plan.driver_bytes <= plan.bytes);
		if (cores == 8)
			assert_true(plan.driver_bytes - 8 * PAGE_BYTES <= 10 * PAGE_BYTES); /* beside the image's own 8 pages */
		before = plan.bytes;
	}
}

static uint64_t trace_bytes(const char *command_line)
{
	struct core_image_plan plan = {.bytes = 100};
	const char *why = NULL;

	assert_true(is_ok(core_image_plan_trace(&plan, command_line, &why)));
	assert_int_equal(plan.bytes, 100 + plan.trace_bytes);
	return plan.trace_bytes;
}

static void who_asks_for_a_trace_gets_room_for_one(void **state)
{
	(void)state;
	assert_int_equal(trace_bytes("trace=on"), trace_area_bytes());
	assert_int_equal(trace_bytes("lens=elapsed trace=on app=hello"), trace_area_bytes());
	assert_int_equal(trace_bytes("trace=off trace=on"), trace_area_bytes());
	assert_int_equal(trace_bytes("trace=on trace=off app=hello"), 0);
	assert_int_equal(trace_bytes(""), 0);
	assert_int_equal(trace_bytes("tracer=1 app=hello"), 0);
	assert_int_equal(trace_bytes("app=echo trace=on"), 0);
	assert_int_equal(trace_bytes("app=echo trace=maybe"), 0);
}

static void a_trace_that_is_neither_on_nor_off_is_refused(void **state)
{
	static const char *const lines[] = {"trace=", "trace=maybe", "a=b trace=on2 app=hello", "trace=of"};

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct core_image_plan plan = {.bytes = 100};
		const char *why = NULL;

		assert_true(err_is(core_image_plan_trace(&plan, lines[i], &why), ERR_NUMBER_ARGUMENT));
		assert_non_null(why);
		assert_int_equal(plan.bytes, 100);
	}
}

static void the_trace_area_is_the_image_s_end(void **state)
{
	struct built plain, traced;

	(void)state;
	build(&plain, (struct setting){2, 4 * GIB, true, NULL});
	build(&traced, (struct setting){2, 4 * GIB, true, "trace=on"});
	assert_int_equal(plain.boot->trace_base, 0);
	assert_int_equal(plain.boot->trace_bytes, 0);
	assert_int_equal(traced.boot->trace_bytes, trace_area_bytes());
	assert_int_equal(traced.boot->trace_base + traced.boot->trace_bytes, BASE + traced.plan.bytes);
	assert_int_equal(traced.plan.bytes - plain.plan.bytes, trace_area_bytes());
	assert_int_equal(traced.plan.driver_bytes, plain.plan.driver_bytes);
	assert_int_equal(traced.boot->mailbox_base, plain.boot->mailbox_base);
	tear_down(&plain);
	tear_down(&traced);
}

static void refused(const struct program *driver, const struct program *monitor, struct setting s, enum err_number number)
{
	struct core_image_plan plan;
	const char *why = NULL;
	err_t e = core_image_plan(driver, sizeof(*driver), monitor, sizeof(*monitor), s.cores, s.window_end, s.huge_pages, &plan, &why);

	assert_true(err_is(e, number));
	assert_non_null(why);
}

static void what_makes_no_image_is_refused(void **state)
{
	(void)state;
	const struct setting good = {1, 4 * GIB, true, NULL};
	struct program driver = make_program(IMAGE_BASE), monitor = make_program(USER_PROGRAM);
	struct program low = make_program(USER_PROGRAM), high = make_program(IMAGE_BASE + PAGE_BYTES_LARGE);
	struct program crowded = monitor;

	refused(&low, &monitor, good, ERR_NUMBER_FORMAT);
	refused(&high, &monitor, good, ERR_NUMBER_FORMAT);
	refused(&driver, &driver, good, ERR_NUMBER_FORMAT);
	refused(&driver, &monitor, (struct setting){0, 4 * GIB, true, NULL}, ERR_NUMBER_ARGUMENT);
	refused(&driver, &monitor, (struct setting){CORES_MAX + 1, 4 * GIB, true, NULL}, ERR_NUMBER_ARGUMENT);
	refused(&driver, &monitor, (struct setting){1, 0, true, NULL}, ERR_NUMBER_ARGUMENT);
	refused(&driver, &monitor, (struct setting){1, WINDOW_BYTES + 1, true, NULL}, ERR_NUMBER_ARGUMENT);

	Elf64_Phdr *more = (Elf64_Phdr *)(void *)crowded.body;
	for (unsigned i = 0; i < 3; i++)
		more[i] = (Elf64_Phdr){PT_LOAD, PF_R, 0, USER_PROGRAM + 0x10000 + 0x1000 * i, 0, 0, 0x1000, 0};
	crowded.header.e_phnum = 7;
	refused(&driver, &crowded, good, ERR_NUMBER_FORMAT);
}

static void the_trampolines_tables_map_it_three_times(void **state)
{
	(void)state;
	for (int huge = 0; huge < 2; huge++) {
		struct built b = {.plan.bytes = trampoline_tables_bytes(5 * GIB, huge)};
		struct core_boot boot = {.page_table4 = BASE};
		b.all = malloc(b.plan.bytes + 2 * GUARD);
		memset(b.all, GUARD_BYTE, b.plan.bytes + 2 * GUARD);
		b.memory = b.all + GUARD;
		b.boot = &boot;
		trampoline_tables_build(b.memory, BASE, 5 * GIB, huge, TRAMPOLINE);

		assert_int_equal(walk(&b, TRAMPOLINE).physical, TRAMPOLINE);
		assert_int_equal(walk(&b, WINDOW_BASE + TRAMPOLINE).physical, TRAMPOLINE);
		assert_int_equal(walk(&b, DEVICE_TRAMPOLINE).physical, TRAMPOLINE);
		assert_int_equal(walk(&b, TRAMPOLINE).bits & (P | NX), P);
		assert_int_equal(walk(&b, DEVICE_TRAMPOLINE).bits & (P | NX), P);
		assert_int_equal(walk(&b, 5 * GIB - 1).physical, 5 * GIB - 1);
		for (uint64_t i = 0; i < GUARD; i++)
			assert_true(b.all[i] == GUARD_BYTE && b.memory[b.plan.bytes + i] == GUARD_BYTE);
		free(b.all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_image_is_mapped_with_its_rights),
	    cmocka_unit_test(the_image_has_the_files_bytes_and_zeros),
	    cmocka_unit_test(the_window_maps_all_memory),
	    cmocka_unit_test(devices_are_mapped_and_have_room),
	    cmocka_unit_test(core_boot_says_what_was_built),
	    cmocka_unit_test(the_monitor_is_described_and_in_place),
	    cmocka_unit_test(nothing_outside_the_plan_is_touched),
	    cmocka_unit_test(it_is_small_and_grows_slowly),
	    cmocka_unit_test(who_asks_for_a_trace_gets_room_for_one),
	    cmocka_unit_test(a_trace_that_is_neither_on_nor_off_is_refused),
	    cmocka_unit_test(the_trace_area_is_the_image_s_end),
	    cmocka_unit_test(what_makes_no_image_is_refused),
	    cmocka_unit_test(the_trampolines_tables_map_it_three_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
