/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/revocation.h>
#include <atoll/thread.h>

#include "tests/programs/revoke/revoke.h"

#define ASKED        (8 * MEBIBYTE) /* more than a child has left over by itself */
#define PATIENT_MS   20000
#define IMPATIENT_MS 30
#define PATIENCE_S   60

static struct core_info cores[MACHINE_CORES];
static unsigned core_count;
static char why[160];

static bool report(const char *name, const char *reason)
{
	printf("@test {\"name\":\"revoke.%s\",\"core\":%u,\"ok\":%s}\n", name, domain_core(), reason == NULL ? "true" : "false");
	if (reason != NULL)
		printf("revoke.%s failed: %s %s\n", name, reason, why);
	why[0] = 0;
	return reason == NULL;
}

/* ---- Children ---- */

/* On that core, and with `spans` on all; waits until it is ready. */
static err_t start(const char *character, uint32_t core, bool spans, uint32_t *domain)
{
	const char *const argv[] = {PROGRAM, "child", character, NULL};
	struct domain_options o = {
	    .arguments = argv, .where = spans ? DOMAIN_ON_CORES : DOMAIN_ON_CORE, .core = core, .why = why, .why_bytes = sizeof(why)};
	const struct ipc_binding patience = {.deadline_tsc = time_tsc() + PATIENCE_S * time_tsc_hz()};
	uint32_t found;
	err_t e;

	for (unsigned i = 0; i < core_count; i++)
		o.cores[cores[i].core / 64] |= UINT64_C(1) << cores[i].core % 64;
	e = domain_spawn_with(&o, domain);
	if (is_ok(e))
		e = ipc_find(CHILD_SERVICE, &patience, &found);
	return is_ok(e) && found != *domain ? ERR(EXISTS) : e;
}

static bool ends(uint32_t domain, enum end_cause cause, int64_t status)
{
	enum end_cause how = END_KILLED;
	int64_t what = -1;
	err_t e = domain_wait(domain, &what, &how);

	snprintf(why, sizeof(why), "(the child ended with cause %u, status %lld%s%s)", how, (long long)what, is_ok(e) ? "" : ": ",
	         is_ok(e) ? "" : err_sentence(e));
	return is_ok(e) && how == cause && what == status;
}

/* Tells the child that it has been asked, and looks at its end. */
static bool ended(uint32_t domain, enum end_cause cause, int64_t status)
{
	static const struct ipc_server server;
	struct ipc_service *service;
	bool ok;

	if (is_err(ipc_offer(DONE_SERVICE, &server, &service)))
		return false;
	ok = ends(domain, cause, status);
	return is_ok(ipc_withdraw(service)) && ok;
}

static err_t ask(uint32_t domain, enum revocation_kind kind, uint64_t amount, uint64_t ms, struct revocation_result *out)
{
	err_t e;

	*out = (struct revocation_result){0, 0};
	e = revocation_ask(
	    &(struct revocation_order){.domain = domain, .kind = kind, .amount = amount, .core = CORE_HERE, .deadline_ms = ms}, out);
	snprintf(why, sizeof(why), "(%s; %llu given, %llu taken)", err_sentence(e), (unsigned long long)out->given,
	         (unsigned long long)out->taken);
	return e;
}

/* A child somewhere else if there are other cores: every other time. */
static uint32_t somewhere(void)
{
	static unsigned turn;

	return cores[turn++ % core_count].core;
}

/* ---- Memory ---- */

static const char *check_gives(const char *character)
{
	struct revocation_result r;
	uint32_t domain;

	CHECK(is_ok(start(character, somewhere(), false, &domain)));
	CHECK(is_ok(ask(domain, REVOKE_MEMORY, ASKED, PATIENT_MS, &r)));
	CHECK(r.given >= ASKED && r.taken == 0);
	CHECK(ended(domain, END_EXIT, FINE));
	return NULL;
}

static const char *check_complies(void)
{
	return check_gives("complies");
}

static const char *check_chooses(void)
{
	return check_gives("chooses");
}

static const char *check_deaf(void)
{
	return check_gives("deaf");
}

static const char *check_loses(const char *character, uint64_t ms, int64_t status)
{
	struct revocation_result r;
	uint32_t domain;

	CHECK(is_ok(start(character, somewhere(), false, &domain)));
	CHECK(is_ok(ask(domain, REVOKE_MEMORY, ASKED, ms, &r)));
	CHECK(r.taken > 0 && r.given + r.taken >= ASKED);
	CHECK(ended(domain, END_EXIT, status));
	return NULL;
}

static const char *check_stalls(void)
{
	return check_loses("stalls", IMPATIENT_MS, FINE);
}

/* Signal 11, as Linux numbers them. */
static const char *check_touches(void)
{
	return check_loses("touches", IMPATIENT_MS, 128 + 11);
}

/* Nobody waits for the end of that. */
static const char *check_lies(void)
{
	return check_loses("lies", PATIENT_MS, FINE);
}

static const char *check_dies(void)
{
	struct revocation_result r;
	uint32_t domain;

	CHECK(is_ok(start("dies", somewhere(), false, &domain)));
	CHECK(err_is(ask(domain, REVOKE_MEMORY, ASKED, PATIENT_MS, &r), ERR_NUMBER_PEER_GONE));
	CHECK(ended(domain, END_EXIT, GONE));
	CHECK(err_is(ask(domain, REVOKE_MEMORY, ASKED, PATIENT_MS, &r), ERR_NUMBER_NOT_FOUND));
	return NULL;
}

static uint64_t memory_of(uint32_t domain, uint32_t core)
{
	static struct domain_info list[64];
	unsigned count = 0;

	if (is_ok(domain_list(core, list, 64, &count)))
		for (unsigned i = 0; i < count; i++)
			if (list[i].domain == domain)
				return list[i].ram_bytes;
	return 0;
}

/* Also what it was guaranteed: that is its end. */
static const char *check_everything(void)
{
	struct revocation_result r;
	uint32_t domain, core = somewhere();
	uint64_t all;

	CHECK(is_ok(start("stalls", core, false, &domain)));
	all = memory_of(domain, core);
	CHECK(all > 16 * MEBIBYTE);
	CHECK(is_ok(ask(domain, REVOKE_MEMORY, all, IMPATIENT_MS, &r)));
	CHECK(r.given + r.taken >= all);
	CHECK(ended(domain, END_REVOKED, 0));
	return NULL;
}

/* ---- Memory of another member than the first ---- */

static const char *check_member(const char *character, uint64_t ms, bool loses)
{
	struct revocation_order o = {.kind = REVOKE_MEMORY, .amount = ASKED, .core = cores[core_count - 1].core, .deadline_ms = ms};
	struct revocation_result r;

	if (core_count == 1)
		return NULL;
	CHECK(is_ok(start(character, 0, true, &o.domain)));
	CHECK(is_ok(revocation_ask(&o, &r)));
	CHECK(r.given + r.taken >= ASKED && (r.taken > 0) == loses);
	CHECK(ended(o.domain, END_EXIT, FINE));
	return NULL;
}

static const char *check_member_complies(void)
{
	return check_member("member.complies", PATIENT_MS, false);
}

static const char *check_member_chooses(void)
{
	return check_member("member.chooses", PATIENT_MS, false);
}

static const char *check_member_stalls(void)
{
	return check_member("member.stalls", IMPATIENT_MS, true);
}

/* ---- Asking ---- */

static struct revocation_result first_result;
static err_t first_error;
static _Atomic bool asking;

static void *ask_first(void *argument)
{
	const uint32_t *domain = argument;

	asking = true;
	first_error = revocation_ask(&(struct revocation_order){*domain, REVOKE_MEMORY, ASKED, CORE_HERE, 500}, &first_result);
	return NULL;
}

static const char *check_twice(void)
{
	struct revocation_result r;
	uint32_t domain;
	pthread_t thread;

	CHECK(is_ok(start("stalls", somewhere(), false, &domain)));
	CHECK(pthread_create(&thread, NULL, ask_first, &domain) == 0);
	while (!asking)
		thread_yield();
	thread_sleep_until(time_tsc() + time_tsc_hz() / 50);
	CHECK(err_is(ask(domain, REVOKE_MEMORY, MEBIBYTE, PATIENT_MS, &r), ERR_NUMBER_REVOKING));
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(is_ok(first_error) && first_result.taken > 0);
	CHECK(ended(domain, END_EXIT, FINE));
	return NULL;
}

static const char *check_absurd(void)
{
	struct revocation_order o = {.kind = REVOKE_MEMORY, .amount = MEBIBYTE, .core = CORE_HERE, .deadline_ms = 1};
	struct revocation_result r;
	uint32_t domain, core = somewhere();

	CHECK(is_ok(start("dies", core, false, &domain)));
	CHECK(err_is(ask(domain, REVOKE_MEMORY, 0, 1, &r), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(ask(domain, REVOKE_NOTHING, 1, 1, &r), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(ask(domain, REVOCATION_KINDS, 1, 1, &r), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(ask(domain, REVOKE_MEMORY, 1, REVOCATION_DEADLINE_MS + 1, &r), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(ask(domain, REVOKE_MEMORY, 1, UINT64_MAX, &r), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(ask(domain, REVOKE_MEMORY, memory_of(domain, core) + 1, 1, &r), ERR_NUMBER_RANGE));
	CHECK(err_is(ask(domain, REVOKE_MEMORY, UINT64_MAX, 1, &r), ERR_NUMBER_RANGE));
	CHECK(err_is(ask(domain, REVOKE_CORES, 1, 1, &r), ERR_NUMBER_RANGE));
	CHECK(err_is(ask(domain, REVOKE_CHANNELS, 100, 1, &r), ERR_NUMBER_RANGE));
	CHECK(err_is(ask(0, REVOKE_MEMORY, 1, 1, &r), ERR_NUMBER_NOT_FOUND));
	CHECK(err_is(ask(UINT32_MAX, REVOKE_MEMORY, 1, 1, &r), ERR_NUMBER_NOT_FOUND));
	o.domain = domain;
	o.core = MACHINE_CORES;
	CHECK(err_is(revocation_ask(&o, &r), ERR_NUMBER_CORE_UNKNOWN));
	CHECK(is_ok(domain_kill(domain)) && ended(domain, END_KILLED, 0));
	return NULL;
}

static const char *check_rights(void)
{
	char self[16];
	const char *const argv[] = {PROGRAM, "child", "asks", self, NULL};
	uint32_t domain;

	snprintf(self, sizeof(self), "%u", domain_self()->span);
	CHECK(is_ok(domain_spawn(argv, NULL, somewhere(), 0, &domain)));
	CHECK(ended(domain, END_EXIT, FINE));
	return NULL;
}

/* ---- Cores ---- */

static const char *check_cores(const char *character, uint64_t given, uint64_t taken, enum end_cause cause)
{
	struct revocation_result r;
	uint32_t domain;

	if (core_count == 1)
		return NULL;
	CHECK(is_ok(start(character, 0, true, &domain)));
	CHECK(is_ok(ask(domain, REVOKE_CORES, given + taken, taken > 0 ? 300 : PATIENT_MS, &r)));
	CHECK(r.given == given && r.taken == taken);
	CHECK(ended(domain, cause, cause == END_EXIT ? FINE : cores[core_count - 1].core));
	return NULL;
}

static const char *check_idle_cores(void)
{
	return check_cores("idle", core_count - 1, 0, END_EXIT);
}

static const char *check_busy_cores(void)
{
	return check_cores("survives", core_count - 2, 1, END_EXIT);
}

static const char *check_needed_cores(void)
{
	return check_cores("needs", core_count - 2, 1, END_REVOKED);
}

/* ---- Channels ---- */

static _Atomic bool served, channels_asked;

static void add_one(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c;
	reply->word[0] = request->word[0] == DONE_YET ? channels_asked : request->word[0] + 1;
}

static void *serve(void *argument)
{
	(void)argument;
	while (!served)
		ipc_serve_once(time_tsc() + time_tsc_hz() / 100);
	return NULL;
}

static const char *check_channels_of(uint32_t core)
{
	struct revocation_result r;
	uint32_t domain;

	channels_asked = false;
	CHECK(is_ok(start("channels", core, false, &domain)));
	CHECK(is_ok(ask(domain, REVOKE_CHANNELS, 2, PATIENT_MS, &r)));
	CHECK(r.given == 1 && r.taken == 1);
	channels_asked = true;
	CHECK(ends(domain, END_EXIT, FINE));
	return NULL;
}

static const char *check_channels(void)
{
	const struct ipc_server server = {.call = add_one};
	struct ipc_service *service;
	const char *reason;
	pthread_t thread;

	CHECK(is_ok(ipc_offer(PARENT_SERVICE, &server, &service)));
	CHECK(pthread_create(&thread, NULL, serve, NULL) == 0);
	reason = check_channels_of(domain_core());
	if (reason == NULL && core_count > 1)
		reason = check_channels_of(cores[core_count - 1].core);
	served = true;
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(is_ok(ipc_withdraw(service)));
	return reason;
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"complies", check_complies},
    {"chooses", check_chooses},
    {"deaf", check_deaf},
    {"stalls", check_stalls},
    {"touches", check_touches},
    {"lies", check_lies},
    {"dies", check_dies},
    {"everything", check_everything},
    {"member.complies", check_member_complies},
    {"member.chooses", check_member_chooses},
    {"member.stalls", check_member_stalls},
    {"twice", check_twice},
    {"absurd", check_absurd},
    {"rights", check_rights},
    {"cores.idle", check_idle_cores},
    {"cores.busy", check_busy_cores},
    {"cores.needed", check_needed_cores},
    {"channels", check_channels},
};

int main(int argc, char **argv)
{
	bool ok = true;

	if (argc >= 3 && strcmp(argv[1], "child") == 0)
		return child(argv[2], argc > 3 ? argv[3] : "");
	if (is_err(core_list(cores, MACHINE_CORES, &core_count)))
		return EXIT_FAILURE;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (argc < 2 || strcmp(argv[1], checks[i].name) == 0)
			ok &= report(checks[i].name, checks[i].run());
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
