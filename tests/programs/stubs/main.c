/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Typed services, tried from inside: `stubs` starts a server on its own core and on another one, and prints a `@test` fact for each check
 * with each; `stubs serve NAME` is the server. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>

#include "tests/programs/stubs/checks.h"
#include "tests/programs/stubs/workshop.h"

static unsigned failures;

static void say(const char *name, const struct started *s, const char *why)
{
	printf("@test {\"name\":\"stubs.%s\",\"core\":%u,\"loop\":\"%.*s\",\"ok\":%s}\n", name, s->core, (int)strcspn(s->name, "."),
	       s->name, why == NULL ? "true" : "false");
	if (why != NULL)
		printf("stubs.%s: %s\n", name, why);
	failures += why != NULL;
}

static err_t start(struct started *s, const char *kind, unsigned core)
{
	const char *const argv[] = {"stubs", "serve", s->name, NULL};

	s->core = core;
	snprintf(s->name, sizeof s->name, "%s.%u", kind, core);
	return domain_spawn(argv, NULL, core, 0, &s->domain);
}

static void run(const struct check *checks, struct workshop *w, const struct started *s)
{
	for (; checks->name != NULL; checks++)
		say(checks->name, s, checks->run(w));
}

static const char *end(struct workshop *w, const struct started *s)
{
	int64_t status = -1;
	enum end_cause cause;

	CHECK_OK(workshop_call_end(w, in_ms(2000)));
	CHECK_OK(domain_wait(s->domain, &status, &cause));
	CHECK(cause == END_EXIT && status == 0);
	CHECK_ERROR(workshop_call_end(w, in_ms(2000)), PEER_GONE);
	workshop_close(w);
	return NULL;
}

static const char *death(struct workshop *w, const struct started *s)
{
	int64_t status;
	enum end_cause cause;
	const char *why = check_death(w, s);

	CHECK_OK(domain_wait(s->domain, &status, &cause));
	CHECK(cause == END_KILLED);
	return why;
}

static void check_server(const char *kind, unsigned core)
{
	struct started s;
	struct workshop w;
	err_t e = start(&s, kind, core);

	if (is_ok(e))
		e = workshop_open(s.name, &w);
	if (is_err(e)) {
		say("start", &s, err_sentence(e));
		return;
	}
	run(call_checks, &w, &s);
	run(stream_checks, &w, &s);
	run(carry_checks, &w, &s);
	run(bad_checks, &w, &s);
	if (strcmp(kind, "once") == 0)
		say("end", &s, end(&w, &s));
	else
		say("death", &s, death(&w, &s));
}

int main(int argc, char **argv)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return workshop_main(argv[2]);
	if (is_err(core_list(cores, MACHINE_CORES, &count)))
		return EXIT_FAILURE;
	check_server("once", domain_core());
	check_server("forever", domain_core());
	for (unsigned i = 0; i < count; i++)
		if (cores[i].alive && cores[i].core != domain_core()) {
			check_server("once", cores[i].core);
			check_server("forever", cores[i].core);
			break;
		}
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
