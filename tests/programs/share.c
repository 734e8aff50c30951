/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Runs captop while every other core holds a page of this one's: `share`. The holders are `share SERVICE`. */

#include <stdio.h>
#include <stdlib.h>

#include <atoll/address_space.h>
#include <atoll/capability.h>
#include <atoll/domain.h>
#include <atoll/ipc.h>

#define PROGRAM   "share"
#define LABEL_END 1

/* ---- A holder ---- */

static bool ended;

static void handle_given(void *context, struct ipc_connection *c, uint32_t tag, cap_t cap, struct ipc_connection *connection)
{
	/* It is kept until the end. */
	(void)context, (void)c, (void)tag, (void)cap, (void)connection;
}

static void handle_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	(void)context, (void)c;
	*reply = *request;
	ended = request->label == LABEL_END;
}

static int hold(const char *name)
{
	const struct ipc_server server = {.call = handle_call, .given = handle_given};
	struct ipc_service *service;

	if (is_err(ipc_offer(name, &server, &service)))
		return EXIT_FAILURE;
	while (!ended)
		ipc_serve_once(0);
	return EXIT_SUCCESS;
}

/* ---- The owner ---- */

static struct ipc_connection *holder[MACHINE_CORES];
static struct core_info cores[MACHINE_CORES];
static unsigned count;

static err_t start_holder(unsigned core, cap_t frame)
{
	char name[SERVICE_NAME_BYTES];
	const char *const argv[] = {PROGRAM, name, NULL};
	uint32_t domain;
	err_t e;

	snprintf(name, sizeof(name), PROGRAM ".%u", core);
	e = domain_spawn(argv, NULL, core, 0, &domain);
	if (is_ok(e))
		e = ipc_bind(name, false, &holder[core]);
	return is_ok(e) ? ipc_give(holder[core], frame, RIGHTS(RIGHT_READ), 0) : e;
}

static err_t run(const char *const argv[])
{
	uint32_t domain;
	int64_t status;
	enum end_cause cause;
	err_t e = domain_spawn(argv, NULL, CORE_HERE, 0, &domain);

	return is_ok(e) ? domain_wait(domain, &status, &cause) : e;
}

static err_t share(void)
{
	const char *const captop[] = {"captop", "once", NULL};
	cap_t frame;
	void *page;
	paddr_t base;
	err_t e = frame_create(PAGE_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), &frame, &page, &base);

	if (is_ok(e))
		e = core_list(cores, MACHINE_CORES, &count);
	for (unsigned i = 0; i < count && is_ok(e); i++)
		if (cores[i].core != domain_core())
			e = start_holder(cores[i].core, frame);
	if (is_err(e))
		return e;
	printf("share: the page is at 0x%012llx\n", (unsigned long long)base.value);
	fflush(stdout);
	e = run(captop);
	return is_ok(e) ? cap_revoke(frame) : e;
}

static void end_holders(void)
{
	struct ipc_message message = {.label = LABEL_END};

	for (unsigned i = 0; i < MACHINE_CORES; i++)
		if (holder[i] != NULL && is_err(ipc_call(holder[i], &message, &message)))
			printf("share: the holder on core %u has gone\n", i);
}

int main(int argc, char **argv)
{
	const char *const captop[] = {"captop", "once", NULL};
	err_t e;

	if (argc == 2)
		return hold(argv[1]);
	e = share();
	end_holders();
	if (is_ok(e))
		e = run(captop); /* and after it has been taken back */
	if (is_err(e))
		printf("share: %s\n", err_sentence(e));
	return is_ok(e) ? EXIT_SUCCESS : EXIT_FAILURE;
}
