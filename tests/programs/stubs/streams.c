/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What is not a call and its answer: one-way messages, and streams either way. */

#include <stdio.h>
#include <string.h>

#include "tests/programs/stubs/checks.h"

static const char *one_way(struct workshop *w)
{
	struct workshop_noted_results before, after;

	CHECK_OK(workshop_call_noted(w, &before, in_ms(2000)));
	for (uint32_t i = 0; i < 300; i++) /* several rings */
		CHECK_OK(workshop_send_note(w, &(struct workshop_note_params){i}, in_ms(2000)));
	CHECK_OK(workshop_call_noted(w, &after, in_ms(2000))); /* it does not overtake them */
	CHECK(after.count == before.count + 300 && after.last == 299);
	CHECK_OK(workshop_call_noted(w, &after, 0));
	CHECK(after.count == before.count + 300);
	return NULL;
}

static const char *upstream(struct workshop *w)
{
	struct workshop_poured_results r;

	for (uint64_t i = 1; i <= 200; i++)
		CHECK_OK(workshop_send_pour(w, &(struct workshop_pour_params){i}, in_ms(2000)));
	CHECK_OK(workshop_finish(w, in_ms(2000)));
	CHECK_OK(workshop_call_poured(w, &r, in_ms(2000)));
	CHECK(r.sum == 200 * 201 / 2);
	CHECK_OK(workshop_send_pour(w, &(struct workshop_pour_params){UINT64_MAX}, in_ms(2000)));
	CHECK(workshop_finish(w, in_ms(2000)).number == TROUBLE_DIVIDED_ERROR.number);
	CHECK_OK(workshop_finish(w, in_ms(2000)));
	return NULL;
}

static const char *downstream(struct workshop *w)
{
	struct workshop_numbers_stream s;
	struct workshop_numbers_results item;

	CHECK_OK(workshop_open_numbers(w, &(struct workshop_numbers_params){1000, 100}, &s, in_ms(2000)));
	for (uint64_t i = 0; i < 100; i++) {
		CHECK_OK(workshop_next_numbers(&s, &item, in_ms(2000)));
		CHECK(item.value == 1000 + i);
	}
	CHECK_ERROR(workshop_next_numbers(&s, &item, in_ms(2000)), END);
	CHECK_ERROR(workshop_next_numbers(&s, &item, 0), END);
	workshop_close_numbers(&s);
	CHECK_OK(workshop_open_numbers(w, &(struct workshop_numbers_params){0, UINT32_MAX}, &s, in_ms(2000)));
	CHECK(workshop_next_numbers(&s, &item, in_ms(2000)).number == TROUBLE_DIVIDED_ERROR.number);
	return NULL;
}

static const char *downstream_of_messages(struct workshop *w)
{
	struct workshop_texts_stream s;
	struct workshop_texts_results item;
	char expected[32];

	CHECK_OK(workshop_open_texts(w, &(struct workshop_texts_params){20}, &s, in_ms(2000)));
	for (unsigned i = 0; i < 20; i++) {
		CHECK_OK(workshop_next_texts(&s, &item, in_ms(2000)));
		snprintf(expected, sizeof expected, "number %u", i);
		CHECK(strcmp(item.text.at, expected) == 0);
	}
	CHECK_ERROR(workshop_next_texts(&s, &item, in_ms(2000)), END);
	return NULL;
}

/* A stream that nobody reads on, beside calls, and given up. */
static const char *given_up(struct workshop *w)
{
	struct workshop_cancelled_results before, after;
	struct workshop_numbers_stream s;
	struct workshop_numbers_results item;
	struct workshop_add_results r;

	CHECK_OK(workshop_call_cancelled(w, &before, in_ms(2000)));
	for (unsigned round = 0; round < 20; round++) {
		CHECK_OK(workshop_open_numbers(w, &(struct workshop_numbers_params){5, 1000000}, &s, in_ms(2000)));
		CHECK_OK(workshop_next_numbers(&s, &item, in_ms(2000)));
		CHECK(item.value == 5);
		for (uint32_t i = 0; i < 10; i++) {
			CHECK_OK(workshop_call_add(w, &(struct workshop_add_params){.a = i}, &r, in_ms(2000)));
			CHECK(r.sum == i);
		}
		workshop_close_numbers(&s);
		CHECK_ERROR(workshop_next_numbers(&s, &item, 0), CANCELLED);
	}
	CHECK_OK(workshop_call_cancelled(w, &after, in_ms(2000)));
	CHECK(after.streams == before.streams + 20);
	return NULL;
}

const struct check stream_checks[] = {
    {"one_way", one_way},   {"upstream", upstream}, {"downstream", downstream}, {"downstream_of_messages", downstream_of_messages},
    {"given_up", given_up}, {NULL, NULL},
};
