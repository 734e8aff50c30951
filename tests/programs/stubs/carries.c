/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Capabilities and buffers that come along. */

#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>

#include "tests/programs/stubs/checks.h"

static const char *capability_given(struct workshop *w)
{
	struct workshop_take_results r;
	cap_t frame;
	paddr_t base;
	void *at;

	CHECK_OK(frame_create(PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &frame, &at, &base));
	*(uint64_t *)at = 77;
	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(workshop_call_take(w, &(struct workshop_take_params){.frame = {.cap = frame}}, &r, in_ms(2000)));
		CHECK(r.first == 77 + i && *(volatile uint64_t *)at == 78 + i);
	}
	CHECK_OK(frame_unmap(at));
	CHECK_OK(cap_revoke(frame));
	memory_object_free(frame);
	return NULL;
}

static const char *capability_got(struct workshop *w)
{
	struct workshop_give_results r;
	struct cap_identity identity;
	void *at;

	CHECK_OK(workshop_call_give(w, &(struct workshop_give_params){4711}, &r, in_ms(2000)));
	CHECK_OK(cap_identify(r.frame.cap, &identity));
	CHECK(identity.type == CAP_Frame && identity.rights == RIGHT_READ);
	CHECK_OK(frame_map(r.frame.cap, 0, PAGE_BYTES, RIGHTS(RIGHT_READ), &at));
	CHECK(*(volatile uint64_t *)at == 4711);
	CHECK_OK(frame_unmap(at));
	stub_drop(&r.frame);
	return NULL;
}

static const char *buffers(struct workshop *w)
{
	enum { BYTES = 100000 };
	struct workshop_sum_results r;
	struct workshop_fill_results f;
	uint8_t *at;
	uint64_t sum = 0;

	CHECK_OK(stub_buffer_create(&w->client, BYTES, (void **)&at, in_ms(2000)));
	for (unsigned i = 0; i < BYTES; i++)
		sum += at[i] = (uint8_t)(i * 7);
	CHECK_OK(workshop_call_sum(w, &(struct workshop_sum_params){.piece = {.at = at, .bytes = BYTES}}, &r, in_ms(2000)));
	CHECK(r.sum == sum);
	CHECK_OK(workshop_call_sum(w, &(struct workshop_sum_params){.piece = {.at = at + 10, .bytes = 1}}, &r, in_ms(2000)));
	CHECK(r.sum == 70);
	CHECK_OK(workshop_call_fill(w, &(struct workshop_fill_params){.piece = {.at = at + 1, .bytes = 6}, .value = 9}, &f, in_ms(2000)));
	CHECK(at[0] == 0 && at[1] == 9 && at[6] == 9 && at[7] == 49);
	CHECK(f.piece.at == at + 1 && f.piece.bytes == 3);
	CHECK_ERROR(workshop_call_sum(w, &(struct workshop_sum_params){.piece = {.at = at + 1, .bytes = BYTES}}, &r, 0), ARGUMENT);
	CHECK_ERROR(workshop_call_sum(w, &(struct workshop_sum_params){.piece = {.at = &sum, .bytes = 1}}, &r, 0), ARGUMENT);
	CHECK_OK(stub_buffer_free(&w->client, at, in_ms(2000)));
	CHECK_ERROR(workshop_call_sum(w, &(struct workshop_sum_params){.piece = {.at = at, .bytes = 1}}, &r, 0), ARGUMENT);
	CHECK_ERROR(stub_buffer_free(&w->client, at, 0), ARGUMENT);
	return NULL;
}

static const char *many_buffers(struct workshop *w)
{
	void *at[STUB_BUFFERS], *more;
	struct workshop_sum_results r;

	CHECK_ERROR(stub_buffer_create(&w->client, 0, &more, 0), ARGUMENT);
	CHECK_ERROR(stub_buffer_create(&w->client, STUB_BUFFER_MOST + 1, &more, 0), ARGUMENT);
	for (unsigned i = 0; i < STUB_BUFFERS; i++) {
		CHECK_OK(stub_buffer_create(&w->client, PAGE_BYTES, &at[i], in_ms(2000)));
		memset(at[i], (int)i + 1, PAGE_BYTES);
	}
	CHECK_ERROR(stub_buffer_create(&w->client, PAGE_BYTES, &more, 0), LIMIT);
	for (unsigned i = 0; i < STUB_BUFFERS; i++) {
		CHECK_OK(workshop_call_sum(w, &(struct workshop_sum_params){.piece = {.at = at[i], .bytes = 100}}, &r, in_ms(2000)));
		CHECK(r.sum == 100 * (i + 1));
	}
	for (unsigned i = 1; i < STUB_BUFFERS; i++)
		CHECK_OK(stub_buffer_free(&w->client, at[i], in_ms(2000)));
	return NULL; /* the first one goes with the client */
}

const struct check carry_checks[] = {
    {"capability_given", capability_given},
    {"capability_got", capability_got},
    {"buffers", buffers},
    {"many_buffers", many_buffers},
    {NULL, NULL},
};
