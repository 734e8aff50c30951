/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>

#include "tests/programs/agreement/peer.h"

#define PATIENCE 5 /* seconds */

struct peer peers[PEERS_MAX];
unsigned peer_count, remote_count;

/* ---- The test's side ---- */

struct answer peer_ask(const struct peer *p, enum command command, uint64_t word0, uint64_t word1, uint64_t word2)
{
	struct ipc_message m = {.label = (uint16_t)command, .word = {word0, word1, word2, 0}};
	err_t e = ipc_call(p->c, &m, &m);

	return (struct answer){is_err(e) ? e : (err_t){(uint32_t)m.word[0]}, {m.word[1], m.word[2], m.word[3]}};
}

err_t peer_do(const struct peer *p, enum command command, uint64_t word0, uint64_t word1, uint64_t word2)
{
	return peer_ask(p, command, word0, word1, word2).error;
}

cap_t peer_slot(struct peer *p)
{
	return CAP(p->first.value >> 8, (p->first.value & 0xff) + p->taken++ % PEER_SLOTS);
}

static bool start(struct peer *p, const char *kind, unsigned core, unsigned number)
{
	char service[SERVICE_NAME_BYTES];
	const char *const argv[] = {PROGRAM, kind, service, NULL};
	struct answer a;

	snprintf(service, sizeof(service), "agreement-%u", number);
	*p = (struct peer){.core = core};
	if (is_err(domain_spawn(argv, NULL, core, 0, &p->domain)) || is_err(ipc_bind(service, false, &p->c)))
		return false;
	a = peer_ask(p, PEER_HELLO, 0, 0, 0);
	p->first = (cap_t){(uint16_t)a.word[0]};
	return is_ok(a.error);
}

bool peer_start(struct peer *p, unsigned core, unsigned number)
{
	return start(p, "peer", core, number);
}

bool collector_start(struct peer *p, unsigned core, unsigned number)
{
	return start(p, "collector", core, number);
}

bool peer_end(struct peer *p)
{
	int64_t status;
	enum end_cause cause;

	(void)!is_ok(peer_do(p, PEER_END, 0, 0, 0));
	ipc_close(p->c);
	return is_ok(domain_wait(p->domain, &status, &cause)) && cause == END_EXIT && status == 0;
}

/* ---- The peer's side ---- */

static bool ended;
static unsigned char *mapped;

static cap_t slot_of(uint64_t word)
{
	return (cap_t){(uint16_t)word};
}

static err_t take(struct ipc_connection *c, cap_t to, uint32_t tag)
{
	cap_t got;
	err_t e = ipc_take(c, tag, time_tsc() + PATIENCE * time_tsc_hz(), &got);

	if (is_err(e))
		return e;
	e = cap_move(got, to);
	if (is_err(e))
		(void)!is_ok(cap_delete(got));
	cap_slot_free(got);
	return e;
}

static err_t use(struct ipc_connection *c, uint32_t tag, uint64_t word, uint64_t *answer)
{
	struct ipc_message m = {.label = PEER_ECHO, .word = {word}};
	struct ipc_connection *server;
	err_t e = ipc_take_connection(c, tag, time_tsc() + PATIENCE * time_tsc_hz(), &server);

	if (is_err(e))
		return e;
	e = ipc_call(server, &m, &m);
	*answer = m.word[1];
	ipc_close(server);
	return e;
}

static err_t identify(cap_t cap, uint64_t out[3])
{
	struct cap_identity id;
	err_t e = cap_identify(cap, &id);

	if (is_err(e))
		return e;
	out[0] = (uint64_t)id.type | (uint64_t)id.rights << 8 | (uint64_t)id.flags << 16 | (uint64_t)id.owner << 32;
	out[1] = id.base;
	out[2] = id.size;
	return id.type == CAP_Null ? ERR(CAP_EMPTY) : OK;
}

static err_t map(cap_t frame, rights_t rights)
{
	void *at;
	err_t e = frame_map(frame, 0, 0, rights, &at);

	if (is_ok(e))
		mapped = at;
	return e;
}

static err_t unmap(void)
{
	unsigned char *was = mapped;

	mapped = NULL;
	return was == NULL ? ERR(NOT_MAPPED) : frame_unmap(was);
}

static err_t eat(uint64_t bytes, uint64_t *sum)
{
	void *at;
	err_t e = memory_map(bytes, READ_WRITE, PLACE_TOUCH, &at);

	for (uint64_t i = 0; is_ok(e) && i < bytes; i += PAGE_BYTES) {
		*sum += ((volatile unsigned char *)at)[i];
		((volatile unsigned char *)at)[i] = 1;
	}
	return is_ok(e) ? memory_unmap(at, bytes) : e;
}

static err_t on_memory(const struct ipc_message *m, uint64_t *out)
{
	volatile uint64_t *word = (volatile uint64_t *)(mapped + m->word[0]);

	if (mapped == NULL)
		return ERR(NOT_MAPPED);
	if (m->label == PEER_WRITE)
		*word = m->word[1];
	*out = *word;
	return OK;
}

static err_t on_capability(const struct ipc_message *m, uint64_t out[3])
{
	const cap_t cap = slot_of(m->word[0]);
	err_t e;

	switch ((enum command)m->label) {
	case PEER_IDENTIFY:
		return identify(cap, out);
	case PEER_RETYPE:
		return cap_retype(cap, (enum cap_type)(m->word[0] >> 32), m->word[1], m->word[2], 1, slot_of(m->word[0] >> 16));
	case PEER_COPY:
		return cap_copy(cap, slot_of(m->word[1]));
	case PEER_SHIFT:
		return cap_move(cap, slot_of(m->word[1]));
	case PEER_DELETE:
		return cap_delete(cap);
	case PEER_REVOKE:
		e = cap_revoke(cap);
		out[0] = cap_last_messages();
		return e;
	case PEER_RING:
		return invoke(cap, OP_Doorbell_ring, 0, 0, 0, 0, 0).error;
	default:
		return ERR(ARGUMENT);
	}
}

static struct {
	uint64_t count, connections;
	uint32_t last;
} collected;

static void collect(void *context, struct ipc_connection *c, uint32_t tag, cap_t cap, struct ipc_connection *connection)
{
	struct ipc_message m = {.label = PEER_ECHO, .word = {tag}};

	(void)context, (void)c;
	collected.count++;
	collected.last = tag;
	if (connection == NULL) {
		if (is_ok(cap_delete(cap)))
			cap_slot_free(cap);
		return;
	}
	if (is_ok(ipc_call(connection, &m, &m)) && m.word[1] == tag + 1)
		collected.connections++;
	ipc_close(connection);
}

static void greet(void *context, struct ipc_connection *c)
{
	cap_t frame;

	(void)context;
	if (is_ok(cap_slot_alloc(&frame)) && is_ok(memory_object(CAP_Frame, PAGE_BYTES, PAGE_BYTES, frame, NULL)))
		(void)!is_ok(ipc_give(c, frame, RIGHTS(RIGHT_READ), 1));
}

static err_t obey(struct ipc_connection *c, const struct ipc_message *m, uint64_t out[3])
{
	cap_t first;
	err_t e;

	switch ((enum command)m->label) {
	case PEER_HELLO:
		e = cap_slots_alloc(PEER_SLOTS, &first);
		out[0] = first.value;
		return e;
	case PEER_ECHO:
		out[0] = m->word[0] + 1;
		return OK;
	case PEER_TAKE:
		return take(c, slot_of(m->word[0]), (uint32_t)m->word[1]);
	case PEER_GIVE:
		return ipc_give(c, slot_of(m->word[0]), RIGHTS((unsigned)m->word[1]), (uint32_t)m->word[2]);
	case PEER_MOVE:
		return ipc_move(c, slot_of(m->word[0]), RIGHTS((unsigned)m->word[1]), (uint32_t)m->word[2]);
	case PEER_MAP:
		return map(slot_of(m->word[0]), RIGHTS((unsigned)m->word[1]));
	case PEER_UNMAP:
		return unmap();
	case PEER_READ:
	case PEER_WRITE:
		return on_memory(m, &out[0]);
	case PEER_EAT:
		return eat(m->word[0], &out[0]);
	case PEER_USE:
		return use(c, (uint32_t)m->word[0], m->word[1], &out[0]);
	case PEER_COLLECTED:
		out[0] = collected.count;
		out[1] = collected.last;
		out[2] = collected.connections;
		return OK;
	case PEER_END:
		ended = true;
		return OK;
	default:
		return on_capability(m, out);
	}
}

static void serve(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context;
	reply->word[0] = obey(c, request, &reply->word[1]).number;
}

int peer_main(const char *service, bool collects)
{
	const struct ipc_server server = {
	    .call = serve,
	    .opened = collects ? greet : NULL,
	    .given = collects ? collect : NULL,
	};
	struct ipc_service *offered;

	if (is_err(ipc_offer(service, &server, &offered)))
		return EXIT_FAILURE;
	while (!ended)
		ipc_serve_once(0);
	return EXIT_SUCCESS;
}
