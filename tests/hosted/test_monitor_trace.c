// sources: monitor/trace.c libos/trace/trace.c
/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Which domain gets which trace ring: the area as the exporter will find it, rings used again in the order in which they came free, and one
 * that somebody else may still write to never again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>

#include "cpudriver/abi/trace.h"
#include "libos/trace/trace.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/trace.h"

#define BASE UINT64_C(0x10000000)

enum { SLOTS = 64, AREA_SLOT = 1, FIRST_DOMAIN = 2 };

static uint8_t *area; /* from the directory on */
static struct cap_identity slot[SLOTS];
static bool copied[SLOTS];
static unsigned slots;
static uint64_t now;
static char said[200];

/* ---- The machine ---- */

uint64_t platform_now(void)
{
	return ++now;
}

err_t cap_slot_alloc(cap_t *out)
{
	*out = (cap_t){(uint16_t)++slots};
	return slots < SLOTS ? OK : ERR(NO_SLOT);
}

err_t platform_install(cap_t cap, const struct platform_remote *what)
{
	slot[cap.value] = (struct cap_identity){.type = what->type, .rights = what->rights, .base = what->base, .size = what->bytes};
	return OK;
}

err_t frame_map(cap_t frame, uint64_t offset, uint64_t bytes, rights_t rights, void **out)
{
	(void)rights;
	assert_int_equal(frame.value, AREA_SLOT);
	assert_int_equal(offset, 0);
	area = aligned_alloc(PAGE_BYTES, bytes);
	memset(area, 0xee, bytes);
	*out = area;
	return OK;
}

err_t cap_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	assert_int_equal(count, 1);
	assert_true(offset + bytes <= slot[source.value].size);
	slot[first.value] = (struct cap_identity){.type = type, .base = slot[source.value].base + offset, .size = bytes};
	return OK;
}

err_t cap_identify(cap_t cap, struct cap_identity *out)
{
	if (cap.value == CAP_SELF_DISPATCHER.value)
		*out = (struct cap_identity){.type = CAP_Dispatcher, .base = 0x5000};
	else
		*out = slot[cap.value % SLOTS];
	return OK;
}

void platform_relate(cap_t cap, struct platform_relations *r)
{
	*r = (struct platform_relations){.copies = copied[cap.value], .covered = true};
}

bool mesh_alive(const struct monitor *m, uint32_t core)
{
	(void)m, (void)core;
	return true;
}

void report_line(struct monitor *m, const char *format, ...)
{
	va_list arguments;

	(void)m;
	va_start(arguments, format);
	vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
}

/* ---- Domains ---- */

static struct core_boot boot;
static struct monitor *m;
static struct domain domains[2 * TRACE_DOMAINS];

static struct trace_directory *directory(void)
{
	return (struct trace_directory *)(void *)area;
}

static int begin(void **state)
{
	(void)state;
	memset(slot, 0, sizeof(slot));
	memset(copied, 0, sizeof(copied));
	memset(domains, 0, sizeof(domains));
	slots = 0;
	boot = (struct core_boot){.trace_base = BASE, .trace_bytes = trace_area_bytes(), .tsc_hz = 1000};
	m = calloc(1, sizeof(*m));
	m->boot = &boot;
	m->core = 3;
	assert_true(is_ok(tracing_begin(m)));
	return 0;
}

static int end(void **state)
{
	(void)state;
	trace_use(NULL);
	free(m->tracing);
	free(m);
	free(area);
	area = NULL;
	return 0;
}

static cap_t take(unsigned i)
{
	domains[i].number = 100 + i;
	snprintf(domains[i].name, sizeof(domains[i].name), "program%u", i);
	return tracing_take(m, &domains[i]);
}

/* ---- Tests ---- */

static void without_a_trace_there_is_nothing(void **state)
{
	(void)state;
	struct core_boot none = {.trace_bytes = 0};
	struct monitor *other = calloc(1, sizeof(*other));
	struct domain d = {.number = 1};

	other->boot = &none;
	assert_true(is_ok(tracing_begin(other)));
	assert_null(other->tracing);
	assert_int_equal(tracing_take(other, &d).value, CAP_NULL.value);
	assert_int_equal(tracing_bytes_of(other, &d), 0);
	assert_false(tracing_is_ring(other, &d, BASE));
	said[0] = 0;
	tracing_tell(other);
	tracing_describe(other, &d);
	tracing_give(other, &d);
	assert_string_equal(said, "");
	free(other);
}

static void the_directory_says_where_all_rings_are(void **state)
{
	const struct trace_writer *w = directory()->writer;
	uint64_t at = TRACE_DIRECTORY_AT + PAGE_BYTES;

	(void)state;
	assert_int_equal(directory()->magic, TRACE_MAGIC);
	assert_int_equal(directory()->core, 3);
	assert_int_equal(directory()->writers, TRACE_WRITERS);
	assert_int_equal(w[0].offset, 0);
	assert_int_equal(w[0].bytes, TRACE_DIRECTORY_AT);
	assert_int_equal(w[1].dispatcher, 0x5000);
	for (unsigned i = 1; i < TRACE_WRITERS; i++) {
		assert_int_equal(w[i].offset, at);
		assert_int_equal(w[i].state, i == 1 ? TRACE_IN_USE : TRACE_FREE);
		at += w[i].bytes;
	}
	assert_int_equal(at, trace_area_bytes());
}

static void the_monitor_writes_to_its_own(void **state)
{
	struct trace_ring *ring = (struct trace_ring *)(void *)(area + PAGE_BYTES);

	(void)state;
	trace_write(trace_word(TRACE_request, 1, 2), 3, 4);
	assert_ptr_equal(trace_ring, ring);
	assert_int_equal(ring->head, 1);
	assert_int_equal(ring->event[0].number, TRACE_request);
}

static void where_it_is_is_said_once(void **state)
{
	struct peer nobody = {0};

	(void)state;
	said[0] = 0;
	tracing_tell(m);
	assert_string_equal(said, ""); /* there is nobody yet to print it */
	m->peer = &nobody;
	tracing_tell(m);
	assert_non_null(strstr(said, "@trace {\"core\":3,\"base\":268435456,"));
	said[0] = 0;
	tracing_tell(m);
	assert_string_equal(said, "");
}

static void each_domain_gets_an_empty_ring_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TRACE_DOMAINS; i++) {
		const cap_t ring = take(i);
		const struct trace_writer *w = &directory()->writer[FIRST_DOMAIN + i];
		const struct trace_ring *r = (const struct trace_ring *)(void *)(area + (w->offset - TRACE_DIRECTORY_AT));

		assert_int_equal(slot[ring.value].base, BASE + w->offset);
		assert_int_equal(slot[ring.value].size, w->bytes);
		assert_true(tracing_is_ring(m, &domains[i], BASE + w->offset));
		assert_int_equal(tracing_bytes_of(m, &domains[i]), w->bytes);
		assert_int_equal(w->domain, 100 + i);
		assert_string_equal(w->name, domains[i].name);
		assert_int_equal(r->head, 0);
		assert_int_equal(r->mask, TRACE_DOMAIN_EVENTS - 1);
		assert_int_equal(r->event[TRACE_DOMAIN_EVENTS - 1].time, 0);
	}
	assert_int_equal(take(0).value, take(0).value);
	assert_int_equal(directory()->refused, 0);
}

static void who_comes_too_late_runs_without(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TRACE_DOMAINS; i++)
		take(i);
	assert_int_equal(take(TRACE_DOMAINS).value, CAP_NULL.value);
	assert_int_equal(tracing_bytes_of(m, &domains[TRACE_DOMAINS]), 0);
	assert_int_equal(directory()->refused, 1);
}

static void the_ring_that_came_free_first_is_used_again_first(void **state)
{
	unsigned ring[3];

	(void)state;
	for (unsigned i = 0; i < TRACE_DOMAINS; i++)
		take(i);
	for (unsigned i = 0; i < 3; i++)
		ring[i] = domains[7 - i].trace;
	for (unsigned i = 0; i < 3; i++)
		tracing_give(m, &domains[7 - i]);
	assert_int_equal(directory()->writer[ring[0]].state, TRACE_ENDED);
	assert_int_equal(directory()->writer[ring[0]].domain, 107);
	for (unsigned i = 0; i < 3; i++) {
		take(TRACE_DOMAINS + i);
		assert_int_equal(domains[TRACE_DOMAINS + i].trace, ring[i]);
	}
	assert_int_equal(directory()->reused, 3);
}

static void a_ring_that_others_have_is_never_used_again(void **state)
{
	unsigned ring;

	(void)state;
	for (unsigned i = 0; i < TRACE_DOMAINS; i++)
		copied[take(i).value] = i == 5;
	ring = domains[5].trace;
	tracing_give(m, &domains[5]);
	assert_int_equal(directory()->writer[ring].state, TRACE_RETIRED);
	assert_int_equal(take(TRACE_DOMAINS).value, CAP_NULL.value);
	tracing_give(m, &domains[6]);
	assert_int_not_equal(take(TRACE_DOMAINS).value, CAP_NULL.value);
	assert_int_not_equal(domains[TRACE_DOMAINS].trace, ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(without_a_trace_there_is_nothing, begin, end),
	    cmocka_unit_test_setup_teardown(the_directory_says_where_all_rings_are, begin, end),
	    cmocka_unit_test_setup_teardown(the_monitor_writes_to_its_own, begin, end),
	    cmocka_unit_test_setup_teardown(where_it_is_is_said_once, begin, end),
	    cmocka_unit_test_setup_teardown(each_domain_gets_an_empty_ring_of_its_own, begin, end),
	    cmocka_unit_test_setup_teardown(who_comes_too_late_runs_without, begin, end),
	    cmocka_unit_test_setup_teardown(the_ring_that_came_free_first_is_used_again_first, begin, end),
	    cmocka_unit_test_setup_teardown(a_ring_that_others_have_is_never_used_again, begin, end),
	};

	return cmocka_run_group_tests_name("monitor_trace", tests, NULL, NULL);
}
