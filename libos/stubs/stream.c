/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Streams of results, the client's side. The items that have come lie in a ring in the caller's memory, as many as there is credit for; the
 * credit goes back when half of it is used up. */

#include <string.h>

#include "libos/stubs/client.h"

static uint64_t *words_of(const struct stub_stream *s, unsigned i)
{
	return s->words + (size_t)i * s->item_words;
}

static struct stub_stream **find(struct stub_client *c, uint16_t number)
{
	struct stub_stream **link = &c->streams;

	while (*link != NULL && (*link)->number != number)
		link = &(*link)->next;
	return link;
}

static void end(struct stub_stream **link, err_t e)
{
	struct stub_stream *s = *link;

	*link = s->next;
	s->ended = true;
	s->error = e;
	client_release(s->client, s->lines);
}

/* What is no item of this stream, or one without credit, ends it. */
static void put_item(struct stub_stream **link, uint64_t header, const uint64_t *payload)
{
	struct stub_stream *s = *link;
	unsigned count = stub_words_of(header), slot = (s->first + s->there) % s->credit;
	uint64_t expected = stub_words_of(s->reply) == STUB_ANY_WORDS ? STUB_SIZED(s->reply, count) : s->reply;

	if ((header & ~STUB_NUMBER(UINT16_MAX)) != expected || s->there == s->credit) {
		end(link, ERR(MESSAGE));
		return;
	}
	memcpy(words_of(s, slot), payload, count * sizeof *payload);
	s->item[slot].count = count;
	s->there++;
}

void stream_deliver(struct stub_client *c, uint64_t header, const uint64_t *payload)
{
	struct stub_stream **link = find(c, stub_number_of(header));
	enum stub_kind kind = stub_kind_of(header);
	bool ends = kind == STUB_STREAM_END || kind == STUB_FAILURE;

	if (*link == NULL)
		return;
	if (!ends || stub_words_of(header) != 1)
		put_item(link, header, payload);
	else
		end(link, (uint32_t)payload[0] == ERR_NUMBER_OK ? ERR(MESSAGE) : (err_t){(uint32_t)payload[0]});
}

void streams_fail(struct stub_client *c, err_t e)
{
	for (struct stub_stream *s = c->streams; s != NULL; s = s->next) {
		s->ended = true;
		s->error = e;
	}
	c->streams = NULL;
}

err_t stub_stream_open(struct stub_client *c, uint64_t call, uint64_t reply, uint64_t *words, struct stub_stream *s, uint64_t deadline)
{
	const uint16_t lines_each = stub_words_of(reply) == STUB_ANY_WORDS ? STUB_MESSAGE_LINES : 1;
	uint64_t header_only;
	bool inside;
	err_t e = client_need_lines(c);

	s->client = c;
	s->reply = reply;
	s->lines = (uint16_t)(s->credit * lines_each + 1); /* and its end */
	s->ended = true;
	memset(s->words, 0, (size_t)s->credit * s->item_words * sizeof *s->words);
	if (is_ok(e))
		e = client_reserve(c, s->lines, deadline, &s->number);
	s->error = e;
	if (is_err(e))
		return e;
	if (words == NULL)
		words = &header_only;
	words[0] = call | STUB_NUMBER(s->number);
	inside = dispatcher_enter();
	s->ended = false;
	s->next = c->streams;
	c->streams = s;
	dispatcher_leave(inside);
	e = client_send(c, words, true, deadline);
	if (is_err(e)) {
		inside = dispatcher_enter();
		if (!s->ended)
			end(find(c, s->number), e);
		dispatcher_leave(inside);
	}
	return e;
}

/* The item that the caller had is done with. */
static err_t give_credit_back(struct stub_stream *s, uint64_t deadline)
{
	uint64_t words[2] = {stub_control(s->client->identity, STUB_CREDIT_GIVEN, s->number, 1), 0};
	bool inside = dispatcher_enter();

	if (s->taken) {
		s->taken = false;
		s->first = (uint16_t)((s->first + 1) % s->credit);
		s->there--;
		s->returned++;
	}
	if (!s->ended && s->returned * 2 >= s->credit) {
		words[1] = s->returned;
		s->returned = 0;
	}
	dispatcher_leave(inside);
	return words[1] == 0 ? OK : client_send(s->client, words, true, deadline);
}

err_t stub_stream_next(struct stub_stream *s, const uint64_t **words, size_t *count, uint64_t deadline)
{
	struct client_wait wait = {.seen = s->client->deliveries};
	err_t e = client_visit(s->client);

	if (is_ok(e))
		e = give_credit_back(s, deadline);
	while (is_ok(e) && *(volatile uint16_t *)&s->there == 0 && !*(volatile bool *)&s->ended) {
		client_look(s->client, &wait);
		if (*(volatile uint16_t *)&s->there == 0 && !*(volatile bool *)&s->ended)
			e = client_wait(s->client, &wait, deadline);
	}
	if (s->there == 0)
		return s->ended ? s->error : e;
	s->taken = true;
	*words = words_of(s, s->first);
	*count = s->item[s->first].count;
	return OK;
}

void stub_stream_close(struct stub_stream *s)
{
	struct stub_stream **link;
	bool inside;

	if (is_err(client_visit(s->client)))
		return;
	inside = dispatcher_enter();
	s->there = 0;
	s->taken = false;
	s->error = ERR(CANCELLED);
	link = s->ended ? NULL : find(s->client, s->number);
	if (link != NULL && *link == s) {
		*link = s->next;
		s->ended = true;
		client_orphan(s->client, s->number, s->lines);
	}
	dispatcher_leave(inside);
}
