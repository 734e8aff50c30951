/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Calls: synchronous, in two halves, put off, with deadlines, cancelled. */

#include <stdio.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

#include "tests/programs/stubs/checks.h"

static const char *small_calls(struct workshop *w)
{
	struct workshop_add_results r;

	for (uint32_t i = 0; i < 1000; i++) {
		CHECK_OK(workshop_call_add(w, &(struct workshop_add_params){.a = i, .b = 2 * i, .negative = i % 2}, &r, 0));
		CHECK(r.sum == (i % 2 ? -3 : 3) * (int64_t)i);
	}
	CHECK_OK(workshop_call_add(w, &(struct workshop_add_params){.a = UINT32_MAX, .b = UINT32_MAX}, &r, in_ms(2000)));
	CHECK(r.sum == 2 * (int64_t)UINT32_MAX);
	return NULL;
}

static const char *wide_calls(struct workshop *w)
{
	struct workshop_wide_results r;

	CHECK_OK(workshop_call_wide(w, &(struct workshop_wide_params){3, 5, 7, 11, 13}, &r, in_ms(2000)));
	CHECK(r.sum == 39 && r.product == 15015 && r.xor == (3 ^ 5 ^ 7 ^ 11 ^ 13) && r.and == 1);
	return NULL;
}

static const char *own_errors(struct workshop *w)
{
	struct workshop_divide_results r;
	err_t e = workshop_call_divide(w, &(struct workshop_divide_params){7, 0}, &r, 0);

	CHECK(e.number == TROUBLE_DIVIDED_ERROR.number);
	CHECK(strcmp(trouble_sentence(e), "nothing can be divided by 0") == 0);
	CHECK_OK(workshop_call_divide(w, &(struct workshop_divide_params){7, 2}, &r, 0));
	CHECK(r.quotient == 3);
	return NULL;
}

static const char *messages(struct workshop *w)
{
	static const uint16_t list[] = {1, 2, 300};
	struct workshop_describe_params p = {
	    .place = {.x = 4, .y = -5, .weight = 1.25, .name = {"Lisbon", 6}}, .list = {list, 3}, .data = {"\1\2", 2}};
	struct workshop_describe_results r;
	struct stub_message room;

	CHECK_OK(workshop_call_describe(w, &p, &r, &room, in_ms(2000)));
	CHECK(strcmp(r.text.at, "Lisbon lies at 4, -5") == 0 && r.text.bytes == strlen(r.text.at));
	CHECK(r.place.x == 5 && r.place.y == -5 && r.place.weight == 1.25 && strcmp(r.place.name.at, "Lisbon") == 0);
	CHECK(r.sum == 306);
	p = (struct workshop_describe_params){.place = {.y = -7}};
	CHECK_OK(workshop_call_describe(w, &p, &r, &room, in_ms(2000)));
	CHECK(strcmp(r.text.at, "nowhere lies at 0, -7") == 0 && r.sum == 0);
	return NULL;
}

/* The message as the server got it, for `capnp decode` on the host. */
static const char *captured(struct workshop *w)
{
	static const uint16_t list[] = {9, 8, 7};
	const struct workshop_message_params p = {.place = {.x = 1, .y = 2, .weight = 3.5, .name = {"Faro", 4}}, .list = {list, 3}};
	struct workshop_message_results r;
	struct stub_message room;
	const uint8_t *bytes;

	CHECK_OK(workshop_call_message(w, &p, &r, &room, in_ms(2000)));
	bytes = r.words.at;
	printf("@message {\"hex\":\"");
	for (uint32_t i = 0; i < r.words.bytes; i++)
		printf("%02x", bytes[i]);
	printf("\"}\n");
	return NULL;
}

static const char *long_messages(struct workshop *w)
{
	static uint8_t data[STUB_MESSAGE_WORDS * 8];
	struct workshop_describe_params p = {.place = {.name = {"", 0}}, .data = {data, 480}};
	struct workshop_describe_results r;
	struct stub_message room;

	memset(data, 3, sizeof data);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_OK(workshop_call_describe(w, &p, &r, &room, in_ms(2000)));
		CHECK(r.sum == 3 * 480);
	}
	p.data.bytes = sizeof data;
	CHECK_ERROR(workshop_call_describe(w, &p, &r, &room, in_ms(2000)), LIMIT);
	return NULL;
}

static const char *in_two_halves(struct workshop *w)
{
	enum { CALLS = 40 }; /* more than there is room for answers: the last ones wait */
	struct workshop_add_ticket tickets[CALLS];
	struct workshop_add_results r;

	for (uint32_t i = 0; i < CALLS; i++)
		CHECK_OK(workshop_begin_add(w, &(struct workshop_add_params){.a = i, .b = 100}, &tickets[i], in_ms(2000)));
	for (uint32_t i = CALLS; i-- > 0;) {
		CHECK_OK(workshop_end_add(&tickets[i], &r, in_ms(2000)));
		CHECK(r.sum == i + 100);
	}
	return small_calls(w);
}

static err_t release(struct workshop *w, uint32_t key, bool fail, bool *found)
{
	struct workshop_release_results r = {0};
	err_t e = workshop_call_release(w, &(struct workshop_release_params){key, fail}, &r, in_ms(2000));

	*found = r.found;
	return e;
}

static const char *put_off(struct workshop *w)
{
	struct workshop_wait_ticket first, second;
	struct workshop_wait_long_ticket third;
	struct workshop_wait_results r;
	struct workshop_wait_long_results t;
	struct stub_message room;
	bool found;

	CHECK_OK(workshop_begin_wait(w, &(struct workshop_wait_params){1}, &first, 0));
	CHECK_OK(workshop_begin_wait(w, &(struct workshop_wait_params){2}, &second, 0));
	CHECK_OK(workshop_begin_wait_long(w, &(struct workshop_wait_long_params){3, {"later", 5}}, &room, &third, 0));
	CHECK(!stub_is_done(&first.ticket));
	CHECK_ERROR(workshop_end_wait(&first, &r, in_ms(5)), TIMEOUT);
	CHECK_OK(release(w, 2, true, &found));
	CHECK(found);
	CHECK(workshop_end_wait(&second, &r, in_ms(2000)).number == TROUBLE_DIVIDED_ERROR.number);
	CHECK_OK(release(w, 3, false, &found));
	CHECK_OK(workshop_end_wait_long(&third, &t, in_ms(2000)));
	CHECK(t.text.bytes == 5 && memcmp(t.text.at, "later", 5) == 0);
	CHECK_OK(release(w, 1, false, &found));
	CHECK_OK(workshop_end_wait(&first, &r, in_ms(2000)));
	CHECK(r.key == 1);
	CHECK_OK(release(w, 1, false, &found));
	CHECK(!found);
	return NULL;
}

static err_t calls_cancelled(struct workshop *w, uint32_t *count)
{
	struct workshop_cancelled_results r = {0};
	err_t e = workshop_call_cancelled(w, &r, in_ms(2000));

	*count = r.calls;
	return e;
}

static const char *cancellation(struct workshop *w)
{
	struct workshop_wait_ticket ticket;
	struct workshop_wait_results r;
	uint32_t before, after;
	bool found;

	CHECK_OK(calls_cancelled(w, &before));
	CHECK_OK(workshop_begin_wait(w, &(struct workshop_wait_params){4}, &ticket, 0));
	stub_cancel(&ticket.ticket);
	CHECK_ERROR(workshop_end_wait(&ticket, &r, 0), CANCELLED);
	CHECK_OK(release(w, 4, false, &found));
	CHECK(!found);
	CHECK_OK(calls_cancelled(w, &after));
	CHECK(after == before + 1);
	stub_cancel(&ticket.ticket); /* once more: nothing happens */
	return small_calls(w);
}

static const char *deadlines(struct workshop *w)
{
	struct workshop_wait_long_results t;
	struct workshop_wait_results r;
	struct stub_message room;
	bool found;
	uint64_t begin = time_tsc();
	err_t e;

	CHECK_ERROR(workshop_call_wait(w, &(struct workshop_wait_params){5}, &r, in_ms(20)), TIMEOUT);
	CHECK(time_tsc() - begin >= time_tsc_hz() / 50);
	e = release(w, 5, false, &found);
	CHECK(is_ok(e) || err_is(e, ERR_NUMBER_NO_CALLER)); /* of a fast call the server learns when it answers */
	CHECK_ERROR(workshop_call_wait_long(w, &(struct workshop_wait_long_params){6, {"", 0}}, &t, &room, in_ms(20)), TIMEOUT);
	CHECK_OK(release(w, 6, false, &found));
	CHECK(!found);
	for (unsigned i = 0; i < 40; i++) /* what has timed out does not use up the room for answers */
		CHECK_ERROR(workshop_call_wait_long(w, &(struct workshop_wait_long_params){7, {"", 0}}, &t, &room, in_ms(1)), TIMEOUT);
	return small_calls(w);
}

/* ---- Several threads with one client ---- */

struct helper {
	struct workshop *w;
	uint32_t key;
	err_t e;
	uint32_t got;
};

static void wait_for_key(void *argument)
{
	struct helper *h = argument;
	struct workshop_wait_long_results t;
	struct stub_message room;
	char text[16];
	uint32_t bytes = (uint32_t)snprintf(text, sizeof text, "key %u", h->key);

	h->e = workshop_call_wait_long(h->w, &(struct workshop_wait_long_params){h->key, {text, bytes}}, &t, &room, in_ms(5000));
	if (is_ok(h->e) && t.text.bytes == bytes && memcmp(t.text.at, text, bytes) == 0)
		h->got = h->key;
}

static const char *threads(struct workshop *w)
{
	enum { THREADS = 5 }; /* two have room for a long answer, the others wait for it */
	struct helper helpers[THREADS];
	struct thread *thread[THREADS];
	bool found;

	for (uint32_t i = 0; i < THREADS; i++) {
		helpers[i] = (struct helper){.w = w, .key = 100 + i};
		CHECK_OK(thread_create(wait_for_key, &helpers[i], 0, &thread[i]));
	}
	for (uint32_t left = THREADS, i = 0; left > 0; i = (i + 1) % THREADS) {
		thread_sleep_until(in_ms(1));
		if (helpers[i].got != 0)
			continue;
		CHECK(is_ok(release(w, 100 + i, false, &found)));
		left -= found;
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		CHECK_OK(thread_join(thread[i]));
		CHECK_OK(helpers[i].e);
		CHECK(helpers[i].got == 100 + i);
	}
	return NULL;
}

const struct check call_checks[] = {
    {"small_calls", small_calls},     {"wide_calls", wide_calls}, {"own_errors", own_errors},
    {"messages", messages},           {"captured", captured},     {"long_messages", long_messages},
    {"in_two_halves", in_two_halves}, {"put_off", put_off},       {"cancellation", cancellation},
    {"deadlines", deadlines},         {"threads", threads},       {NULL, NULL},
};
