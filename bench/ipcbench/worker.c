/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "bench/ipcbench/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "bench/common/started.h"
#include "bench/ipcbench/pair.h"

#define PROGRAM "ipcbench"

static void service_name(char name[SERVICE_NAME_BYTES], unsigned core, unsigned number)
{
	snprintf(name, SERVICE_NAME_BYTES, "bench.%u.%u", core, number);
}

static bool ended;

static void handle_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	const struct lens *lens = context;
	char peer[SERVICE_NAME_BYTES];

	(void)c;
	*reply = *request;
	switch (request->label) {
	case WORKER_ECHO:
		break;
	case WORKER_MEASURE:
		service_name(peer, (unsigned)request->word[0], 0);
		reply->word[0] =
		    pair_measure(lens, peer, (unsigned)request->word[0], request->word[1] != 0) ? ERR_NUMBER_OK : ERR_NUMBER_STATE;
		break;
	case WORKER_POLLING:
		ipc_set_polling((uint32_t)request->word[0]);
		break;
	case WORKER_END:
		ended = true;
		break;
	}
}

static void handle_message(void *context, struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	uint64_t word;

	(void)context;
	if (bytes != sizeof(word))
		return;
	memcpy(&word, data, sizeof(word));
	pair_answer(c, label, &word);
}

int worker_main(const struct lens *lens, const char *service)
{
	struct lens own = *lens;
	const struct ipc_server server = {.call = handle_call, .message = handle_message, .context = &own};
	struct ipc_service *offered;
	err_t e = ipc_offer(service, &server, &offered);

	if (is_err(e)) {
		printf("ipcbench: %s can't be offered: %s\n", service, err_sentence(e));
		return EXIT_FAILURE;
	}
	while (!ended)
		ipc_serve_once(0);
	return EXIT_SUCCESS;
}

bool worker_start(struct worker *w, unsigned core, unsigned number)
{
	char service[SERVICE_NAME_BYTES], setting[32];
	const char *const arguments[] = {PROGRAM, "--worker", service, NULL};
	const char *const environment[] = {setting, NULL};
	const char *lens = getenv("LENS");
	err_t e;

	service_name(service, core, number);
	snprintf(setting, sizeof(setting), "LENS=%s", lens != NULL ? lens : "elapsed");
	*w = (struct worker){.core = core};
	e = domain_spawn(arguments, environment, core, 0, &w->domain);
	if (is_ok(e))
		e = started(w->domain, core, service);
	if (is_ok(e))
		e = ipc_bind(service, false, &w->connection);
	if (is_err(e))
		printf("ipcbench: no worker on core %u: %s\n", core, err_sentence(e));
	return is_ok(e);
}

void worker_end(struct worker *w)
{
	struct ipc_message message = {.label = WORKER_END};
	int64_t status;
	enum end_cause cause;

	if (w->connection == NULL)
		return;
	if (is_err(ipc_call(w->connection, &message, &message)) || is_err(domain_wait(w->domain, &status, &cause)))
		printf("ipcbench: the worker on core %u did not end properly\n", w->core);
	ipc_close(w->connection);
	w->connection = NULL;
}
