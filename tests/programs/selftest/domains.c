/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* What a program has of others: it starts domains, hears of their ends, and talks to them. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "tests/programs/selftest/selftest.h"

#define USUAL_POLLING 1000 /* looks */

/* ---- Domains and IPC ---- */

/* Calls that the child which serves does not just answer: SEND asks for a message over the stream that it was last spoken to by. */
enum label { LABEL_SEND = 97, LABEL_VANISH, LABEL_STOP };

static bool spawn_child(const char *what, const char *argument, uint64_t core, uint32_t *domain)
{
	const char *const argv[] = {PROGRAM, "child", what, argument, NULL};
	const char *const envp[] = {"COLOUR=coral", NULL};

	return is_ok(domain_spawn(argv, envp, core, 0, domain));
}

static const char *check_domains(void)
{
	static struct core_info cores[MACHINE_CORES];
	const char *const nobody[] = {"no-such-program", NULL};
	unsigned count;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(is_ok(core_list(cores, MACHINE_CORES, &count)) && count > 0);
	for (unsigned i = 0; i < count; i++) {
		CHECK(spawn_child("status", "17", cores[i].core, &domain));
		CHECK(is_ok(domain_wait(domain, &status, &cause)));
		CHECK(cause == END_EXIT && status == 17);
	}
	CHECK(err_is(domain_spawn(nobody, NULL, CORE_HERE, 0, &domain), ERR_NUMBER_NOT_FOUND));
	CHECK(err_is(domain_spawn((const char *const[]){PROGRAM, NULL}, NULL, 9999, 0, &domain), ERR_NUMBER_CORE_UNKNOWN));
	CHECK(spawn_child("sleep", "-", CORE_HERE, &domain));
	CHECK(is_ok(domain_kill(domain)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_KILLED);
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_KILLED); /* its end is remembered */
	CHECK(is_err(domain_wait(domain + 1000, &status, &cause)));
	return NULL;
}

static const char *check_environment_is_handed_down(void)
{
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("environment", "two words", CORE_HERE, &domain));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0);
	return NULL;
}

static const char *check_empty_arguments(void)
{
	const char *const argv[] = {PROGRAM, "child", "empty", "", NULL};
	const char *const envp[] = {"", "COLOUR=", NULL};
	static struct core_info cores[MACHINE_CORES];
	unsigned count;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(is_ok(core_list(cores, MACHINE_CORES, &count)));
	for (unsigned i = 0; i < count; i++) {
		CHECK(is_ok(domain_spawn(argv, envp, cores[i].core, 0, &domain)));
		CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0);
	}
	return NULL;
}

static const char *check_null_pointer_ends_the_domain(void)
{
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("fault", "-", CORE_HERE, &domain));
	CHECK(is_ok(domain_wait(domain, &status, &cause)));
	CHECK(cause == END_FAULT || status > 128);
	return NULL;
}

static const char *talk_to(unsigned core)
{
	static unsigned char out[IPC_STREAM_BYTES], in[IPC_STREAM_BYTES];
	struct ipc_message message = {.label = 3, .word = {1, 2, 3, 4}};
	struct ipc_connection *call, *stream;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("serve", "-", core, &domain));
	CHECK(is_ok(ipc_bind("selftest", false, &call)));
	CHECK(ipc_is_local(call) == (core == domain_core()));
	for (unsigned i = 0; i < 100; i++) {
		message.word[0] = i;
		CHECK(is_ok(ipc_call(call, &message, &message)));
		CHECK(message.word[0] == i + 1);
		CHECK(message.word[3] == 4);
		CHECK(message.label == 3);
	}
	CHECK(is_ok(ipc_bind("selftest", true, &stream)));
	for (size_t bytes = 1; bytes <= IPC_STREAM_BYTES; bytes = bytes * 2 + (bytes & 1)) {
		size_t got;
		uint16_t label;

		memset(out, (int)bytes, bytes);
		CHECK(is_ok(ipc_send(stream, (uint16_t)bytes, out, bytes)));
		CHECK(is_ok(ipc_receive(stream, &label, in, sizeof(in), &got)));
		CHECK(label == (uint16_t)bytes && got == bytes && memcmp(in, out, bytes) == 0);
	}
	message.label = LABEL_STOP;
	CHECK(is_ok(ipc_call(call, &message, &message)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0);
	CHECK(is_err(ipc_call(call, &message, &message)));
	ipc_close(stream);
	ipc_close(call);
	return NULL;
}

static const char *check_ipc(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count;

	CHECK(is_ok(core_list(cores, MACHINE_CORES, &count)) && count > 0);
	for (unsigned i = 0; i < count; i++) {
		const char *why = talk_to(cores[i].core);

		if (why != NULL)
			return why;
	}
	return NULL;
}

/* ---- Threads that look for messages ---- */

static unsigned another_core(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;

	if (is_err(core_list(cores, MACHINE_CORES, &count)))
		return domain_core();
	for (unsigned i = 0; i < count; i++)
		if (cores[i].alive && cores[i].core != domain_core())
			return cores[i].core;
	return domain_core();
}

static uint64_t in_seconds(unsigned seconds)
{
	return time_tsc() + seconds * time_tsc_hz();
}

/* Has always something to do, and lets others run. */
static volatile bool yielding;

static void keep_yielding(void *argument)
{
	uint64_t end = *(const uint64_t *)argument;

	while (yielding && time_tsc() < end)
		thread_yield();
}

/* The peer ends in the middle of a call; the one who waits for its answer is not the only thread that runs. */
static const char *check_peer_that_ends_in_a_call(void)
{
	struct ipc_message message = {.label = LABEL_VANISH};
	uint64_t end = in_seconds(10);
	struct ipc_connection *c;
	struct thread *other;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("serve", "-", another_core(), &domain));
	CHECK(is_ok(ipc_bind("selftest", false, &c)));
	yielding = true;
	CHECK(is_ok(thread_create(keep_yielding, &end, 0, &other)));
	CHECK(is_err(ipc_call(c, &message, &message)));
	yielding = false;
	CHECK(time_tsc() < end);
	CHECK(is_ok(thread_join(other)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT);
	ipc_close(c);
	return NULL;
}

static _Atomic bool message_came;

static void wait_for_message(void *argument)
{
	struct ipc_connection *stream = argument;
	uint16_t label;
	uint8_t byte;
	size_t bytes;

	message_came = is_ok(ipc_receive(stream, &label, &byte, 1, &bytes)) && label == LABEL_SEND;
}

/* One thread calls again and again and never sleeps; another one that sleeps hears of its message all the same. */
static const char *call_until_message_came(struct ipc_connection *call, struct ipc_connection *stream)
{
	struct ipc_message message = {.label = LABEL_SEND};
	uint64_t end = in_seconds(10);
	struct thread *waiter;

	CHECK(is_ok(thread_create(wait_for_message, stream, 0, &waiter)));
	ipc_set_polling(0);
	thread_sleep_until(time_tsc() + time_tsc_hz() / 100);
	ipc_set_polling(IPC_POLL_ALWAYS);
	for (message.label = LABEL_SEND; !message_came && time_tsc() < end; message.label = 1)
		CHECK(is_ok(ipc_call(call, &message, &message)));
	CHECK(message_came);
	CHECK(is_ok(thread_join(waiter)));
	return NULL;
}

/* One thread computes and never enters the library OS; only the bell of the one that sleeps can interrupt it. */
static const char *compute_until_message_came(struct ipc_connection *call, struct ipc_connection *stream)
{
	uint64_t end = in_seconds(10);
	struct thread *waiter;

	(void)call;
	message_came = false;
	CHECK(is_ok(thread_create(wait_for_message, stream, 0, &waiter)));
	ipc_set_polling(0);
	thread_sleep_until(time_tsc() + time_tsc_hz() / 100);
	CHECK(is_ok(ipc_send(stream, LABEL_SEND, "", 1)));
	while (!message_came && time_tsc() < end)
		;
	CHECK(message_came);
	CHECK(is_ok(thread_join(waiter)));
	return NULL;
}

static const char *wait_beside(const char *(*body)(struct ipc_connection *call, struct ipc_connection *stream))
{
	struct ipc_message message = {.label = LABEL_STOP};
	struct ipc_connection *call, *stream;
	const char *why;
	uint16_t label;
	uint8_t byte;
	size_t bytes;
	uint32_t domain;
	int64_t status;
	enum end_cause cause;

	CHECK(spawn_child("serve", "-", another_core(), &domain));
	CHECK(is_ok(ipc_bind("selftest", false, &call)));
	CHECK(is_ok(ipc_bind("selftest", true, &stream)));
	CHECK(is_ok(ipc_send(stream, 1, "", 1)) && is_ok(ipc_receive(stream, &label, &byte, 1, &bytes)));
	why = body(call, stream);
	ipc_set_polling(USUAL_POLLING);
	CHECK(is_ok(ipc_call(call, &message, &message)));
	CHECK(is_ok(domain_wait(domain, &status, &cause)));
	ipc_close(stream);
	ipc_close(call);
	return why;
}

static const char *check_thread_that_calls_for_ever(void)
{
	return wait_beside(call_until_message_came);
}

static const char *check_thread_that_computes_for_ever(void)
{
	return wait_beside(compute_until_message_came);
}

/* ---- The other domain ---- */

static bool served_out;
static struct ipc_connection *remembered;

static void serve_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c;
	if (request->label == LABEL_VANISH)
		exit(EXIT_SUCCESS);
	if (request->label == LABEL_SEND && is_err(ipc_send(remembered, LABEL_SEND, "", 1)))
		exit(EXIT_FAILURE);
	*reply = *request;
	reply->word[0]++;
	served_out = request->label == LABEL_STOP;
}

static void serve_message(void *context, struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	(void)context;
	remembered = c;
	if (is_err(ipc_send(c, label, data, bytes)))
		served_out = true;
}

static int child_serve(void)
{
	const struct ipc_server server = {.call = serve_call, .message = serve_message};
	struct ipc_service *service;

	if (is_err(ipc_offer("selftest", &server, &service)))
		return EXIT_FAILURE;
	while (!served_out)
		ipc_serve_once(0);
	return EXIT_SUCCESS;
}

int child_main(const char *what, const char *argument)
{
	if (strcmp(what, "status") == 0)
		return atoi(argument);
	if (strcmp(what, "environment") == 0)
		return getenv("COLOUR") == NULL || strcmp(getenv("COLOUR"), "coral") != 0 || strcmp(argument, "two words") != 0;
	if (strcmp(what, "empty") == 0)
		return argument[0] != '\0' || environ[0][0] != '\0' || strcmp(environ[1], "COLOUR=") != 0 || environ[2] != NULL;
	if (strcmp(what, "serve") == 0)
		return child_serve();
	if (strcmp(what, "fault") == 0) {
		static volatile int *volatile nowhere;

		*nowhere = 1;
		return EXIT_SUCCESS;
	}
	for (;;)
		thread_sleep_until(time_tsc() + time_tsc_hz());
}

const struct check domain_checks[] = {
    {"domains", check_domains},
    {"environment_is_handed_down", check_environment_is_handed_down},
    {"empty_arguments", check_empty_arguments},
    {"null_pointer", check_null_pointer_ends_the_domain},
    {"ipc", check_ipc},
    {"peer_that_ends_in_a_call", check_peer_that_ends_in_a_call},
    {"thread_that_calls_for_ever", check_thread_that_calls_for_ever},
    {"thread_that_computes_for_ever", check_thread_that_computes_for_ever},
    {NULL, NULL},
};
