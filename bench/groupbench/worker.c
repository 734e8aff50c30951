/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/sample.h"
#include "bench/common/started.h"
#include "bench/groupbench/group.h"
#include "libos/span/tree.h"

void group_service(char name[SERVICE_NAME_BYTES], unsigned core)
{
	snprintf(name, SERVICE_NAME_BYTES, "groupbench.%u", core);
}

/* ---- A round ---- */

static unsigned split(uint64_t workers, bool tree, struct tree_part part[WORKERS_MAX])
{
	unsigned count = 0;

	if (tree)
		return tree_split(workers, part);
	for (; workers != 0; workers &= workers - 1)
		part[count++] = (struct tree_part){.child = (unsigned)__builtin_ctzll(workers)};
	return count;
}

static err_t take_answer(struct ipc_connection *stream, enum group_label expected, struct group_answer *sum)
{
	struct group_answer own;
	uint16_t label;
	size_t bytes = 0;
	err_t e = ipc_receive(stream, &label, &own, sizeof(own), &bytes);

	if (is_ok(e) && (label != expected || bytes != sizeof(own)))
		e = ERR(FORMAT);
	if (is_ok(e)) {
		sum->sum += own.sum;
		sum->arrival = own.arrival > sum->arrival ? own.arrival : sum->arrival;
	}
	return e;
}

err_t group_round(struct ipc_connection *const stream[], uint64_t workers, bool tree, uint64_t value, struct group_answer *answer)
{
	struct tree_part part[WORKERS_MAX];
	const unsigned count = split(workers, tree, part);
	err_t e = OK;

	for (unsigned i = 0; i < count && is_ok(e); i++) {
		const struct group_word word = {value, part[i].below};

		e = ipc_send(stream[part[i].child], tree ? group_tree : group_flat, &word, sizeof(word));
	}
	for (unsigned i = 0; i < count && is_ok(e); i++)
		e = take_answer(stream[part[i].child], tree ? group_tree_answer : group_flat_answer, answer);
	return e;
}

/* ---- The worker ---- */

static struct group_cores where;
static struct ipc_connection *stream_to[WORKERS_MAX + 1]; /* of those that this worker ever sent on to */
static bool ended;

static err_t bind_to(unsigned number)
{
	char service[SERVICE_NAME_BYTES];

	if (stream_to[number] != NULL)
		return OK;
	group_service(service, where.core[number]);
	return ipc_bind_with(service, &(struct ipc_binding){.stream = true, .deadline_tsc = started_deadline()}, &stream_to[number]);
}

static err_t bind_to_children(uint64_t below)
{
	struct tree_part part[TREE_CHILDREN];
	const unsigned children = tree_split(below, part);
	err_t e = OK;

	for (unsigned i = 0; i < children && is_ok(e); i++)
		e = bind_to(part[i].child);
	return e;
}

/* What one tree needs is not looked at by the next one. */
static void part(void)
{
	for (unsigned i = 0; i <= WORKERS_MAX; i++) {
		if (stream_to[i] != NULL)
			ipc_close(stream_to[i]);
		stream_to[i] = NULL;
	}
}

static err_t answer_word(struct ipc_connection *c, enum group_label label, const struct group_word *word, uint64_t arrival)
{
	struct group_answer answer = {word->value, arrival};
	err_t e = bind_to_children(word->below);

	if (is_ok(e))
		e = group_round(stream_to, word->below, true, word->value, &answer);
	return is_err(e) ? e : ipc_send(c, label, &answer, sizeof(answer));
}

static void handle_message(void *context, struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	const uint64_t arrival = sample_now();
	struct group_word word;
	err_t e = OK;

	(void)context;
	if (label == group_cores && bytes == sizeof(where)) {
		memcpy(&where, data, sizeof(where));
		e = ipc_send(c, label, NULL, 0);
	} else if ((label == group_tree || label == group_flat) && bytes == sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		e = answer_word(c, label == group_tree ? group_tree_answer : group_flat_answer, &word, arrival);
	} else if (label == group_part) {
		part();
		e = ipc_send(c, label, NULL, 0);
	} else {
		ended = true;
	}
	if (is_err(e)) {
		printf("groupbench: a worker gives up: %s\n", err_sentence(e));
		ended = true;
	}
}

int group_worker_main(unsigned core)
{
	const struct ipc_server server = {.message = handle_message};
	struct ipc_service *offered;
	char service[SERVICE_NAME_BYTES];
	err_t e;

	group_service(service, core);
	ipc_set_polling(0);
	e = ipc_offer(service, &server, &offered);
	if (is_err(e)) {
		printf("groupbench: %s can't be offered: %s\n", service, err_sentence(e));
		return EXIT_FAILURE;
	}
	while (!ended)
		ipc_serve_once(0);
	part();
	return EXIT_SUCCESS;
}
