/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What comes along with a client's messages: capabilities, and the client's buffers.
 *
 * A capability goes ahead of the message that names it: when the giver has been told that it is given, the receiver's monitor has said so
 * to the receiver, or does as soon as it is asked. A buffer is a frame of the client's, given once; then messages name pieces of it. */

#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>

#include "libos/stubs/carry.h"
#include "libos/stubs/client.h"

#define GIVE_PATIENCE_MS 1000

/* ---- Capabilities ---- */

/* It is of that type, or it is dropped. */
static err_t check(struct stub_cap *cap, enum cap_type type)
{
	struct cap_identity identity;
	err_t e = cap_identify(cap->cap, &identity);

	if (is_ok(e) && type != STUB_ANY_CAPABILITY && identity.type != type)
		e = ERR(CAP_TYPE);
	if (is_err(e))
		stub_drop(cap);
	return e;
}

/* Nobody is waited for: what was given before the message was sent is there. */
err_t carry_take(struct ipc_connection *connection, struct stub_cap *cap, enum cap_type type)
{
	err_t e = ipc_take(connection, cap->tag, time_tsc(), &cap->cap);

	if (is_err(e)) {
		cap->cap = CAP_NULL;
		return err_is(e, ERR_NUMBER_TIMEOUT) ? ERR(CAP_EMPTY) : e;
	}
	return check(cap, type);
}

err_t carry_give(struct ipc_connection *connection, uint32_t tag, struct stub_cap *cap, enum cap_type type, unsigned rights, bool move)
{
	struct cap_identity identity;
	err_t e = cap_identify(cap->cap, &identity);

	if (is_ok(e) && type != STUB_ANY_CAPABILITY && identity.type != type)
		return ERR(CAP_TYPE);
	if (is_err(e))
		return e;
	cap->tag = tag;
	return move ? ipc_move(connection, cap->cap, RIGHTS(rights), tag) : ipc_give(connection, cap->cap, RIGHTS(rights), tag);
}

void stub_drop(struct stub_cap *cap)
{
	if (cap->cap.value == CAP_NULL.value)
		return;
	if (is_ok(cap_delete(cap->cap)))
		cap_slot_free(cap->cap);
	cap->cap = CAP_NULL;
}

/* A server with many clients has not read yet what it was told before: that passes. */
err_t stub_give(struct stub_client *c, struct stub_cap *cap, enum cap_type type, unsigned rights, bool move)
{
	const uint64_t ms = time_tsc_hz() / 1000, until = time_tsc() + GIVE_PATIENCE_MS * ms;
	err_t e = client_need_lines(c);
	uint32_t tag;

	if (is_err(e))
		return e;
	tag = ++c->last_tag;
	while (err_is(e = carry_give(c->lines, tag, cap, type, rights, move), ERR_NUMBER_LIMIT) && time_tsc() < until)
		thread_sleep_until(time_tsc() + ms);
	return e;
}

err_t stub_receive(struct stub_client *c, struct stub_cap *cap, enum cap_type type)
{
	return carry_take(c->lines, cap, type);
}

/* ---- Pieces of buffers ---- */

err_t carry_name(struct stub_bulk *bulk, unsigned number, const void *buffer, uint32_t buffer_bytes)
{
	uint64_t offset = (uint64_t)((const char *)bulk->at - (const char *)buffer);

	if (buffer == NULL || offset > buffer_bytes || bulk->bytes > buffer_bytes - offset)
		return ERR(ARGUMENT);
	bulk->place = (uint64_t)number << BULK_NUMBER_SHIFT | offset << BULK_OFFSET_SHIFT | bulk->bytes;
	return OK;
}

err_t stub_bulk_name(const struct stub_client *c, struct stub_bulk *bulk)
{
	for (unsigned i = 0; i < STUB_BUFFERS; i++)
		if (is_ok(carry_name(bulk, i, c->buffer[i].at, c->buffer[i].bytes)))
			return OK;
	return ERR(ARGUMENT);
}

err_t carry_find(struct stub_bulk *bulk, void *buffer, uint32_t buffer_bytes)
{
	uint32_t offset = bulk->place >> BULK_OFFSET_SHIFT & BULK_MASK, bytes = bulk->place & BULK_MASK;

	if (buffer == NULL || offset > buffer_bytes || bytes > buffer_bytes - offset)
		return ERR(RANGE);
	bulk->at = (char *)buffer + offset;
	bulk->bytes = bytes;
	return OK;
}

err_t stub_bulk_of_client(const struct stub_client *c, struct stub_bulk *bulk)
{
	uint64_t number = bulk->place >> BULK_NUMBER_SHIFT;

	return number < STUB_BUFFERS ? carry_find(bulk, c->buffer[number].at, c->buffer[number].bytes) : ERR(RANGE);
}

/* ---- The client's buffers ---- */

/* Tells the server of a buffer, or that it goes. */
static err_t tell(struct stub_client *c, unsigned number, uint32_t tag, uint32_t bytes, uint64_t deadline)
{
	uint64_t words[1 + STUB_LINE_WORDS] = {0, number, tag, bytes};

	return stub_call_line(c, stub_control(c->identity, STUB_BUFFER, 0, 3), stub_control(c->identity, STUB_REPLY, 0, 0), words,
	                      deadline);
}

/* The server's copy goes too, whether it has been told or not. */
static void drop(struct stub_buffer *b)
{
	if (b->at == NULL)
		return;
	(void)!is_ok(frame_unmap(b->at));
	(void)!is_ok(cap_revoke(b->frame));
	memory_object_free(b->frame);
	*b = (struct stub_buffer){0};
}

void buffers_drop(struct stub_client *c)
{
	for (unsigned i = 0; i < STUB_BUFFERS; i++)
		drop(&c->buffer[i]);
}

err_t stub_buffer_create(struct stub_client *c, uint32_t bytes, void **at, uint64_t deadline)
{
	struct stub_cap frame;
	struct stub_buffer *b = NULL;
	unsigned number;
	paddr_t base;
	err_t e;

	if (bytes == 0 || bytes > STUB_BUFFER_MOST)
		return ERR(ARGUMENT);
	for (number = 0; number < STUB_BUFFERS && b == NULL; number++)
		b = c->buffer[number].at == NULL ? &c->buffer[number] : NULL;
	if (b == NULL)
		return ERR(LIMIT);
	e = frame_create(bytes, RIGHTS(RIGHT_READ | RIGHT_WRITE), &b->frame, &b->at, &base);
	if (is_err(e))
		return e;
	memset(b->at, 0, bytes);
	b->bytes = bytes;
	frame.cap = b->frame;
	e = stub_give(c, &frame, CAP_Frame, RIGHT_READ | RIGHT_WRITE, false);
	if (is_ok(e))
		e = tell(c, (unsigned)(b - c->buffer), frame.tag, bytes, deadline);
	if (is_err(e))
		drop(b);
	else
		*at = b->at;
	return e;
}

err_t stub_buffer_free(struct stub_client *c, void *at, uint64_t deadline)
{
	for (unsigned i = 0; i < STUB_BUFFERS; i++) {
		if (at == NULL || c->buffer[i].at != at)
			continue;
		err_t e = tell(c, i, 0, 0, deadline);

		drop(&c->buffer[i]);
		return e;
	}
	return ERR(ARGUMENT);
}
