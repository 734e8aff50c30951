/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What comes along with calls, the server's side. A client's buffer is the client's memory: it may change while it is read, and go away. So
 * handlers copy, by a copy that survives that. */

#include <atoll/address_space.h>
#include <atoll/capability.h>

#include "libos/stubs/carry.h"
#include "libos/stubs/session.h"
#include "libos/upcall/guarded.h"

/* ---- Capabilities ---- */

err_t stub_take(const struct stub_call *call, struct stub_cap *cap, enum cap_type type)
{
	err_t e = carry_take(call->session->lines, cap, type);

	if (is_err(e))
		stub_refusals.capability++;
	return e;
}

err_t stub_answer_cap(const struct stub_call *call, struct stub_cap *cap, enum cap_type type, unsigned rights, bool move)
{
	struct ipc_connection *lines = call->session->lines;

	/* The client may have closed it, or gone, since the call was put off. */
	return lines == NULL ? ERR(PEER_GONE) : carry_give(lines, ++call->session->last_tag, cap, type, rights, move);
}

/* ---- Buffers ---- */

static void drop(struct stub_buffer *b)
{
	struct stub_cap frame = {.cap = b->frame};

	if (b->at == NULL)
		return;
	(void)!is_ok(frame_unmap(b->at));
	stub_drop(&frame);
	*b = (struct stub_buffer){0};
}

void session_buffers_drop(struct stub_session *s)
{
	for (unsigned i = 0; i < STUB_BUFFERS; i++)
		drop(&s->buffer[i]);
}

static err_t map(struct stub_session *s, struct stub_buffer *b, uint32_t tag, uint64_t bytes)
{
	struct stub_cap frame = {.tag = tag};
	struct cap_identity identity;
	err_t e = carry_take(s->lines, &frame, CAP_Frame);

	if (is_err(e)) {
		stub_refusals.capability++;
		return e;
	}
	e = cap_identify(frame.cap, &identity);
	if (is_ok(e) && (bytes == 0 || bytes > STUB_BUFFER_MOST || bytes > identity.size))
		e = ERR(RANGE);
	if (is_ok(e))
		e = frame_map(frame.cap, 0, page_up(bytes), RIGHTS(RIGHT_READ | RIGHT_WRITE), &b->at);
	if (is_err(e)) {
		stub_drop(&frame);
		b->at = NULL;
		return e;
	}
	b->frame = frame.cap;
	b->bytes = (uint32_t)bytes;
	return OK;
}

err_t buffer_control(struct stub_session *s, const uint64_t *payload)
{
	struct stub_buffer *b;

	if (payload[0] >= STUB_BUFFERS)
		return ERR(RANGE);
	b = &s->buffer[payload[0]];
	if (b->at != NULL && s->endpoint != NULL && s->endpoint->calls != 0)
		return ERR(STATE); /* a call that came through a door may be using it */
	drop(b);
	return payload[1] == 0 ? OK : map(s, b, (uint32_t)payload[1], payload[2]);
}

err_t stub_bulk_find(const struct stub_call *call, struct stub_bulk *bulk)
{
	uint64_t number = bulk->place >> BULK_NUMBER_SHIFT;
	const struct stub_buffer *b = &call->session->buffer[number % STUB_BUFFERS];

	return number < STUB_BUFFERS ? carry_find(bulk, b->at, b->bytes) : ERR(RANGE);
}

err_t stub_bulk_answer(const struct stub_call *call, struct stub_bulk *bulk)
{
	for (unsigned i = 0; i < STUB_BUFFERS; i++)
		if (is_ok(carry_name(bulk, i, call->session->buffer[i].at, call->session->buffer[i].bytes)))
			return OK;
	return ERR(ARGUMENT);
}

err_t stub_bulk_read(const struct stub_bulk *bulk, uint32_t offset, void *to, uint32_t bytes)
{
	if (offset > bulk->bytes || bytes > bulk->bytes - offset)
		return ERR(RANGE);
	return guarded_copy(to, (const char *)bulk->at + offset, bytes) ? OK : ERR(PEER_GONE);
}

err_t stub_bulk_write(const struct stub_bulk *bulk, uint32_t offset, const void *from, uint32_t bytes)
{
	if (offset > bulk->bytes || bytes > bulk->bytes - offset)
		return ERR(RANGE);
	return guarded_copy((char *)bulk->at + offset, from, bytes) ? OK : ERR(PEER_GONE);
}
