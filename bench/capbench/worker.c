/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/capbench/worker.h"

#include <stdio.h>
#include <stdlib.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>

#include "bench/common/sample.h"
#include "bench/common/started.h"

#define PROGRAM "capbench"

/* ---- The worker's side ---- */

static cap_t held = CAP_NULL;
static void *mapped;
static uint64_t messages;
static bool ended;

static bool holds_something(void)
{
	struct cap_identity id;

	return held.value != CAP_NULL.value && is_ok(cap_identify(held, &id)) && id.type != CAP_Null;
}

static void unmap(void)
{
	/* What was revoked meanwhile is unmapped already; its place in the address space is not free before this. */
	if (mapped != NULL && is_err(frame_unmap(mapped)))
		printf("capbench: a page can't be unmapped\n");
	mapped = NULL;
}

static void forget(void)
{
	err_t e = OK;

	unmap();
	if (held.value == CAP_NULL.value)
		return;
	if (holds_something())
		e = cap_delete(held);
	if (is_ok(e))
		cap_slot_free(held);
	else
		printf("capbench: what a worker holds can't be deleted: %s\n", err_sentence(e));
	held = CAP_NULL;
}

/* An answer's words. What holds nothing any more has a slot of its own, which `forget` gives up. */
static void delete_held(uint64_t word[3])
{
	word[1] = sample_now();
	word[0] = cap_delete(held).number;
	word[2] = sample_now();
	messages += cap_last_messages();
}

static err_t map(void)
{
	err_t e = frame_map(held, 0, PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &mapped);

	if (is_ok(e))
		++*(volatile uint64_t *)mapped; /* the translation is in this core's buffers now */
	return e;
}

static void handle_given(void *context, struct ipc_connection *c, uint32_t tag, cap_t cap, struct ipc_connection *connection)
{
	err_t e;

	(void)context, (void)connection;
	if (tag == GIVEN_TO_HOLD) {
		forget();
		held = cap;
		return;
	}
	e = ipc_move(c, cap, RIGHTS(RIGHTS_ALL), GIVEN_TO_RETURN);
	messages += cap_last_messages();
	if (is_ok(e))
		cap_slot_free(cap);
	else
		printf("capbench: a capability can't be returned: %s\n", err_sentence(e));
}

static void handle_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c;
	*reply = *request;
	switch (request->label) {
	case WORKER_LOOK:
		reply->word[0] = holds_something();
		break;
	case WORKER_MAP:
		reply->word[0] = map().number;
		break;
	case WORKER_FORGET:
		forget();
		break;
	case WORKER_MESSAGES:
		reply->word[0] = messages;
		messages = 0;
		break;
	case WORKER_POLLING:
		ipc_set_polling((uint32_t)request->word[0]);
		break;
	case WORKER_DELETE:
		delete_held(reply->word);
		break;
	case WORKER_END:
		forget();
		ended = true;
		break;
	}
}

static void handle_message(void *context, struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	(void)context, (void)data, (void)bytes;
	if (label == STREAM_UNMAP)
		unmap();
	/* An asker that has gone gets no answer. */
	(void)!is_ok(ipc_send(c, label, NULL, 0));
}

int worker_main(const char *service)
{
	const struct ipc_server server = {.call = handle_call, .message = handle_message, .given = handle_given};
	struct ipc_service *offered;
	err_t e = ipc_offer(service, &server, &offered);

	if (is_err(e)) {
		printf("capbench: %s can't be offered: %s\n", service, err_sentence(e));
		return EXIT_FAILURE;
	}
	while (!ended)
		ipc_serve_once(0);
	return EXIT_SUCCESS;
}

/* ---- The measuring side ---- */

bool worker_start(struct worker *w, unsigned core)
{
	char service[SERVICE_NAME_BYTES];
	const char *const arguments[] = {PROGRAM, "--worker", service, NULL};
	err_t e;

	snprintf(service, sizeof(service), "capbench.%u", core);
	*w = (struct worker){.core = core};
	e = domain_spawn(arguments, NULL, core, 0, &w->domain);
	if (is_ok(e))
		e = started(w->domain, core, service);
	if (is_ok(e))
		e = ipc_bind(service, false, &w->call);
	if (is_ok(e))
		e = ipc_bind(service, true, &w->stream);
	if (is_err(e))
		printf("capbench: no worker on core %u: %s\n", core, err_sentence(e));
	return is_ok(e);
}

bool worker_tell(struct worker *w, uint16_t label, uint64_t word, uint64_t *answer)
{
	struct ipc_message message = {.label = label, .word = {word}};
	err_t e = ipc_call(w->call, &message, &message);

	if (is_err(e))
		printf("capbench: the worker on core %u is gone: %s\n", w->core, err_sentence(e));
	*answer = message.word[0];
	return is_ok(e);
}

void worker_end(struct worker *w)
{
	uint64_t answer;
	int64_t status;
	enum end_cause cause;

	if (w->stream != NULL)
		ipc_close(w->stream);
	if (w->call == NULL)
		return;
	if (!worker_tell(w, WORKER_END, 0, &answer) || is_err(domain_wait(w->domain, &status, &cause)))
		printf("capbench: the worker on core %u did not end properly\n", w->core);
	ipc_close(w->call);
}
