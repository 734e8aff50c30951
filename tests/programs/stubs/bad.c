/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Messages that an honest client does not send, each answered with an error and counted; and a server that dies. */

#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/thread.h>

#include "tests/programs/stubs/checks.h"

static err_t counts(struct workshop *w, struct workshop_refused_results *out)
{
	return workshop_call_refused(w, out, in_ms(2000));
}

/* One message with `words` of payload, over the channel. */
static err_t forged(struct workshop *w, uint64_t header, uint64_t word)
{
	uint64_t words[1 + STUB_MESSAGE_WORDS] = {0, word};
	struct stub_ticket t;
	err_t e =
	    stub_begin(&w->client, header, STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, STUB_REPLY, 0, 0), words, NULL, &t, in_ms(2000));

	return is_ok(e) ? stub_end(&t, in_ms(2000)) : e;
}

/* The same over the endpoint, if there is one. */
static err_t forged_fast(struct workshop *w, uint64_t header)
{
	struct endpoint_message m = {{header, 0, 0, 0}};

	return stub_call_registers(&w->client, WORKSHOP_END_REPLY, &m, in_ms(2000));
}

static const char *wrong_version(struct workshop *w)
{
	const uint64_t header = STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION + 1, STUB_CALL, 0, 2);
	const uint64_t other = STUB_HEADER(WORKSHOP_TAG + 1, WORKSHOP_VERSION, STUB_CALL, 0, 2);
	struct workshop_refused_results before, after;

	CHECK_OK(counts(w, &before));
	CHECK_ERROR(forged(w, header, 0), VERSION);
	CHECK_ERROR(forged(w, other, 0), VERSION);
	CHECK_ERROR(forged_fast(w, header), VERSION);
	CHECK_OK(counts(w, &after));
	CHECK(after.version == before.version + 3);
	return NULL;
}

static const char *unknown_method(struct workshop *w)
{
	const uint64_t header = STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, STUB_CALL, 22, 0);
	struct workshop_refused_results before, after;

	CHECK_OK(counts(w, &before));
	CHECK_ERROR(forged(w, header, 0), METHOD);
	CHECK_ERROR(forged_fast(w, header), METHOD);
	CHECK_ERROR(forged(w, STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, STUB_CALL, 5, 1), 0), METHOD); /* it is one-way */
	CHECK_OK(counts(w, &after));
	CHECK(after.method == before.method + 3);
	return NULL;
}

static const char *wrong_length(struct workshop *w)
{
	struct workshop_refused_results before, after;

	CHECK_OK(counts(w, &before));
	CHECK_ERROR(forged(w, STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, STUB_CALL, 0, 1), 0), MESSAGE);
	CHECK_ERROR(forged(w, STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, STUB_CALL, 0, 20), 0), MESSAGE);
	CHECK_ERROR(forged_fast(w, STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, STUB_CALL, 0, 3)), MESSAGE);
	CHECK_ERROR(forged(w, STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, 200, 0, 0), 0), MESSAGE);
	CHECK_OK(counts(w, &after));
	CHECK(after.length == before.length + 4);
	return NULL;
}

static const char *wrong_format(struct workshop *w)
{
	const uint64_t header = STUB_HEADER(WORKSHOP_TAG, WORKSHOP_VERSION, STUB_CALL, 3, 3);
	struct workshop_refused_results before, after;

	CHECK_OK(counts(w, &before));
	CHECK_ERROR(forged(w, header, wire_struct_pointer(0, 100, 0)), FORMAT); /* out of bounds */
	CHECK_ERROR(forged(w, header, 2), FORMAT);                              /* another segment */
	CHECK_ERROR(forged(w, STUB_SIZED(header, 0), 0), FORMAT);               /* nothing at all */
	CHECK_OK(counts(w, &after));
	CHECK(after.format == before.format + 3);
	return NULL;
}

static const char *wrong_capability(struct workshop *w)
{
	struct workshop_refused_results before, after;
	struct workshop_take_results r;
	struct stub_cap ram = {.cap = {0}};
	paddr_t base;

	CHECK_OK(counts(w, &before));
	CHECK_ERROR(forged(w, WORKSHOP_TAKE_CALL, 123456), CAP_EMPTY); /* never given */
	CHECK_OK(cap_slot_alloc(&ram.cap));
	CHECK_OK(memory_object(CAP_RAM, PAGE_BYTES, PAGE_BYTES, ram.cap, &base));
	CHECK_ERROR(workshop_call_take(w, &(struct workshop_take_params){.frame = ram}, &r, in_ms(2000)),
	            CAP_TYPE); /* our own stub sees it */
	CHECK_OK(stub_give(&w->client, &ram, STUB_ANY_CAPABILITY, RIGHT_READ, false));
	CHECK_ERROR(forged(w, WORKSHOP_TAKE_CALL, ram.tag), CAP_TYPE);
	CHECK_OK(counts(w, &after));
	CHECK(after.capability == before.capability + 2);
	CHECK_OK(cap_revoke(ram.cap));
	memory_object_free(ram.cap);
	return NULL;
}

static const char *wrong_piece(struct workshop *w)
{
	const uint64_t number = 1; /* no such buffer: the first one was left by the check of many */

	CHECK_ERROR(forged(w, WORKSHOP_SUM_CALL, number << 56 | 10), RANGE);
	CHECK_ERROR(forged(w, WORKSHOP_SUM_CALL, UINT64_C(255) << 56 | 10), RANGE);
	CHECK_ERROR(forged(w, WORKSHOP_SUM_CALL, 5000), RANGE);
	CHECK_ERROR(forged(w, WORKSHOP_SUM_CALL, (uint64_t)PAGE_BYTES << 28 | 1), RANGE);
	return NULL;
}

/* A buffer whose memory is taken away under the server's hands. */
static const char *buffer_taken_away(struct workshop *w)
{
	struct workshop_sum_results r;
	const struct stub_bulk piece = {.at = w->client.buffer[0].at, .bytes = 100};

	CHECK_OK(workshop_call_sum(w, &(struct workshop_sum_params){.piece = piece}, &r, in_ms(2000)));
	CHECK_OK(frame_unmap(w->client.buffer[0].at));
	CHECK_OK(cap_revoke(w->client.buffer[0].frame));
	CHECK_ERROR(workshop_call_sum(w, &(struct workshop_sum_params){.piece = piece}, &r, in_ms(2000)), PEER_GONE);
	return NULL;
}

/* A second client of the same domain is another session; what it has under way ends with it. */
static const char *another_client(struct workshop *w)
{
	struct workshop_clients_results before, after;
	struct workshop_wait_ticket ticket;
	struct workshop_numbers_stream stream;
	struct workshop second;
	char name[24];
	uint64_t end = in_ms(2000);

	memcpy(name, w->client.name, sizeof name);
	CHECK_OK(workshop_call_clients(w, &before, in_ms(2000)));
	CHECK_OK(workshop_open(name, &second));
	CHECK_OK(workshop_call_clients(&second, &after, in_ms(2000)));
	CHECK(after.opened == before.opened + 1);
	CHECK_OK(workshop_begin_wait(&second, &(struct workshop_wait_params){9}, &ticket, in_ms(2000)));
	CHECK_OK(workshop_open_numbers(&second, &(struct workshop_numbers_params){0, 1000}, &stream, in_ms(2000)));
	workshop_close(&second);
	do {
		thread_sleep_until(in_ms(1));
		CHECK_OK(workshop_call_clients(w, &after, in_ms(2000)));
	} while (after.closed == before.closed && time_tsc() < end);
	CHECK(after.opened == before.opened + 1 && after.closed == before.closed + 1);
	return NULL;
}

const struct check bad_checks[] = {
    {"wrong_version", wrong_version},         {"unknown_method", unknown_method},     {"wrong_length", wrong_length},
    {"wrong_format", wrong_format},           {"wrong_capability", wrong_capability}, {"wrong_piece", wrong_piece},
    {"buffer_taken_away", buffer_taken_away}, {"another_client", another_client},     {NULL, NULL},
};

/* ---- A server's death ---- */

static void waits(void *argument)
{
	struct workshop *w = argument;
	struct workshop_wait_long_results t;
	struct stub_message room;

	/* its end is looked for by the one who has started it */
	w->client.item_error = workshop_call_wait_long(w, &(struct workshop_wait_long_params){8, {"", 0}}, &t, &room, 0);
}

const char *check_death(struct workshop *w, const struct started *s)
{
	struct workshop_wait_ticket ticket;
	struct workshop_numbers_stream stream;
	struct workshop_wait_results r;
	struct workshop_numbers_results item;
	struct workshop_add_results sum;
	struct thread *thread;
	err_t e;

	CHECK_OK(workshop_begin_wait(w, &(struct workshop_wait_params){7}, &ticket, in_ms(2000)));
	CHECK_OK(workshop_open_numbers(w, &(struct workshop_numbers_params){0, 1000000}, &stream, in_ms(2000)));
	CHECK_OK(workshop_next_numbers(&stream, &item, in_ms(2000)));
	CHECK_OK(workshop_send_pour(w, &(struct workshop_pour_params){1}, in_ms(2000)));
	CHECK_OK(thread_create(waits, w, 0, &thread));
	thread_sleep_until(in_ms(5));
	CHECK_OK(domain_kill(s->domain));
	CHECK_OK(thread_join(thread));
	CHECK_ERROR(w->client.item_error, PEER_GONE);
	CHECK_ERROR(workshop_end_wait(&ticket, &r, in_ms(2000)), PEER_GONE);
	do
		e = workshop_next_numbers(&stream, &item, in_ms(2000)); /* what had come before is still there */
	while (is_ok(e));
	CHECK_ERROR(e, PEER_GONE);
	CHECK_ERROR(workshop_finish(w, in_ms(2000)), PEER_GONE);
	CHECK_ERROR(workshop_call_add(w, &(struct workshop_add_params){.a = 1}, &sum, in_ms(2000)), PEER_GONE);
	CHECK_ERROR(workshop_send_note(w, &(struct workshop_note_params){1}, in_ms(2000)), PEER_GONE);
	workshop_close(w);
	return NULL;
}
