/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Domains that move from core to core while others talk to them: `roam` has the checks, `roam balance` the one of the
 * balancer, `roam serve NAME` is a domain that moves. It counts
 * what it is told, so that a message that is lost or comes twice is seen; two threads of its own compute meanwhile, one of them with memory
 * that it maps and gives back, and one sleeps and wakes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "tests/programs/check.h"

#define PROGRAM "roam"
#define TEXT    64
#define MOVES   10
#define CALLS   40 /* between two moves, at least */
#define WORDS   4096

enum { LABEL_ADD = 1, LABEL_SUM, LABEL_MOVE, LABEL_SHARE, LABEL_END };

static uint64_t after_us(uint64_t us)
{
	return time_tsc() + us * (time_tsc_hz() / 1000000);
}

/* ---- The domain that moves ---- */

static uint64_t sum, count, turns[3];
static bool ended, wrong;

static void compute(void *argument)
{
	uint64_t *word = malloc(WORDS * sizeof(*word));

	(void)argument;
	for (uint64_t round = 0; !ended && word != NULL; round++) {
		for (unsigned i = 0; i < WORDS; i++)
			word[i] = round * i;
		for (unsigned i = 0; i < WORDS; i++)
			wrong |= word[i] != round * i;
		turns[0]++;
		thread_yield();
	}
	free(word);
}

static void map(void *argument)
{
	(void)argument;
	while (!ended) {
		const size_t bytes = 5 * PAGE_BYTES;
		uint64_t *at;

		if (is_err(memory_map(bytes, READ_WRITE, PLACE_TOUCH, (void **)&at))) {
			wrong = true;
			return;
		}
		for (size_t i = 0; i < bytes / 8; i += 64) {
			wrong |= at[i] != 0;
			at[i] = i;
		}
		thread_yield();
		for (size_t i = 0; i < bytes / 8; i += 64)
			wrong |= at[i] != i;
		wrong |= is_err(memory_unmap(at, bytes));
		turns[1]++;
	}
}

static void nap(void *argument)
{
	(void)argument;
	while (!ended) {
		thread_sleep_until(after_us(500));
		turns[2]++;
	}
}

static err_t share(struct ipc_connection *c)
{
	void *page;
	cap_t frame;
	err_t e = frame_create(PAGE_BYTES, READ_WRITE, &frame, &page, NULL);

	return is_ok(e) ? ipc_give(c, frame, RIGHTS(RIGHT_READ), 7) : e;
}

static void handle_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context;
	*reply = (struct ipc_message){.label = request->label};
	switch (request->label) {
	case LABEL_ADD:
		wrong |= request->word[0] != count;
		count++;
		sum += request->word[1];
		break;
	case LABEL_MOVE:
		reply->word[3] = domain_move(domain_self()->domain, (unsigned)request->word[0]).number;
		break;
	case LABEL_SHARE:
		reply->word[3] = share(c).number;
		break;
	case LABEL_END:
		ended = true;
		break;
	default:
		break;
	}
	reply->word[0] = sum;
	reply->word[1] = domain_core();
	reply->word[2] = wrong;
}

static void handle_message(void *context, struct ipc_connection *c, uint16_t label, const void *data, size_t bytes)
{
	(void)context, (void)c;
	if (label != LABEL_ADD || bytes != TEXT || memcmp(data, &count, sizeof(count)) != 0)
		wrong = true;
	count++;
	sum += count;
}

static int serve(const char *name, bool has_door)
{
	const struct ipc_server server = {.call = handle_call, .message = handle_message};
	static void (*const work[])(void *) = {compute, map, nap};
	struct ipc_service *service;
	struct thread *thread[3];

	for (unsigned i = 0; i < 3; i++)
		if (is_err(thread_create(work[i], NULL, 0, &thread[i])))
			return EXIT_FAILURE;
	if (is_err(ipc_offer(name, &server, &service)) || (has_door && is_err(ipc_offer_door(2))))
		return EXIT_FAILURE;
	while (!ended)
		ipc_serve_once(has_door ? after_us(1000) : 0);
	for (unsigned i = 0; i < 3; i++)
		if (is_err(thread_join(thread[i])) || turns[i] == 0)
			return EXIT_FAILURE;
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Computes until it is ended. */
static _Noreturn void busy(void)
{
	for (volatile uint64_t i = 0;; i++)
		;
}

/* ---- Its peer ---- */

static struct core_info cores[MACHINE_CORES];
static unsigned core_count;

static err_t start_as(const char *what, const char *name, unsigned core, uint64_t memory, uint32_t *domain)
{
	const char *const argv[] = {PROGRAM, what, name, NULL};

	return domain_spawn(argv, NULL, core, memory, domain);
}

static err_t start(const char *name, unsigned core, uint64_t memory, uint32_t *domain)
{
	return start_as("serve", name, core, memory, domain);
}

static err_t ask(struct ipc_connection *c, uint16_t label, uint64_t word0, uint64_t word1, struct ipc_message *reply)
{
	const struct ipc_message request = {.label = label, .word = {word0, word1}};

	return ipc_call(c, &request, reply);
}

/* Ends it and says how. */
static const char *finish(struct ipc_connection *c, uint32_t domain)
{
	struct ipc_message reply;
	enum end_cause cause;
	int64_t status;

	CHECK(is_ok(ask(c, LABEL_END, 0, 0, &reply)));
	ipc_close(c);
	CHECK(is_ok(domain_wait(domain, &status, &cause)));
	CHECK(cause == END_EXIT && status == EXIT_SUCCESS);
	return NULL;
}

struct caller {
	struct ipc_connection *c;
	uint64_t calls, sum;
	bool stop, failed;
};

static void call_on(void *argument)
{
	struct caller *a = argument;

	while (!a->stop && !a->failed) {
		struct ipc_message reply;
		uint64_t value = a->calls * 3 + 1;

		a->failed = is_err(ask(a->c, LABEL_ADD, a->calls, value, &reply));
		a->calls++;
		a->sum += value;
		a->failed |= reply.word[0] != a->sum || reply.word[2] != 0;
	}
}

/* Calls go on while it moves; each is counted once. */
static const char *check_calls(void)
{
	struct caller a = {.stop = false};
	struct ipc_message reply;
	struct thread *thread;
	uint32_t domain;

	CHECK(is_ok(start("roam.calls", 1, 0, &domain)));
	CHECK(is_ok(ipc_bind("roam.calls", false, &a.c)));
	CHECK(is_ok(thread_create(call_on, &a, 0, &thread)));
	for (unsigned i = 0; i < MOVES; i++) {
		unsigned core = (2 + i) % core_count;
		uint64_t before = a.calls;
		err_t e = domain_move(domain, core);

		if (is_err(e))
			printf("move %u to core %u: %s\n", i, core, err_sentence(e));
		CHECK(is_ok(e));
		while (!a.failed && a.calls < before + CALLS)
			thread_sleep_until(after_us(200));
		CHECK(!a.failed);
	}
	a.stop = true;
	CHECK(is_ok(thread_join(thread)));
	CHECK(is_ok(ask(a.c, LABEL_SUM, 0, 0, &reply)));
	CHECK(reply.word[0] == a.sum && reply.word[1] == (2 + MOVES - 1) % core_count);
	printf("%llu calls to a domain that moved %u times\n", (unsigned long long)a.calls, MOVES);
	return finish(a.c, domain);
}

/* They begin on one core, as caller and endpoint; the domain leaves, comes back, and the other one moves too. */
static const char *check_widening(const char *what)
{
	struct caller a = {.stop = false};
	struct ipc_message reply;
	struct thread *thread;
	uint32_t domain;

	CHECK(is_ok(start_as(what, "roam.endpoint", 0, 0, &domain)));
	CHECK(is_ok(ipc_bind("roam.endpoint", false, &a.c)));
	CHECK(ipc_is_local(a.c));
	CHECK(is_ok(thread_create(call_on, &a, 0, &thread)));
	for (unsigned i = 0; i < 4; i++) {
		uint64_t before = a.calls;

		CHECK(is_ok(domain_move(domain, (1 + i) % 2)));
		while (!a.failed && a.calls < before + CALLS)
			thread_sleep_until(after_us(200));
		CHECK(!a.failed && !ipc_is_local(a.c));
	}
	a.stop = true;
	CHECK(is_ok(thread_join(thread)));
	CHECK(is_ok(ask(a.c, LABEL_SUM, 0, 0, &reply)) && reply.word[0] == a.sum && reply.word[2] == 0);
	CHECK(reply.word[1] == 0);
	return finish(a.c, domain);
}

static const char *check_endpoint(void)
{
	return check_widening("serve");
}

static const char *check_door(void)
{
	return check_widening("door");
}

/* Who has the bare endpoint keeps both where they are. */
static const char *check_bare(void)
{
	struct ipc_connection *c;
	uint32_t domain;

	CHECK(is_ok(start("roam.bare", 0, 0, &domain)));
	CHECK(is_ok(ipc_bind("roam.bare", false, &c)));
	CHECK(ipc_endpoint(c).value != CAP_NULL.value);
	CHECK(err_is(domain_move(domain, 1), ERR_NUMBER_STAYS));
	CHECK(ipc_is_local(c));
	return finish(c, domain);
}

/* Messages that nobody answers: each arrives once, in order. */
static const char *check_stream(void)
{
	struct ipc_connection *c;
	struct ipc_message reply;
	char text[TEXT] = "";
	uint64_t sent = 0;
	uint32_t domain;

	CHECK(is_ok(start("roam.stream", 1, 0, &domain)));
	CHECK(is_ok(ipc_bind("roam.stream", true, &c)));
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned k = 0; k < 150; k++, sent++) {
			memcpy(text, &sent, sizeof(sent));
			CHECK(is_ok(ipc_send(c, LABEL_ADD, text, sizeof(text))));
		}
		CHECK(is_ok(domain_move(domain, (2 + i) % core_count)));
	}
	ipc_close(c);
	CHECK(is_ok(ipc_bind("roam.stream", false, &c)));
	CHECK(is_ok(ask(c, LABEL_SUM, 0, 0, &reply)));
	CHECK(reply.word[0] == sent * (sent + 1) / 2 && reply.word[2] == 0);
	return finish(c, domain);
}

/* It asks for the move itself, and answers from there. */
static const char *check_self(void)
{
	struct ipc_connection *c;
	struct ipc_message reply;
	uint32_t domain;

	CHECK(is_ok(start("roam.self", 1, 0, &domain)));
	CHECK(is_ok(ipc_bind("roam.self", false, &c)));
	for (unsigned i = 0; i < 4; i++) {
		CHECK(is_ok(ask(c, LABEL_MOVE, (2 + i) % core_count, 0, &reply)));
		CHECK(reply.word[3] == ERR_NUMBER_OK && reply.word[1] == (2 + i) % core_count);
	}
	CHECK(is_ok(ask(c, LABEL_MOVE, reply.word[1], 0, &reply)));
	CHECK(reply.word[3] == ERR_NUMBER_EXISTS);
	return finish(c, domain);
}

static const char *check_refused(void)
{
	struct ipc_connection *c;
	struct ipc_message reply;
	uint32_t domain, console;

	CHECK(is_ok(start("roam.refused", 1, 0, &domain)));
	CHECK(is_ok(ipc_bind("roam.refused", false, &c)));
	CHECK(err_is(domain_move(domain, 1), ERR_NUMBER_EXISTS));
	CHECK(err_is(domain_move(domain, 10000), ERR_NUMBER_CORE_UNKNOWN));
	CHECK(err_is(domain_move(domain + 1000, 1), ERR_NUMBER_NOT_FOUND));
	CHECK(is_ok(ipc_find("console", &(struct ipc_binding){.now = true}, &console)));
	CHECK(err_is(domain_move(console, 1), ERR_NUMBER_PERMISSION));
	CHECK(is_ok(ask(c, LABEL_SHARE, 0, 0, &reply)) && reply.word[3] == ERR_NUMBER_OK);
	CHECK(err_is(domain_move(domain, 2 % core_count), ERR_NUMBER_STAYS));
	CHECK(is_ok(ask(c, LABEL_SUM, 0, 0, &reply)) && reply.word[1] == 1);
	return finish(c, domain);
}

/* All that core 1 still has. */
static const char *check_full(void)
{
	const uint64_t most = UINT64_C(1) << 30;
	struct ipc_connection *c;
	struct ipc_message reply;
	uint32_t domain, filler = 0, fillers[32];
	unsigned many = 0;
	enum end_cause cause;
	int64_t status;

	CHECK(is_ok(start("roam.full", 0, 24 * MIB, &domain)));
	CHECK(is_ok(ipc_bind("roam.full", true, &c)));
	for (uint64_t bytes = most; bytes >= 16 * MIB && many < 32;) {
		if (is_ok(domain_spawn((const char *const[]){PROGRAM, "idle", NULL}, NULL, 1, bytes, &filler)))
			fillers[many++] = filler;
		else
			bytes /= 2;
	}
	CHECK(many > 0);
	CHECK(err_is(domain_move(domain, 1), ERR_NUMBER_NO_MEMORY));
	while (many > 0) {
		CHECK(is_ok(domain_kill(fillers[--many])));
		CHECK(is_ok(domain_wait(fillers[many], &status, &cause)) && cause == END_KILLED);
	}
	CHECK(is_ok(domain_move(domain, 1)));
	ipc_close(c);
	CHECK(is_ok(ipc_bind("roam.full", false, &c)));
	CHECK(is_ok(ask(c, LABEL_SUM, 0, 0, &reply)) && reply.word[1] == 1 && reply.word[2] == 0);
	return finish(c, domain);
}

struct mover {
	uint32_t domain;
	unsigned core;
};

static void move_it(void *argument)
{
	const struct mover *m = argument;

	(void)!is_ok(domain_move(m->domain, m->core));
}

/* A kill at any moment of the move ends the domain, wherever it is, and who waits for it hears of it. */
static const char *check_kill(void)
{
	for (unsigned i = 0; i < 12; i++) {
		struct mover m = {.core = 2 % core_count};
		struct ipc_connection *c;
		struct thread *thread;
		enum end_cause cause;
		int64_t status;

		CHECK(is_ok(start("roam.kill", 1, 0, &m.domain)));
		CHECK(is_ok(ipc_bind("roam.kill", false, &c)));
		CHECK(is_ok(thread_create(move_it, &m, 0, &thread)));
		thread_sleep_until(after_us(i * 300));
		CHECK(is_ok(domain_kill(m.domain)));
		CHECK(is_ok(domain_wait(m.domain, &status, &cause)) && cause == END_KILLED);
		CHECK(is_ok(thread_join(thread)));
		ipc_close(c);
	}
	return NULL;
}

/* ---- The balancer ---- */

#define BUSY 4

static unsigned busy_on(unsigned core)
{
	static struct domain_info list[64];
	unsigned domains, found = 0;

	if (is_err(domain_list(core, list, 64, &domains)))
		return 0;
	for (unsigned i = 0; i < domains; i++)
		found += strcmp(list[i].name, PROGRAM) == 0;
	return found;
}

static err_t start_busy(bool pinned, uint32_t *domain)
{
	const char *const argv[] = {PROGRAM, "busy", NULL};

	return domain_spawn_with(&(struct domain_options){.arguments = argv, .where = DOMAIN_ON_CORE, .core = 1, .pinned = pinned}, domain);
}

/* On two cores: all four begin on core 1, where one of them has to stay; this program is on core 0. */
static const char *check_balance(void)
{
	const char *const argv[] = {"balancer", NULL};
	uint32_t domain[BUSY], balancer;
	enum end_cause cause;
	int64_t status;

	CHECK(core_count == 2);
	for (unsigned i = 0; i < BUSY; i++)
		CHECK(is_ok(start_busy(i == 0, &domain[i])));
	CHECK(busy_on(1) == BUSY);
	CHECK(is_ok(domain_spawn(argv, NULL, 0, 0, &balancer)));
	for (uint64_t end = after_us(40000000); busy_on(1) > BUSY / 2 && time_tsc() < end;)
		thread_sleep_until(after_us(100000));
	CHECK(busy_on(1) == BUSY / 2);
	thread_sleep_until(after_us(1500000));
	CHECK(busy_on(1) == BUSY / 2);
	CHECK(err_is(domain_move(domain[0], 0), ERR_NUMBER_STAYS));
	CHECK(is_ok(domain_kill(balancer)) && is_ok(domain_wait(balancer, &status, &cause)));
	for (unsigned i = 0; i < BUSY; i++) {
		CHECK(is_ok(domain_kill(domain[i])));
		CHECK(is_ok(domain_wait(domain[i], &status, &cause)) && cause == END_KILLED);
	}
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"calls", check_calls}, {"stream", check_stream},     {"self", check_self}, {"refused", check_refused}, {"full", check_full},
    {"kill", check_kill},   {"endpoint", check_endpoint}, {"bare", check_bare}, {"door", check_door},       {"balance", check_balance},
};

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 3 && (strcmp(argv[1], "serve") == 0 || strcmp(argv[1], "door") == 0))
		return serve(argv[2], argv[1][0] == 'd');
	if (argc == 2 && strcmp(argv[1], "idle") == 0)
		thread_sleep_until(UINT64_MAX - 1);
	if (argc == 2 && strcmp(argv[1], "busy") == 0)
		busy();
	if (is_err(core_list(cores, MACHINE_CORES, &core_count)))
		return EXIT_FAILURE;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *why;

		if ((argc == 2) != (checks[i].run == check_balance))
			continue;
		why = checks[i].run();
		if (why != NULL)
			printf("%s failed: %s\n", checks[i].name, why);
		printf("@test {\"name\":\"roam.%s\",\"ok\":%s}\n", checks[i].name, why == NULL ? "true" : "false");
		failed += why != NULL;
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
