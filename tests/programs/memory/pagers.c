/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Pagers of the program's own, seen from all members; and stacks that are too small. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/capability.h>
#include <atoll/ipc.h>
#include <atoll/pager.h>
#include <atoll/thread.h>

#include "tests/programs/memory/memory.h"

#define PAGES        12
#define SERVICE      "memory.pages"
#define SEGMENTATION (128 + 11)

static uint64_t read_there(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

static uint64_t write_there(uint64_t address)
{
	*(volatile uint64_t *)address = address;
	return 0;
}

/* ---- Contents ---- */

struct filler {
	_Atomic unsigned asked;
	uint64_t refused; /* an offset */
};

static err_t fill(void *argument, const struct pager_request *request, struct pager_answer *answer)
{
	struct filler *f = argument;

	(void)answer;
	f->asked++;
	if (request->offset == f->refused)
		return ERR(NOT_FOUND);
	*(uint64_t *)request->contents = request->offset + 7;
	return OK;
}

static const char *check_contents(void)
{
	struct filler filler = {.refused = 5 * PAGE_BYTES};
	struct pager *pager;
	void *out;
	char *at;

	CHECK(is_ok(pager_start(fill, &filler, &pager)));
	CHECK(is_ok(pager_map(pager, PAGES * PAGE_BYTES, READ_WRITE, &out)));
	at = out;
	for (uint64_t i = 0; i < PAGES; i++) {
		if (i == 5)
			continue;
		if (i % 2 == 0)
			CHECK(read_there((uint64_t)at + i * PAGE_BYTES) == i * PAGE_BYTES + 7);
		CHECK(on_all_others(read_there, at + i * PAGE_BYTES, i * PAGE_BYTES + 7) == others);
	}
	CHECK(filler.asked == (others > 0 ? PAGES - 1 : PAGES / 2)); /* each page once, whoever touches it */
	CHECK(!is_readable(at + 5 * PAGE_BYTES) && on_all_others(readable_there, at + 5 * PAGE_BYTES, 0) == others);
	CHECK(err_is(pager_stop(pager), ERR_NUMBER_STATE));
	CHECK(is_ok(memory_unmap(at, PAGES * PAGE_BYTES)));
	CHECK(is_ok(pager_stop(pager)));
	return NULL;
}

static const char *check_taking(void)
{
	struct filler filler = {.refused = UINT64_MAX};
	struct pager *pager;
	void *at, *contents;

	CHECK(is_ok(pager_start(fill, &filler, &pager)));
	CHECK(is_ok(pager_map(pager, PAGES * PAGE_BYTES, READ_WRITE, &at)));
	CHECK(err_is(pager_take(pager, at, &contents), ERR_NUMBER_NOT_MAPPED));
	CHECK(err_is(pager_take(pager, &filler, &contents), ERR_NUMBER_NOT_SUPPORTED));
	for (unsigned round = 0; round < 3; round++) {
		filler.asked = 0;
		CHECK(read_there((uint64_t)at) == 7);
		CHECK(on_all_others(write_there, at, 0) == others && write_there((uint64_t)at) == 0);
		CHECK(is_ok(pager_take(pager, at, &contents)));
		CHECK(*(uint64_t *)contents == (uint64_t)at);
		CHECK(err_is(pager_take(pager, at, &contents), ERR_NUMBER_STATE));
		pager_release(pager);
		CHECK(on_all_others(read_there, at, 7) == others);
		CHECK(read_there((uint64_t)at) == 7 && filler.asked == 2);
		CHECK(is_ok(pager_take(pager, at, &contents)));
		pager_release(pager);
	}
	CHECK(is_ok(memory_unmap(at, PAGES * PAGE_BYTES)));
	CHECK(is_ok(pager_stop(pager)));
	return NULL;
}

/* ---- Frames ---- */

static err_t from_frame(void *argument, const struct pager_request *request, struct pager_answer *answer)
{
	*answer = *(const struct pager_answer *)argument;
	answer->offset = request->offset;
	return OK;
}

static const char *check_frame(bool copy_on_write)
{
	struct pager_answer answer = {.copy_on_write = copy_on_write};
	struct pager *pager;
	void *out, *mapped;
	char *at, *frame;

	CHECK(is_ok(frame_create(PAGES * PAGE_BYTES, READ_WRITE, &answer.frame, &mapped, NULL)));
	frame = mapped;
	for (uint64_t i = 0; i < PAGES; i++)
		*(uint64_t *)(frame + i * PAGE_BYTES) = i + 100;
	CHECK(is_ok(pager_start(from_frame, &answer, &pager)));
	CHECK(is_ok(pager_map(pager, (PAGES + 1) * PAGE_BYTES, READ_WRITE, &out)));
	at = out;
	for (uint64_t i = 0; i < PAGES; i++) {
		char *page = at + i * PAGE_BYTES;
		uint64_t writer = i % (others + 1);

		CHECK(on_all_others(read_there, page, i + 100) == others && read_there((uint64_t)page) == i + 100);
		CHECK(on((unsigned)writer, write_there, page) == 0);
		CHECK(on_all_others(read_there, page, (uint64_t)page) == others && read_there((uint64_t)page) == (uint64_t)page);
		CHECK(*(uint64_t *)(frame + i * PAGE_BYTES) == (copy_on_write ? i + 100 : (uint64_t)page));
	}
	CHECK(!is_readable(at + PAGES * PAGE_BYTES)); /* the frame has no such page */
	CHECK(is_ok(memory_unmap(at, (PAGES + 1) * PAGE_BYTES)));
	CHECK(is_ok(pager_stop(pager)));
	CHECK(is_ok(frame_unmap(mapped)));
	memory_object_free(answer.frame);
	return NULL;
}

static const char *check_frame_backed(void)
{
	return check_frame(false);
}
static const char *check_copy_on_write(void)
{
	return check_frame(true);
}

/* ---- Another domain ---- */

static void give_page(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	void *at = NULL;
	cap_t frame;

	(void)context;
	*reply = (struct ipc_message){.label = 1};
	if (is_err(frame_create(PAGE_BYTES, READ_WRITE, &frame, &at, NULL)))
		return;
	*(uint64_t *)at = request->word[0] * 3;
	(void)!is_ok(frame_unmap(at));
	if (is_ok(ipc_give(c, frame, READ_WRITE, (uint32_t)request->word[0])))
		reply->label = 0;
}

int pages_child(void)
{
	static const struct ipc_server server = {.call = give_page};
	struct ipc_service *service;

	if (is_err(ipc_offer(SERVICE, &server, &service)))
		return EXIT_FAILURE;
	ipc_serve();
}

struct client {
	struct ipc_connection *server;
	cap_t frames[PAGES];
};

static err_t from_domain(void *argument, const struct pager_request *request, struct pager_answer *answer)
{
	struct client *c = argument;
	uint64_t page = request->offset / PAGE_BYTES;
	struct ipc_message ask = {.word = {page}}, reply;
	err_t e = ipc_call(c->server, &ask, &reply);

	if (is_ok(e) && reply.label != 0)
		e = ERR(NO_MEMORY);
	if (is_ok(e))
		e = ipc_take(c->server, (uint32_t)page, 0, &c->frames[page]);
	answer->frame = is_ok(e) ? c->frames[page] : CAP_NULL;
	return e;
}

static const char *check_other_domain(void)
{
	const char *const argv[] = {"memory", "pages", NULL};
	struct client client;
	struct pager *pager;
	enum end_cause cause;
	int64_t status;
	uint32_t domain;
	void *out;
	char *at;

	CHECK(is_ok(domain_spawn(argv, NULL, CORE_HERE, 0, &domain)));
	CHECK(is_ok(ipc_bind(SERVICE, false, &client.server)));
	CHECK(is_ok(pager_start(from_domain, &client, &pager)));
	CHECK(is_ok(pager_map(pager, PAGES * PAGE_BYTES, READ_WRITE, &out)));
	at = out;
	for (uint64_t i = 0; i < PAGES; i++) {
		CHECK(on_all_others(read_there, at + i * PAGE_BYTES, i * 3) == others);
		CHECK(read_there((uint64_t)at + i * PAGE_BYTES) == i * 3);
	}
	CHECK(is_ok(memory_unmap(at, PAGES * PAGE_BYTES)));
	CHECK(is_ok(pager_stop(pager)));
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(is_ok(cap_delete(client.frames[i])));
	ipc_close(client.server);
	CHECK(is_ok(domain_kill(domain)) && is_ok(domain_wait(domain, &status, &cause)));
	return NULL;
}

/* ---- Stacks ---- */

static unsigned recurse(unsigned depth);
static unsigned (*volatile again)(unsigned) = recurse; /* so that no compiler finds out */

static unsigned recurse(unsigned depth)
{
	volatile char block[512];

	block[depth % 512] = 1;
	return again(depth + 1) + (unsigned char)block[depth % 512];
}

static void recurse_there(void *argument)
{
	(void)argument;
	recurse(0);
}

static uint64_t recurse_on_worker(uint64_t depth)
{
	return recurse((unsigned)depth);
}

int overflow_child(const char *where)
{
	struct thread *thread;

	if (strcmp(where, "first") == 0)
		recurse(0);
	else if (strcmp(where, "thread") == 0 && is_ok(thread_create(recurse_there, NULL, 0, &thread)))
		(void)!is_ok(thread_join(thread));
	else if (strcmp(where, "worker") == 0)
		on(0, recurse_on_worker, NULL);
	return EXIT_SUCCESS;
}

static const char *check_overflow(const char *where)
{
	const char *const argv[] = {"memory", "overflow", where, NULL};
	enum end_cause cause;
	int64_t status;
	uint32_t domain;

	CHECK(is_ok(domain_spawn(argv, NULL, CORE_HERE, 0, &domain)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)));
	CHECK(cause == END_EXIT && status == SEGMENTATION);
	return NULL;
}

bool check_pagers(void)
{
	bool ok = report("pager.contents", check_contents());

	ok &= report("pager.taking", check_taking());
	ok &= report("pager.frame_backed", check_frame_backed());
	ok &= report("pager.copy_on_write", check_copy_on_write());
	ok &= report("pager.other_domain", check_other_domain());
	ok &= report("overflow.first", check_overflow("first"));
	ok &= report("overflow.thread", check_overflow("thread"));
	ok &= report("overflow.worker", check_overflow("worker"));
	return ok;
}
