/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Names of services: what they speak, who waits for them, who finds whom. `services` has the checks; `services serve NAME INTERFACE DELAY`
 * is a server, which offers its service after so many milliseconds, and ends when a client says so; with `compute` for `serve` another
 * thread of it computes meanwhile. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>
#include <atoll/thread.h>

#include "tests/programs/check.h"

#define PROGRAM     "services"
#define INTERFACE   UINT64_C(0xc0ffee0123456789)
#define OTHER       UINT64_C(0xdeadbeef00000001)
#define LABEL_END   1
#define QUESTIONS   300 /* more than a monitor has tickets for */
#define HASTY_BINDS 60
#define LATE_MS     100 /* several turns */

static uint64_t after_us(uint64_t us)
{
	return time_tsc() + us * (time_tsc_hz() / 1000000);
}

static void compute(void *end)
{
	while (!atomic_load((atomic_bool *)end))
		;
}

/* ---- A server ---- */

static atomic_bool ended;

static void handle_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c;
	*reply = *request;
	ended = request->label == LABEL_END;
}

static int serve(bool computes, const char *name, const char *interface, const char *delay_ms)
{
	const struct ipc_server server = {.call = handle_call};
	struct ipc_service *service;
	struct thread *thread;

	if (computes && is_err(thread_create(compute, &ended, 0, &thread)))
		return EXIT_FAILURE;
	thread_sleep_until(after_us(1000 * strtoull(delay_ms, NULL, 0)));
	if (is_err(ipc_offer_interface(name, strtoull(interface, NULL, 0), &server, &service)))
		return EXIT_FAILURE;
	while (!ended)
		ipc_serve_once(0);
	return EXIT_SUCCESS;
}

/* ---- Starting and ending it ---- */

static err_t start_to(const char *what, const char *name, uint64_t interface, unsigned delay_ms, uint64_t core, uint32_t *domain)
{
	char type[24], delay[12];
	const char *const argv[] = {PROGRAM, what, name, type, delay, NULL};

	snprintf(type, sizeof type, "0x%llx", (unsigned long long)interface);
	snprintf(delay, sizeof delay, "%u", delay_ms);
	return domain_spawn(argv, NULL, core, 0, domain);
}

static err_t start(const char *name, uint64_t interface, unsigned delay_ms, uint64_t core, uint32_t *domain)
{
	return start_to("serve", name, interface, delay_ms, core, domain);
}

/* Ends the server by the connection, and waits for its end. */
static bool stop(struct ipc_connection *c, uint32_t domain)
{
	struct ipc_message m = {.label = LABEL_END};
	enum end_cause cause;
	int64_t status;
	bool ok = is_ok(ipc_call(c, &m, &m)) && is_ok(domain_wait(domain, &status, &cause)) && cause == END_EXIT && status == 0;

	ipc_close(c);
	return ok;
}

/* Another core, if there is one. */
static uint64_t elsewhere(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count;

	if (is_ok(core_list(cores, MACHINE_CORES, &count)))
		for (unsigned i = count; i-- > 0;)
			if (cores[i].alive)
				return cores[i].core;
	return CORE_HERE;
}

static err_t bind(const char *name, const struct ipc_binding *how, struct ipc_connection **out)
{
	struct ipc_connection *c;
	err_t e = ipc_bind_with(name, how, &c);

	if (is_ok(e) && out == NULL)
		ipc_close(c);
	else if (is_ok(e))
		*out = c;
	return e;
}

/* ---- Checks ---- */

static const char *interfaces(uint64_t core, uint64_t spoken)
{
	struct ipc_connection *c;
	uint32_t server, found;

	CHECK(is_ok(start("typed", spoken, 0, core, &server)));
	CHECK(is_ok(bind("typed", &(struct ipc_binding){.interface = 0}, &c)));
	CHECK(err_is(bind("typed", &(struct ipc_binding){.interface = OTHER}, NULL), ERR_NUMBER_INTERFACE));
	CHECK(err_is(bind("typed", &(struct ipc_binding){.interface = OTHER, .stream = true}, NULL), ERR_NUMBER_INTERFACE));
	CHECK(err_is(ipc_find("typed", &(struct ipc_binding){.interface = OTHER, .now = true}, &found), ERR_NUMBER_INTERFACE));
	CHECK(is_ok(bind("typed", &(struct ipc_binding){.interface = spoken, .now = true}, NULL)));
	CHECK(is_ok(bind("typed", &(struct ipc_binding){.interface = spoken, .stream = true}, NULL)));
	CHECK(is_ok(ipc_find("typed", &(struct ipc_binding){.interface = spoken}, &found)));
	CHECK(found == server && ipc_peer_domain(c) == server);
	CHECK(stop(c, server));
	return NULL;
}

static const char *check_interfaces(void)
{
	const char *why = interfaces(CORE_HERE, INTERFACE);

	if (why == NULL)
		why = interfaces(elsewhere(), INTERFACE);
	return why == NULL ? interfaces(elsewhere(), 0) : why;
}

static const char *check_nobody_there(void)
{
	struct ipc_binding soon = {0};
	uint32_t domain;

	for (unsigned i = 0; i < QUESTIONS; i++) {
		CHECK(err_is(bind("nobody", &(struct ipc_binding){.now = true}, NULL), ERR_NUMBER_NOT_FOUND));
		soon.deadline_tsc = after_us(20);
		CHECK(err_is(bind("nobody", &soon, NULL), ERR_NUMBER_TIMEOUT));
	}
	CHECK(err_is(ipc_find("nobody", &(struct ipc_binding){.now = true}, &domain), ERR_NUMBER_NOT_FOUND));
	CHECK(err_is(bind("nobody", &(struct ipc_binding){.deadline_tsc = 1}, NULL), ERR_NUMBER_TIMEOUT));
	return NULL;
}

static const char *check_names(void)
{
	const struct ipc_binding now = {.now = true};
	struct ipc_service *service;

	CHECK(err_is(bind("", &now, NULL), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(bind("a-name-that-has-24-bytes", &now, NULL), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(bind("a-name-that-has-23-byte", &now, NULL), ERR_NUMBER_NOT_FOUND));
	CHECK(err_is(ipc_offer("", &(struct ipc_server){0}, &service), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(ipc_offer("a-name-that-has-24-bytes", &(struct ipc_server){0}, &service), ERR_NUMBER_ARGUMENT));
	CHECK(err_is(ipc_offer("console", &(struct ipc_server){0}, &service), ERR_NUMBER_EXISTS));
	return NULL;
}

static const char *check_late(void)
{
	struct ipc_connection *c;
	uint32_t server;

	CHECK(is_ok(start("late", INTERFACE, 30, elsewhere(), &server)));
	CHECK(is_ok(bind("late", &(struct ipc_binding){.interface = INTERFACE, .deadline_tsc = after_us(30000000)}, &c)));
	CHECK(stop(c, server));
	CHECK(is_ok(start("late", INTERFACE, 30, elsewhere(), &server)));
	CHECK(err_is(bind("late", &(struct ipc_binding){.interface = OTHER}, NULL), ERR_NUMBER_INTERFACE));
	CHECK(is_ok(bind("late", &(struct ipc_binding){0}, &c)));
	CHECK(stop(c, server));
	return NULL;
}

/* Deadlines that pass while the connection is being made: whatever comes too late is given back. */
static const char *check_haste(void)
{
	struct ipc_connection *c;
	unsigned made = 0;
	uint32_t server;

	CHECK(is_ok(start("haste", 0, 0, elsewhere(), &server)));
	CHECK(is_ok(bind("haste", &(struct ipc_binding){0}, &c)));
	for (unsigned i = 0; i < HASTY_BINDS; i++) {
		err_t e = bind("haste", &(struct ipc_binding){.stream = i & 1, .deadline_tsc = after_us(10 * i)}, NULL);

		CHECK(is_ok(e) || err_is(e, ERR_NUMBER_TIMEOUT));
		made += is_ok(e);
	}
	printf("%u of %u hasty binds were in time\n", made, HASTY_BINDS);
	CHECK(is_ok(bind("haste", &(struct ipc_binding){0}, NULL)));
	CHECK(stop(c, server));
	return NULL;
}

static unsigned listed(const char *name, struct service_info *out)
{
	static struct service_info services[256];
	unsigned count, found = 0;

	if (is_err(service_list(services, sizeof services / sizeof services[0], &count)))
		return 99;
	for (unsigned i = 0; i < count; i++)
		if (strcmp(services[i].name, name) == 0) {
			*out = services[i];
			found++;
		}
	return found;
}

static const char *check_list(void)
{
	struct service_info info;
	struct ipc_connection *c;
	uint32_t server;

	CHECK(listed("console", &info) == 1);
	CHECK(listed("listed", &info) == 0);
	CHECK(is_ok(start("listed", INTERFACE, 0, elsewhere(), &server)));
	CHECK(is_ok(bind("listed", &(struct ipc_binding){0}, &c)));
	CHECK(listed("listed", &info) == 1);
	CHECK(info.interface == INTERFACE && info.domain == server && info.core == server >> 16);
	CHECK(stop(c, server));
	CHECK(listed("listed", &info) == 0);
	return NULL;
}

static const char *check_withdrawal(void)
{
	const struct ipc_server server = {.call = handle_call};
	const struct ipc_binding now = {.now = true};
	struct ipc_service *service, *second, *third;
	uint32_t domain;

	for (unsigned i = 0; i < 3; i++) {
		CHECK(is_ok(ipc_offer_interface("mine", INTERFACE, &server, &service)));
		CHECK(is_ok(ipc_offer("mine.too", &server, &second)));
		CHECK(err_is(ipc_offer("mine", &server, &third), ERR_NUMBER_EXISTS));
		CHECK(is_ok(ipc_find("mine", &now, &domain)) && domain == domain_self()->domain);
		CHECK(is_ok(ipc_withdraw(service)));
		CHECK(err_is(ipc_withdraw(service), ERR_NUMBER_NOT_FOUND));
		CHECK(err_is(ipc_find("mine", &now, &domain), ERR_NUMBER_NOT_FOUND));
		CHECK(is_ok(ipc_find("mine.too", &now, &domain)) && domain == domain_self()->domain);
		CHECK(is_ok(ipc_withdraw(second)));
		CHECK(err_is(ipc_find("mine.too", &now, &domain), ERR_NUMBER_NOT_FOUND));
	}
	return NULL;
}

/* A name is free again as soon as its server's end is known, and who waits for it gets the next one. */
static const char *check_successor(void)
{
	struct ipc_connection *c;
	uint32_t first, second;

	CHECK(is_ok(start("heir", INTERFACE, 0, elsewhere(), &first)));
	CHECK(is_ok(bind("heir", &(struct ipc_binding){.interface = INTERFACE}, &c)));
	CHECK(stop(c, first));
	CHECK(is_ok(start("heir", INTERFACE, 10, CORE_HERE, &second)));
	CHECK(is_ok(bind("heir", &(struct ipc_binding){.interface = INTERFACE}, &c)));
	CHECK(ipc_peer_domain(c) == second);
	CHECK(stop(c, second));
	return NULL;
}

/* On both sides another thread computes, and needs no turn to end: the name is found, and the first client heard of, all the same. */
static const char *check_others_compute(void)
{
	static atomic_bool over;
	struct ipc_connection *c;
	struct thread *thread;
	uint32_t server, found;

	CHECK(is_ok(thread_create(compute, &over, 0, &thread)));
	CHECK(is_ok(start_to("compute", "busy", INTERFACE, LATE_MS, elsewhere(), &server)));
	CHECK(is_ok(ipc_find("busy", &(struct ipc_binding){0}, &found)) && found == server);
	thread_sleep_until(after_us(1000 * LATE_MS));
	CHECK(is_ok(bind("busy", &(struct ipc_binding){0}, &c)));
	CHECK(stop(c, server));
	over = true;
	CHECK(is_ok(thread_join(thread)));
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(void);
} checks[] = {
    {"interfaces", check_interfaces},
    {"nobody_there", check_nobody_there},
    {"names", check_names},
    {"late", check_late},
    {"haste", check_haste},
    {"list", check_list},
    {"withdrawal", check_withdrawal},
    {"successor", check_successor},
    {"others_compute", check_others_compute},
};

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 5)
		return serve(strcmp(argv[1], "compute") == 0, argv[2], argv[3], argv[4]);
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		const char *why = checks[i].run();

		if (why != NULL)
			printf("%s failed: %s\n", checks[i].name, why);
		printf("@test {\"name\":\"services.%s\",\"ok\":%s}\n", checks[i].name, why == NULL ? "true" : "false");
		failed += why != NULL;
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
