/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Domains of all characters, which are asked to give something back. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/revocation.h>
#include <atoll/span.h>
#include <atoll/thread.h>

#include "tests/programs/revoke/revoke.h"

static char *chunk[CHUNKS];
static unsigned home; /* the member whose memory they are */
static _Atomic bool asked, told, lost;
static struct ipc_connection *channel[CHANNELS];

static int wrong(const char *what)
{
	printf("the child says: %s\n", what);
	return WRONG;
}

/* ---- Memory, each page of which says where it is ---- */

static void mark(char *at, unsigned number)
{
	for (uint64_t offset = 0; offset < CHUNK; offset += PAGE_BYTES)
		*(uint64_t *)(at + offset) = (uint64_t)number << 32 | offset;
}

static bool is_marked(const char *at, unsigned number)
{
	for (uint64_t offset = 0; offset < CHUNK; offset += PAGE_BYTES)
		if (*(const volatile uint64_t *)(at + offset) != ((uint64_t)number << 32 | offset))
			return false;
	return true;
}

static bool map(unsigned i)
{
	const struct memory_policy there = {MEMORY_BIND, UINT64_C(1) << home};

	return is_ok(memory_map_with(CHUNK, READ_WRITE, PLACE_TOUCH, there, (void **)&chunk[i]));
}

static bool fill(void)
{
	for (unsigned i = 0; i < CHUNKS; i++) {
		if (!map(i))
			return false;
		mark(chunk[i], i);
	}
	return true;
}

/* One of so many stays. */
static void free_all_but(unsigned step)
{
	for (unsigned i = 0; i < CHUNKS; i++)
		if (i % step != 0 && chunk[i] != NULL && is_ok(memory_unmap(chunk[i], CHUNK)))
			chunk[i] = NULL;
}

static bool is_whole(void)
{
	for (unsigned i = 0; i < CHUNKS; i++)
		if (chunk[i] != NULL && !is_marked(chunk[i], i))
			return false;
	return true;
}

static uint64_t granted(void)
{
	struct memory_usage usage;

	memory_usage(&usage);
	return usage.granted;
}

/* ---- Ready, and then ---- */

static bool ready(void)
{
	static const struct ipc_server server;
	struct ipc_service *service;

	return is_ok(ipc_offer(CHILD_SERVICE, &server, &service));
}

static void wait_until_done(void)
{
	static const struct ipc_binding forever;
	uint32_t parent;

	(void)!is_ok(ipc_find(DONE_SERVICE, &forever, &parent));
}

static void wait_for(_Atomic bool *flag)
{
	while (!*flag)
		thread_sleep_until(time_tsc() + time_tsc_hz() / 1000);
}

static void note_loss(void *argument, const struct revocation_loss *loss)
{
	(void)argument, (void)loss;
	lost = true;
}

static bool handle(void (*function)(void *argument, const struct revocation_wish *wish))
{
	return is_ok(revocation_handle(&(struct revocation_handlers){.asked = function, .lost = note_loss}));
}

/* Most of its memory is free, but in pieces: the library OS moves what is left. */
static int complies(void)
{
	uint64_t before;

	if (!fill())
		return wrong("no memory");
	free_all_but(4);
	before = granted();
	if (!ready())
		return wrong("not ready");
	wait_until_done();
	return (home != 0 || granted() < before) && is_whole() ? FINE : wrong("its memory has changed");
}

static void choose(void *argument, const struct revocation_wish *wish)
{
	(void)argument;
	if (wish->kind == REVOKE_MEMORY && wish->amount > 0 && wish->deadline_tsc > time_tsc())
		free_all_but(4);
	asked = true;
}

/* All of it is in use: the program says what goes. */
static int chooses(void)
{
	uint64_t before;

	if (!handle(choose) || !fill())
		return wrong("no memory");
	before = granted();
	if (!ready())
		return wrong("not ready");
	wait_for(&asked);
	wait_until_done();
	return (home != 0 || granted() < before) && is_whole() ? FINE : wrong("its memory has changed");
}

static void stall(void *argument, const struct revocation_wish *wish)
{
	(void)argument, (void)wish;
	for (asked = true;;)
		__builtin_ia32_pause();
}

/* How many pages of it are lost; SIZE_MAX if something is odd. */
static size_t count_lost(const char *at)
{
	struct memory_place place;
	size_t count = 0;

	for (uint64_t offset = 0; offset < CHUNK; offset += PAGE_BYTES) {
		err_t e = memory_where(at + offset, &place);

		if (is_ok(e))
			continue;
		/* A system call that touches it fails, and no more. */
		if (!err_is(e, ERR_NUMBER_REVOKED) || open(at + offset, O_RDONLY) >= 0 || errno != EFAULT)
			return SIZE_MAX;
		count++;
	}
	return count;
}

/* New memory at the place of what was taken is good again. */
static int look_at_loss(void)
{
	unsigned gone = 0, left = 0;

	for (unsigned i = 0; i < CHUNKS; i++) {
		size_t count = count_lost(chunk[i]);

		if (count == SIZE_MAX)
			return wrong("a lost page is not known to be lost");
		gone += count > 0;
		left += count == 0;
		if (count == 0)
			continue;
		if (is_err(memory_unmap(chunk[i], CHUNK)) || !map(i))
			return wrong("no new memory in place of lost one");
		mark(chunk[i], i);
	}
	return gone > 0 && left > 0 && is_whole() ? FINE : wrong("nothing is lost, or everything");
}

static int stalls(bool touches)
{
	if (!handle(stall) || !fill())
		return wrong("no memory");
	if (!ready())
		return wrong("not ready");
	wait_for(&lost);
	wait_until_done();
	for (unsigned i = 0; touches && i < CHUNKS; i++)
		if (!is_marked(chunk[i], i))
			return wrong("a lost page has other contents");
	return look_at_loss();
}

/* Says that it has given everything, and that it has given what it never had. */
static void lie(void *argument, const struct revocation_wish *wish)
{
	const uint64_t base = domain_self()->ram_base;

	(void)argument, (void)wish;
	told = err_is(monitor_request(REQUEST_give_back, 0, REVOKE_MEMORY, base, 0).error, ERR_NUMBER_NOT_FOUND) &&
	       err_is(monitor_request(REQUEST_give_back, 0, REVOKE_MEMORY, base + PAGE_BYTES, 0).error, ERR_NUMBER_NOT_FOUND) &&
	       err_is(monitor_request(REQUEST_give_back, 0, REVOKE_CHANNELS, 1, 0).error, ERR_NUMBER_NOT_FOUND) &&
	       err_is(monitor_request(REQUEST_give_back, 0, REVOCATION_KINDS, 1, 0).error, ERR_NUMBER_ARGUMENT) &&
	       err_is(monitor_request(REQUEST_keep, 0, base, 0, 0).error, ERR_NUMBER_NOT_FOUND) &&
	       err_is(monitor_request(REQUEST_memory, 0, MEBIBYTE, CNODE_SLOTS - 1, 0).error, ERR_NUMBER_NO_MEMORY) &&
	       is_ok(monitor_request(REQUEST_given_back, 0, 0, 0, 0).error);
}

static int lies(void)
{
	if (!handle(lie) || !fill())
		return wrong("no memory");
	if (!err_is(monitor_request(REQUEST_given_back, 0, 0, 0, 0).error, ERR_NUMBER_STATE) || !ready())
		return wrong("not ready");
	wait_for(&lost);
	wait_until_done();
	return told ? look_at_loss() : wrong("a lie was believed");
}

static void die(void *argument, const struct revocation_wish *wish)
{
	(void)argument, (void)wish;
	domain_exit(GONE);
}

static int dies(void)
{
	if (!handle(die) || !fill() || !ready())
		return wrong("no memory");
	for (;;)
		thread_sleep_until(time_tsc() + time_tsc_hz());
}

/* Computes, and waits for nothing. */
static int deaf(void)
{
	if (!fill())
		return wrong("no memory");
	free_all_but(4);
	if (!ready())
		return wrong("not ready");
	for (uint64_t before = granted(); granted() >= before;)
		for (volatile unsigned i = 0; i < 100000; i++)
			;
	wait_until_done();
	return is_whole() ? FINE : wrong("its memory has changed");
}

/* May not ask others: neither who has started it, nor itself, nor nobody. */
static int asks(const char *parent)
{
	const uint32_t who[] = {(uint32_t)strtoul(parent, NULL, 0), domain_self()->span};
	struct revocation_result result;

	for (unsigned i = 0; i < 2; i++)
		if (!err_is(
		        revocation_ask(&(struct revocation_order){.domain = who[i], .kind = REVOKE_MEMORY, .amount = 1, .core = CORE_HERE},
		                       &result),
		        ERR_NUMBER_PERMISSION))
			return wrong("it may ask others");
	return FINE;
}

/* ---- Cores ---- */

static _Atomic bool there;

static void stay(void *argument)
{
	(void)argument;
	for (there = true;;)
		thread_yield();
}

static void note_core(unsigned member, unsigned core)
{
	(void)member, (void)core;
	lost = true;
}

static int spans(bool busy, bool survives)
{
	unsigned members = span_members(NULL, 0);
	struct thread *thread;

	if (survives && is_err(span_on_loss(note_core)))
		return wrong("no handler");
	if (busy && is_err(thread_create_among(UINT64_C(1) << (members - 1), stay, NULL, 0, &thread)))
		return wrong("no thread");
	if (busy)
		wait_for(&there);
	if (!ready())
		return wrong("not ready");
	if (busy)
		wait_for(&lost);
	while (span_members(NULL, 0) > 1)
		thread_sleep_until(time_tsc() + time_tsc_hz() / 1000);
	wait_until_done();
	return FINE;
}

/* ---- Channels ---- */

static bool answers(struct ipc_connection *c)
{
	struct ipc_message request = {.word = {5}}, reply;

	return is_ok(ipc_call(c, &request, &reply)) && reply.word[0] == 6;
}

static void wait_for_the_asker(void)
{
	struct ipc_message request = {.word = {DONE_YET}}, reply = {.word = {0}};

	while (is_ok(ipc_call(channel[1], &request, &reply)) && reply.word[0] == 0)
		thread_sleep_until(time_tsc() + time_tsc_hz() / 1000);
}

static void close_first(void *argument, const struct revocation_wish *wish)
{
	(void)argument;
	if (wish->kind == REVOKE_CHANNELS && wish->amount == 2)
		ipc_close(channel[0]);
}

/* One is closed by the program, one is taken: the one that it has opened last. */
static int has_channels(void)
{
	struct ipc_message request = {.word = {5}}, reply;

	if (!handle(close_first))
		return wrong("no handler");
	for (unsigned i = 0; i < CHANNELS; i++)
		if (is_err(ipc_bind(PARENT_SERVICE, false, &channel[i])) || !answers(channel[i]))
			return wrong("no connection");
	if (!ready())
		return wrong("not ready");
	wait_for(&lost);
	if (!err_is(ipc_call(channel[CHANNELS - 1], &request, &reply), ERR_NUMBER_PEER_GONE))
		return wrong("a connection that was taken still works");
	ipc_close(channel[CHANNELS - 1]);
	wait_for_the_asker();
	return answers(channel[1]) ? FINE : wrong("a connection that was not taken does not work");
}

int child(const char *character, const char *argument)
{
	const struct {
		const char *name;
		int (*run)(void);
	} simple[] = {
	    {"complies", complies}, {"chooses", chooses}, {"lies", lies}, {"dies", dies}, {"deaf", deaf}, {"channels", has_channels},
	};

	if (strncmp(character, "member.", 7) == 0) {
		home = span_members(NULL, 0) - 1;
		character += 7;
	}
	for (unsigned i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (strcmp(character, simple[i].name) == 0)
			return simple[i].run();
	if (strcmp(character, "stalls") == 0)
		return stalls(false);
	if (strcmp(character, "touches") == 0)
		return stalls(true);
	if (strcmp(character, "asks") == 0)
		return asks(argument);
	return spans(strcmp(character, "idle") != 0, strcmp(character, "survives") == 0);
}
