/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/capbench/measure.h"

#include <stdio.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>

#define WARM_UP 5 /* rounds that do not count */

static struct samples samples;
static uint64_t messages;

static void begin(void)
{
	samples_begin(&samples);
	messages = 0;
}

/* What began at `since` is over. */
static void note(unsigned round, uint64_t since, uint64_t sent)
{
	const uint64_t now = sample_now();

	if (round < WARM_UP)
		return;
	samples_add(&samples, now - since, 1);
	messages += sent;
}

static bool finish(const struct measurement *m, const char *id, err_t e)
{
	const struct lens in_us = {m->lens->name, "us"};
	const bool counts = lens_is_instructions(m->lens);

	if (is_err(e) || samples.n == 0) {
		printf("capbench: %s with %u holders: %s\n", id, m->holders, err_sentence(e));
		return false;
	}
	if (!counts)
		samples_scale(&samples, 1e6 / (double)time_tsc_hz());
	samples_print_shared(&samples, counts ? m->lens : &in_us, id, domain_core(), m->worker[m->holders - 1].core, m->holders,
	                     (double)messages / (double)samples.n);
	fflush(stdout);
	return true;
}

/* ---- Sharing ---- */

/* Every holder gets a copy. They have seen it when this returns, so that their part of it is over. */
static err_t share(const struct measurement *m, cap_t cap)
{
	uint64_t holds;
	err_t e = OK;

	for (unsigned i = 0; i < m->holders && is_ok(e); i++)
		e = ipc_give(m->worker[i].call, cap, RIGHTS(RIGHTS_ALL), GIVEN_TO_HOLD);
	for (unsigned i = 0; i < m->holders && is_ok(e); i++)
		if (!worker_tell(&m->worker[i], WORKER_LOOK, 0, &holds) || holds != 1)
			e = ERR(STATE);
	return e;
}

static err_t tell_holders(const struct measurement *m, uint16_t label)
{
	uint64_t answer;

	for (unsigned i = 0; i < m->holders; i++)
		if (!worker_tell(&m->worker[i], label, 0, &answer) || (label == WORKER_MAP && answer != ERR_NUMBER_OK))
			return ERR(STATE);
	return OK;
}

static err_t check_gone(const struct measurement *m)
{
	uint64_t holds;

	for (unsigned i = 0; i < m->holders; i++)
		if (!worker_tell(&m->worker[i], WORKER_LOOK, 0, &holds) || holds != 0)
			return ERR(STATE);
	return OK;
}

static err_t make(enum cap_type type, uint64_t bytes, cap_t *out)
{
	paddr_t base;
	err_t e = cap_slot_alloc(out);

	return is_ok(e) ? memory_object(type, bytes, PAGE_BYTES, *out, &base) : e;
}

/* ---- The measurements ---- */

bool measure_retype(const struct measurement *m)
{
	cap_t ram, frame;
	err_t e = make(CAP_RAM, 4 * PAGE_BYTES, &ram);

	begin();
	if (is_ok(e))
		e = cap_slot_alloc(&frame);
	if (is_ok(e))
		e = share(m, ram);
	for (unsigned round = 0; round < m->rounds + WARM_UP && is_ok(e); round++) {
		const uint64_t since = sample_now();

		e = cap_retype(ram, CAP_Frame, round % 4 * PAGE_BYTES, PAGE_BYTES, 1, frame);
		note(round, since, cap_last_messages());
		if (is_ok(e))
			e = cap_delete(frame);
	}
	if (is_ok(e))
		e = cap_revoke(ram);
	if (is_ok(e)) {
		cap_slot_free(frame);
		memory_object_free(ram);
	}
	return finish(m, "cap.retype.remote", e);
}

static bool revokes(const struct measurement *m, const char *id, bool mapped)
{
	cap_t frame;
	err_t e = make(CAP_Frame, PAGE_BYTES, &frame);

	begin();
	for (unsigned round = 0; round < m->rounds + WARM_UP && is_ok(e); round++) {
		uint64_t since;

		e = share(m, frame);
		if (is_ok(e) && mapped)
			e = tell_holders(m, WORKER_MAP);
		if (is_err(e))
			break;
		since = sample_now();
		e = cap_revoke(frame);
		note(round, since, cap_last_messages());
		if (is_ok(e))
			e = check_gone(m);
		if (is_ok(e))
			e = tell_holders(m, WORKER_FORGET);
	}
	if (is_ok(e))
		memory_object_free(frame);
	return finish(m, id, e);
}

bool measure_revoke(const struct measurement *m)
{
	return revokes(m, "cap.revoke.remote", false);
}

bool measure_revoke_mapped(const struct measurement *m)
{
	return revokes(m, "cap.revoke.mapped", true);
}

/* ---- Deletion ---- */

/* The memory that the frames are made of stays here; so what is left of one round goes with a revoke, before the next. */
static err_t share_part(const struct measurement *m, cap_t ram, cap_t frame)
{
	err_t e = cap_retype(ram, CAP_Frame, 0, PAGE_BYTES, 1, frame);

	return is_ok(e) ? share(m, frame) : e;
}

static err_t end_round(const struct measurement *m, cap_t ram)
{
	err_t e = tell_holders(m, WORKER_FORGET);

	return is_ok(e) ? cap_revoke(ram) : e;
}

static err_t delete_here(const struct measurement *m, unsigned round, cap_t frame)
{
	const uint64_t since = sample_now();
	err_t e = cap_delete(frame);

	(void)m;
	note(round, since, cap_last_messages());
	return e;
}

/* The holder's own time: all cores' counters agree, but its call and ours are not part of it. */
static err_t delete_there(const struct measurement *m, unsigned round, cap_t frame)
{
	struct ipc_message message = {.label = WORKER_DELETE};
	uint64_t sent = 0;
	err_t e = ipc_call(m->worker[m->holders - 1].call, &message, &message);

	(void)frame;
	if (is_ok(e) && (message.word[0] != ERR_NUMBER_OK || !worker_tell(&m->worker[m->holders - 1], WORKER_MESSAGES, 0, &sent)))
		e = ERR(STATE);
	if (is_ok(e) && round >= WARM_UP) {
		samples_add(&samples, message.word[2] - message.word[1], 1);
		messages += sent;
	}
	return e;
}

static bool deletes(const struct measurement *m, const char *id, err_t (*once)(const struct measurement *, unsigned round, cap_t frame))
{
	cap_t ram, frame;
	err_t e = make(CAP_RAM, PAGE_BYTES, &ram);

	begin();
	if (is_ok(e))
		e = cap_slot_alloc(&frame);
	for (unsigned round = 0; round < m->rounds + WARM_UP && is_ok(e); round++) {
		e = share_part(m, ram, frame);
		if (is_ok(e))
			e = once(m, round, frame);
		if (is_ok(e))
			e = end_round(m, ram);
	}
	if (is_ok(e)) {
		cap_slot_free(frame);
		memory_object_free(ram);
	}
	return finish(m, id, e);
}

bool measure_delete(const struct measurement *m)
{
	return deletes(m, "cap.delete.remote", delete_here);
}

bool measure_delete_holder(const struct measurement *m)
{
	return deletes(m, "cap.delete.holder", delete_there);
}

/* ---- Beside it, without capabilities ---- */

/* All are told before the first has answered. */
static err_t unmap_everywhere(const struct measurement *m, void *own)
{
	uint64_t answer;
	uint16_t label;
	size_t bytes;
	err_t e = OK;

	for (unsigned i = 0; i < m->holders && is_ok(e); i++)
		e = ipc_send(m->worker[i].stream, STREAM_UNMAP, NULL, 0);
	if (is_ok(e))
		e = frame_unmap(own);
	for (unsigned i = 0; i < m->holders && is_ok(e); i++)
		e = ipc_receive(m->worker[i].stream, &label, &answer, sizeof(answer), &bytes);
	return e;
}

bool measure_unmap(const struct measurement *m)
{
	cap_t frame;
	err_t e = make(CAP_Frame, PAGE_BYTES, &frame);

	begin();
	if (is_ok(e))
		e = share(m, frame);
	for (unsigned round = 0; round < m->rounds + WARM_UP && is_ok(e); round++) {
		uint64_t since;
		void *own;

		e = tell_holders(m, WORKER_MAP);
		if (is_ok(e))
			e = frame_map(frame, 0, PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &own);
		if (is_err(e))
			break;
		++*(volatile uint64_t *)own;
		since = sample_now();
		e = unmap_everywhere(m, own);
		note(round, since, 0);
	}
	if (is_ok(e))
		e = cap_revoke(frame);
	if (is_ok(e)) {
		e = tell_holders(m, WORKER_FORGET);
		memory_object_free(frame);
	}
	return finish(m, "page.unmap", e);
}

/* ---- Transfer ---- */

bool measure_transfer(const struct measurement *m)
{
	struct worker *w = &m->worker[0];
	uint64_t sent_there = 0;
	cap_t frame;
	err_t e = make(CAP_Frame, PAGE_BYTES, &frame);

	begin();
	for (unsigned round = 0; round < m->rounds + WARM_UP && is_ok(e); round++) {
		const cap_t moved = frame;
		const uint64_t since = sample_now();

		if (round == WARM_UP)
			(void)worker_tell(w, WORKER_MESSAGES, 0, &sent_there);
		e = ipc_move(w->call, moved, RIGHTS(RIGHTS_ALL), GIVEN_TO_RETURN);
		if (is_ok(e))
			e = ipc_take(w->call, GIVEN_TO_RETURN, 0, &frame);
		note(round, since, cap_last_messages());
		if (is_ok(e))
			cap_slot_free(moved);
	}
	if (is_ok(e) && worker_tell(w, WORKER_MESSAGES, 0, &sent_there))
		messages += sent_there;
	if (is_ok(e))
		memory_object_free(frame);
	return finish(m, "cap.transfer.rtt", e);
}
