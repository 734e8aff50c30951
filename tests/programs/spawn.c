/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Programs that are started with wishes: where, with how much, with which capabilities. `spawn` has the checks and starts itself as
 * `spawn child WHAT ARGUMENTS`, whose status says how it went. `spawn beside PROGRAM ARGUMENTS` runs another program while core 1 has no
 * memory to start anything with. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/span.h>
#include <atoll/thread.h>

#include "tests/programs/check.h"

#define PROGRAM     "spawn"
#define TAG_FIRST   7
#define TAG_SERVICE 1000
#define PATIENCE_S  60
#define FEW         4
#define MEBIBYTE    (UINT64_C(1) << 20)

static struct core_info cores[MACHINE_CORES];
static unsigned core_count;
static char why[128];

static uint64_t patience(void)
{
	return time_tsc() + PATIENCE_S * time_tsc_hz();
}

/* ---- The children ---- */

static int child_where(const char *core, const char *node)
{
	return domain_core() == strtoul(core, NULL, 0) && domain_self()->node == strtoul(node, NULL, 0) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Its members, when main runs, are on exactly these cores. */
static int child_spans(const char *set)
{
	struct span_place places[SPAN_MAX];
	unsigned count = span_members(places, SPAN_MAX);
	uint64_t found = 0;

	for (unsigned i = 0; i < count; i++)
		found |= UINT64_C(1) << places[i].core;
	return found == strtoull(set, NULL, 0) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Each frame has its tag's number in it; there is no other one. */
static int child_takes(unsigned frames)
{
	cap_t cap;
	void *at;

	for (unsigned i = frames; i-- > 0;) {
		if (is_err(domain_take(TAG_FIRST + i, patience(), &cap)) || is_err(frame_map(cap, 0, PAGE_BYTES, RIGHTS(RIGHT_READ), &at)))
			return EXIT_FAILURE;
		if (*(uint32_t *)at != TAG_FIRST + i || is_err(frame_unmap(at)) || is_err(cap_delete(cap)))
			return EXIT_FAILURE;
		cap_slot_free(cap);
	}
	return err_is(domain_take(TAG_FIRST, patience(), &cap), ERR_NUMBER_NOT_FOUND) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What this domain has, as its monitor says; 0: it says nothing. */
static uint64_t own_bytes(void)
{
	struct domain_info list[64];
	unsigned count;

	if (is_err(domain_list(CORE_HERE, list, 64, &count)))
		return 0;
	for (unsigned i = 0; i < count; i++)
		if (list[i].domain == domain_self()->domain)
			return list[i].ram_bytes;
	return 0;
}

/* Takes memory until there is no more: an error, never worse; it has at most `quota` bytes then, and nearly as much. */
static int child_eats(uint64_t quota)
{
	uint64_t has;

	for (uint64_t eaten = 0; eaten < 2 * quota; eaten += 256 * KIB) {
		void *at;

		if (is_err(memory_map(256 * KIB, READ_WRITE, PLACE_NOW, &at)))
			break;
		memset(at, 1, 256 * KIB);
	}
	has = own_bytes();
	return has <= quota && has > quota / 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Asks the monitor itself for the last bytes of a quota that is no multiple of a page, and then for as much again. */
static int child_overdraws(uint64_t quota)
{
	const unsigned slot = CNODE_SLOTS / 2;

	(void)monitor_request(REQUEST_memory, 0, quota - own_bytes() - PAGE_BYTES, slot, 0);
	(void)monitor_request(REQUEST_memory, 0, quota, slot + 1, 0);
	return own_bytes() <= quota ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int child(int words, char **word)
{
	const char *what = word[0];

	if (strcmp(what, "where") == 0 && words == 3)
		return child_where(word[1], word[2]);
	if (strcmp(what, "spans") == 0 && words == 2)
		return child_spans(word[1]);
	if (strcmp(what, "takes") == 0 && words == 2)
		return child_takes((unsigned)strtoul(word[1], NULL, 0));
	if (strcmp(what, "eats") == 0 && words == 2)
		return child_eats(strtoull(word[1], NULL, 0));
	if (strcmp(what, "overdraws") == 0 && words == 2)
		return child_overdraws(strtoull(word[1], NULL, 0));
	if (strcmp(what, "colour") == 0)
		return getenv("COLOUR") != NULL && strcmp(getenv("COLOUR"), "coral") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (strcmp(what, "sleeps") == 0)
		thread_sleep_until(time_tsc() + 100 * time_tsc_hz());
	return EXIT_FAILURE;
}

/* ---- Starting them ---- */

static err_t begin(struct domain_options *o, const char *what, const char *first, const char *second, uint32_t *domain)
{
	const char *const argv[] = {PROGRAM, "child", what, first, second, NULL};

	o->arguments = argv;
	o->why = why;
	o->why_bytes = sizeof why;
	return domain_spawn_with(o, domain);
}

/* Whether the child was content. */
static bool run(struct domain_options *o, const char *what, const char *first, const char *second)
{
	enum end_cause cause = END_FAULT;
	int64_t status = EXIT_FAILURE;
	uint32_t domain;
	err_t e = begin(o, what, first, second, &domain);

	if (is_err(e)) {
		printf("%s: %s (%s)\n", what, err_sentence(e), why);
		return false;
	}
	return is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0 && why[0] == '\0';
}

static const char *in_decimal(uint64_t value)
{
	static char text[4][24];
	static unsigned next;
	char *at = text[next++ % 4];

	snprintf(at, sizeof text[0], "%llu", (unsigned long long)value);
	return at;
}

/* ---- Checks ---- */

static const char *check_place(void)
{
	for (unsigned i = 0; i < core_count; i++) {
		struct domain_options o = {.where = DOMAIN_ON_CORE, .core = cores[i].core};

		CHECK(run(&o, "where", in_decimal(cores[i].core), in_decimal(cores[i].node)));
	}
	CHECK(run(&(struct domain_options){0}, "where", in_decimal(domain_core()), in_decimal(domain_self()->node)));
	return NULL;
}

static const char *check_environment(void)
{
	static const char *const environment[] = {"SHAPE=round", "COLOUR=coral", NULL};

	CHECK(run(&(struct domain_options){.environment = environment}, "colour", NULL, NULL));
	return NULL;
}

/* Domains on a node go to its cores in turn, as long as none has ended. */
static const char *check_node(void)
{
	uint32_t node = cores[core_count - 1].node, domain[FEW];
	unsigned candidates = 0, used = 0;
	enum end_cause cause;
	uint64_t seen = 0;
	int64_t status;

	for (unsigned i = 0; i < core_count; i++)
		candidates += cores[i].node == node;
	if (candidates > FEW)
		candidates = FEW;
	for (unsigned i = 0; i < candidates; i++) {
		struct domain_options o = {.where = DOMAIN_ON_NODE, .node = node};

		CHECK(is_ok(begin(&o, "sleeps", NULL, NULL, &domain[i])));
		CHECK(cores[domain[i] >> 16].node == node);
		used += !(seen >> (domain[i] >> 16) & 1);
		seen |= UINT64_C(1) << (domain[i] >> 16);
	}
	/* the console and this program are on the first core, so it may come last */
	CHECK(used == candidates || (used + 1 == candidates && node == cores[0].node));
	for (unsigned i = 0; i < candidates; i++)
		CHECK(is_ok(domain_kill(domain[i])) && is_ok(domain_wait(domain[i], &status, &cause)) && cause == END_KILLED);
	return NULL;
}

static const char *check_cores(void)
{
	struct domain_options o = {.where = DOMAIN_ON_CORES};
	uint64_t set = 0;
	char text[24];

	for (unsigned i = 0; i < core_count && i < FEW; i++) {
		o.cores[0] = 0;
		set |= UINT64_C(1) << cores[core_count - 1 - i].core;
		o.cores[0] = set;
		snprintf(text, sizeof text, "0x%llx", (unsigned long long)set);
		CHECK(run(&o, "spans", text, NULL));
	}
	return NULL;
}

static const char *make_frames(struct domain_gift *gift, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		paddr_t base;
		void *at;

		CHECK(is_ok(frame_create(PAGE_BYTES, READ_WRITE, &gift[i].cap, &at, &base)));
		gift[i].rights = RIGHTS(RIGHT_READ);
		gift[i].tag = TAG_FIRST + i;
		*(uint32_t *)at = TAG_FIRST + i;
		CHECK(is_ok(frame_unmap(at)));
	}
	return NULL;
}

static const char *check_capabilities(void)
{
	struct domain_gift gift[FEW];
	const char *failed = make_frames(gift, FEW);
	cap_t none;

	if (failed != NULL)
		return failed;
	for (unsigned i = 0; i < core_count; i++)
		for (unsigned gifts = 1; gifts <= FEW; gifts += FEW - 1) {
			struct domain_options o = {.where = DOMAIN_ON_CORE, .core = cores[i].core, .gift = gift, .gifts = gifts};

			CHECK(run(&o, "takes", in_decimal(gifts), NULL));
		}
	for (unsigned i = 0; i < FEW; i++)
		CHECK(is_ok(cap_revoke(gift[i].cap)));
	for (unsigned i = 0; i < FEW; i++)
		memory_object_free(gift[i].cap);
	CHECK(err_is(domain_take(TAG_FIRST, 0, &none), ERR_NUMBER_NOT_FOUND));
	return NULL;
}

/* One that can't be given ends the new domain. */
static const char *check_bad_capability(void)
{
	cap_t empty;
	uint32_t domain;

	CHECK(is_ok(cap_slot_alloc(&empty)));

	const struct domain_gift gift = {empty, RIGHTS(RIGHT_READ), 1};
	struct domain_options o = {.gift = &gift, .gifts = 1};

	CHECK(err_is(begin(&o, "sleeps", NULL, NULL, &domain), ERR_NUMBER_CAP_EMPTY));
	CHECK(strstr(why, "capability") != NULL);
	cap_slot_free(empty);
	return NULL;
}

static const char *check_quota(void)
{
	for (uint64_t quota = 6 * MEBIBYTE; quota <= 24 * MEBIBYTE; quota *= 2) {
		struct domain_options o = {.quota = quota, .memory = 3 * MEBIBYTE};

		CHECK(run(&o, "eats", in_decimal(quota), NULL));
		o.quota += PAGE_BYTES / 2;
		CHECK(run(&o, "overdraws", in_decimal(o.quota), NULL));
	}
	return NULL;
}

static const char *refused(struct domain_options o, enum err_number expected, const char *word)
{
	static char text[160];
	uint32_t domain;
	err_t e;

	o.why = why;
	o.why_bytes = sizeof why;
	e = domain_spawn_with(&o, &domain);
	if (err_is(e, expected) && strstr(why, word) != NULL)
		return NULL;
	snprintf(text, sizeof text, "%s: %s, not /%s/", err_sentence(e), why, word);
	return text;
}

/* It ends, or goes on, without ever serving. */
static const char *check_await(void)
{
	static const char *const at_once[] = {"hello", NULL}, *const never[] = {PROGRAM, "child", "sleeps", NULL};
	const uint64_t soon = time_tsc() + time_tsc_hz();
	uint32_t domain;
	enum end_cause cause;
	int64_t status;

	for (unsigned i = 0; i < core_count; i++) {
		CHECK(is_ok(domain_spawn(at_once, NULL, cores[i].core, 0, &domain)));
		CHECK(err_is(domain_await(domain, cores[i].core, "nobody", patience()), ERR_NUMBER_PEER_GONE));
	}
	CHECK(is_ok(domain_spawn(never, NULL, cores[core_count - 1].core, 0, &domain)));
	CHECK(err_is(domain_await(domain, cores[core_count - 1].core, "nobody", soon), ERR_NUMBER_TIMEOUT) && time_tsc() >= soon);
	CHECK(is_ok(domain_await(domain, cores[core_count - 1].core, "console", patience())));
	CHECK(is_ok(domain_kill(domain)) && is_ok(domain_wait(domain, &status, &cause)));
	return NULL;
}

static const char *check_refusals(void)
{
	static const char *const self[] = {PROGRAM, "child", "where", NULL}, *const none[] = {NULL};
	static const char *const unknown[] = {"no-such-program", NULL}, *const data[] = {"notes", NULL};
	static char huge[PAGE_BYTES];
	const char *const long_one[] = {PROGRAM, huge, NULL};
	struct {
		struct domain_options o;
		enum err_number expected;
		const char *word;
	} cases[] = {
	    {{.arguments = none}, ERR_NUMBER_ARGUMENT, "no program is named"},
	    {{.arguments = unknown}, ERR_NUMBER_NOT_FOUND, "no-such-program"},
	    {{.arguments = data}, ERR_NUMBER_FORMAT, "notes is not a program"},
	    {{.arguments = long_one}, ERR_NUMBER_RANGE, "do not fit"},
	    {{.arguments = self, .where = DOMAIN_ON_CORE, .core = 200}, ERR_NUMBER_CORE_UNKNOWN, "no core 200"},
	    {{.arguments = self, .where = DOMAIN_ON_CORES}, ERR_NUMBER_ARGUMENT, "set of cores is empty"},
	    {{.arguments = self, .where = DOMAIN_ON_CORES, .cores = {1, 0, 0, 1}}, ERR_NUMBER_CORE_UNKNOWN, "no core 192"},
	    {{.arguments = self, .where = DOMAIN_ON_NODE, .node = 77}, ERR_NUMBER_CORE_UNKNOWN, "node 77"},
	    {{.arguments = self, .where = (enum domain_where)9}, ERR_NUMBER_ARGUMENT, "number 9"},
	    {{.arguments = self, .memory = 2 * MEBIBYTE, .quota = MEBIBYTE}, ERR_NUMBER_ARGUMENT, "quota of 1048576"},
	    {{.arguments = self, .quota = 4096}, ERR_NUMBER_ARGUMENT, "quota of 4096"},
	    {{.arguments = self, .memory = UINT64_C(1) << 29}, ERR_NUMBER_NO_MEMORY, PROGRAM},
	    {{.arguments = self, .gifts = 17}, ERR_NUMBER_LIMIT, "16"},
	};
	const char *failed = NULL;

	memset(huge, 'x', sizeof huge - 1);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0] && failed == NULL; i++)
		failed = refused(cases[i].o, cases[i].expected, cases[i].word);
	return failed;
}

/* ---- No room on core 1 ---- */

#define NO_ROOM_ON 1

/* The status is that of the program that `argv` names. */
static int beside(const char *const argv[])
{
	static const char *const sleeper[] = {PROGRAM, "child", "sleeps", NULL};
	enum end_cause cause = END_FAULT;
	int64_t status = EXIT_FAILURE;
	uint32_t domain;

	for (uint64_t bytes = 64 * MEBIBYTE; bytes >= MEBIBYTE;)
		if (is_err(domain_spawn(sleeper, NULL, NO_ROOM_ON, bytes, &domain)))
			bytes /= 2;
	if (is_err(domain_spawn(argv, NULL, CORE_HERE, 0, &domain)) || is_err(domain_wait(domain, &status, &cause)))
		return EXIT_FAILURE;
	printf("%s has ended with status %d\n", argv[0], (int)status);
	return (int)status;
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"place", check_place}, {"environment", check_environment},   {"node", check_node},
    {"cores", check_cores}, {"capabilities", check_capabilities}, {"bad_capability", check_bad_capability},
    {"quota", check_quota}, {"refusals", check_refusals},         {"await", check_await},
};

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc >= 3 && strcmp(argv[1], "child") == 0)
		return child(argc - 2, argv + 2);
	if (argc >= 3 && strcmp(argv[1], "beside") == 0)
		return beside((const char *const *)argv + 2);
	if (is_err(core_list(cores, MACHINE_CORES, &core_count)))
		return EXIT_FAILURE;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		const char *failure = checks[i].run();

		if (failure != NULL)
			printf("%s failed: %s (%s)\n", checks[i].name, failure, why);
		printf("@test {\"name\":\"spawn.%s\",\"ok\":%s}\n", checks[i].name, failure == NULL ? "true" : "false");
		failed += failure != NULL;
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
