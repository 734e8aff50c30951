/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/programs/stubs/workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>

#include "generated/tests/programs/stubs/workshop.h"

enum { WAITING_MOST = 64 };

struct waiting {
	bool used, has_text;
	uint32_t key;
	struct stub_later later;
	char text[64];
	uint32_t text_bytes;
};

static struct waiting waiting[WAITING_MOST];
static uint32_t notes, last_note, calls_cancelled, streams_ended, opened_count, closed_count;
static uint64_t poured_sum;
static bool ended;

/* ---- Numbers ---- */

static err_t add(void *context, struct stub_call *call, const struct workshop_add_params *p, struct workshop_add_results *r)
{
	int64_t sum = (int64_t)p->a + p->b;

	(void)context, (void)call;
	r->sum = p->negative ? -sum : sum;
	return OK;
}

static err_t divide(void *context, struct stub_call *call, const struct workshop_divide_params *p, struct workshop_divide_results *r)
{
	(void)context, (void)call;
	if (p->by == 0)
		return TROUBLE_DIVIDED_ERROR;
	r->quotient = p->a / p->by;
	return OK;
}

static err_t wide(void *context, struct stub_call *call, const struct workshop_wide_params *p, struct workshop_wide_results *r)
{
	(void)context, (void)call;
	r->sum = p->a + p->b + p->c + p->d + p->e;
	r->product = p->a * p->b * p->c * p->d * p->e;
	r->xor = p->a ^ p->b ^ p->c ^ p->d ^ p->e;
	r->and = p->a & p->b & p->c & p->d & p->e;
	return OK;
}

/* ---- Messages with pointers ---- */

static err_t describe(void *context, struct stub_call *call, const struct workshop_describe_params *p, struct workshop_describe_results *r)
{
	static char text[128];
	const uint8_t *bytes = p->data.at;

	(void)context, (void)call;
	r->text.bytes = (uint32_t)snprintf(text, sizeof text, "%.*s lies at %d, %d", (int)p->place.name.bytes, p->place.name.at, p->place.x,
	                                   p->place.y);
	r->text.at = text;
	r->place = p->place;
	r->place.x++;
	for (uint32_t i = 0; i < p->list.count; i++)
		r->sum += p->list.at[i];
	for (uint32_t i = 0; i < p->data.bytes; i++)
		r->sum += bytes[i];
	return OK;
}

static err_t message(void *context, struct stub_call *call, const struct workshop_message_params *p, struct workshop_message_results *r)
{
	(void)context, (void)p;
	r->words = (struct stub_data){call->message, (uint32_t)(stub_words_of(call->header) * sizeof *call->message)};
	return OK;
}

/* ---- One way, and streams ---- */

static err_t note(void *context, struct stub_call *call, const struct workshop_note_params *p)
{
	(void)context, (void)call;
	notes++;
	last_note = p->value;
	return OK;
}

static err_t noted(void *context, struct stub_call *call, struct workshop_noted_results *r)
{
	(void)context, (void)call;
	*r = (struct workshop_noted_results){notes, last_note};
	return OK;
}

static err_t pour(void *context, struct stub_call *call, const struct workshop_pour_params *p)
{
	(void)context, (void)call;
	if (p->value == UINT64_MAX)
		return TROUBLE_DIVIDED_ERROR;
	poured_sum += p->value;
	return OK;
}

static err_t poured(void *context, struct stub_call *call, struct workshop_poured_results *r)
{
	(void)context, (void)call;
	r->sum = poured_sum;
	poured_sum = 0;
	return OK;
}

struct counter {
	uint64_t next, end;
};

static err_t counter_start(struct stub_source *source, uint64_t from, uint64_t count)
{
	struct counter *c = malloc(sizeof *c);

	if (c == NULL)
		return ERR(NO_MEMORY);
	*c = (struct counter){from, from + count};
	source->data = c;
	return OK;
}

static err_t numbers(void *context, struct stub_call *call, const struct workshop_numbers_params *p, struct stub_source *source)
{
	(void)context, (void)call;
	return p->count == UINT32_MAX ? TROUBLE_DIVIDED_ERROR : counter_start(source, p->from, p->count);
}

static err_t numbers_next(void *context, struct stub_source *source, struct workshop_numbers_results *item)
{
	struct counter *c = source->data;

	(void)context;
	item->value = c->next++;
	return item->value < c->end ? OK : ERR(END);
}

static err_t texts(void *context, struct stub_call *call, const struct workshop_texts_params *p, struct stub_source *source)
{
	(void)context, (void)call;
	return counter_start(source, 0, p->count);
}

static err_t texts_next(void *context, struct stub_source *source, struct workshop_texts_results *item)
{
	static char text[32];
	struct counter *c = source->data;

	(void)context;
	item->text = (struct stub_text){text, (uint32_t)snprintf(text, sizeof text, "number %llu", (unsigned long long)c->next)};
	return c->next++ < c->end ? OK : ERR(END);
}

/* ---- Calls that wait ---- */

static err_t put_off(struct stub_call *call, uint32_t key, const struct stub_text *text)
{
	for (struct waiting *w = waiting; w < waiting + WAITING_MOST; w++) {
		if (w->used)
			continue;
		*w = (struct waiting){.used = true, .has_text = text != NULL, .key = key};
		if (text != NULL) {
			w->text_bytes = text->bytes < sizeof w->text ? text->bytes : sizeof w->text;
			memcpy(w->text, text->at, w->text_bytes);
		}
		err_t e = stub_put_off(call, &w->later);

		w->used = is_ok(e);
		return is_ok(e) ? STUB_LATER : e;
	}
	return ERR(LIMIT);
}

static err_t wait(void *context, struct stub_call *call, const struct workshop_wait_params *p, struct workshop_wait_results *r)
{
	(void)context, (void)r;
	return put_off(call, p->key, NULL);
}

static err_t wait_long(void *context, struct stub_call *call, const struct workshop_wait_long_params *p,
                       struct workshop_wait_long_results *r)
{
	(void)context, (void)r;
	return put_off(call, p->key, &p->text);
}

static err_t answer(struct waiting *w, bool fail)
{
	w->used = false;
	if (fail)
		return stub_fail(w->later, TROUBLE_DIVIDED_ERROR);
	if (w->has_text)
		return workshop_reply_wait_long(w->later, &(struct workshop_wait_long_results){{w->text, w->text_bytes}});
	return workshop_reply_wait(w->later, &(struct workshop_wait_results){w->key});
}

static err_t release(void *context, struct stub_call *call, const struct workshop_release_params *p, struct workshop_release_results *r)
{
	(void)context, (void)call;
	for (struct waiting *w = waiting; w < waiting + WAITING_MOST; w++)
		if (w->used && w->key == p->key) {
			r->found = true;
			return answer(w, p->fail);
		}
	return OK;
}

static err_t cancelled(void *context, struct stub_call *call, struct workshop_cancelled_results *r)
{
	(void)context, (void)call;
	*r = (struct workshop_cancelled_results){calls_cancelled, streams_ended};
	return OK;
}

/* ---- Capabilities and buffers ---- */

static err_t take(void *context, struct stub_call *call, const struct workshop_take_params *p, struct workshop_take_results *r)
{
	struct stub_cap frame = p->frame;
	void *at;
	err_t e = frame_map(frame.cap, 0, PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &at);

	(void)context, (void)call;
	if (is_ok(e)) {
		r->first = *(uint64_t *)at;
		*(uint64_t *)at = r->first + 1;
		e = frame_unmap(at);
	}
	stub_drop(&frame);
	return e;
}

static err_t give(void *context, struct stub_call *call, const struct workshop_give_params *p, struct workshop_give_results *r)
{
	paddr_t base;
	void *at;
	err_t e = frame_create(PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &r->frame.cap, &at, &base);

	(void)context, (void)call;
	if (is_err(e))
		return e;
	*(uint64_t *)at = p->value;
	return frame_unmap(at);
}

static err_t sum(void *context, struct stub_call *call, const struct workshop_sum_params *p, struct workshop_sum_results *r)
{
	static uint8_t part[4096];
	err_t e = OK;

	(void)context, (void)call;
	for (uint32_t at = 0; at < p->piece.bytes && is_ok(e); at += sizeof part) {
		uint32_t bytes = p->piece.bytes - at < sizeof part ? p->piece.bytes - at : sizeof part;

		e = stub_bulk_read(&p->piece, at, part, bytes);
		for (uint32_t i = 0; i < bytes; i++)
			r->sum += part[i];
	}
	return e;
}

static err_t fill(void *context, struct stub_call *call, const struct workshop_fill_params *p, struct workshop_fill_results *r)
{
	err_t e = OK;

	(void)context, (void)call;
	for (uint32_t at = 0; at < p->piece.bytes && is_ok(e); at++)
		e = stub_bulk_write(&p->piece, at, &p->value, 1);
	r->piece = (struct stub_bulk){.at = p->piece.at, .bytes = p->piece.bytes / 2};
	return e;
}

/* ---- The rest ---- */

static err_t refused(void *context, struct stub_call *call, struct workshop_refused_results *r)
{
	const struct stub_refused counts = stub_refused();

	(void)context, (void)call;
	*r = (struct workshop_refused_results){(uint32_t)counts.version, (uint32_t)counts.method, (uint32_t)counts.length,
	                                       (uint32_t)counts.format, (uint32_t)counts.capability};
	return OK;
}

static err_t clients(void *context, struct stub_call *call, struct workshop_clients_results *r)
{
	(void)context, (void)call;
	*r = (struct workshop_clients_results){opened_count, closed_count};
	return OK;
}

static err_t end(void *context, struct stub_call *call)
{
	(void)context, (void)call;
	ended = true;
	return OK;
}

static void opened(void *context, struct stub_session *s)
{
	(void)context, (void)s;
	opened_count++;
}

static void closed(void *context, struct stub_session *s)
{
	(void)context, (void)s;
	closed_count++;
}

static void call_cancelled(void *context, struct stub_session *s, struct stub_later later)
{
	(void)context, (void)s;
	calls_cancelled++;
	for (struct waiting *w = waiting; w < waiting + WAITING_MOST; w++)
		if (w->used && w->later.index == later.index && w->later.generation == later.generation)
			w->used = false;
}

static void stream_ended(void *context, struct stub_source *source)
{
	(void)context;
	streams_ended++;
	free(source->data);
}

static const struct workshop_service service = {
    .add = add,
    .divide = divide,
    .wide = wide,
    .describe = describe,
    .message = message,
    .note = note,
    .noted = noted,
    .pour = pour,
    .poured = poured,
    .numbers = numbers,
    .numbers_next = numbers_next,
    .texts = texts,
    .texts_next = texts_next,
    .wait = wait,
    .wait_long = wait_long,
    .release = release,
    .cancelled = cancelled,
    .take = take,
    .give = give,
    .sum = sum,
    .fill = fill,
    .refused = refused,
    .clients = clients,
    .end = end,
    .events = {.opened = opened, .closed = closed, .cancelled = call_cancelled, .ended = stream_ended},
};

/* One that never ends serves in the stubs' own loop. */
int workshop_main(const char *name)
{
	err_t e;

	if (strncmp(name, "forever", 7) == 0) {
		e = workshop_serve(name, &service);
	} else {
		e = workshop_offer(name, &service);
		while (is_ok(e) && !ended)
			ipc_serve_once(0);
		if (is_ok(e))
			ipc_serve_once(time_tsc() + time_tsc_hz() / 20); /* the answer to the last call */
	}
	if (is_err(e))
		printf("stubs: %s can't be offered: %s\n", name, err_sentence(e));
	return is_ok(e) ? EXIT_SUCCESS : EXIT_FAILURE;
}
