/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/programs/selftest/selftest.h"

static unsigned run(const struct check *checks)
{
	unsigned failures = 0;

	for (; checks->name != NULL; checks++) {
		const char *why = checks->run();

		printf("@test {\"name\":\"selftest.%s\",\"core\":%u,\"ok\":%s}\n", checks->name, domain_core(),
		       why == NULL ? "true" : "false");
		if (why != NULL)
			printf("selftest.%s failed: %s\n", checks->name, why);
		failures += why != NULL;
	}
	return failures;
}

int main(int argc, char **argv)
{
	unsigned failures;

	if (argc == 4 && strcmp(argv[1], "child") == 0)
		return child_main(argv[2], argv[3]);
	failures = run(own_checks);
	failures += run(domain_checks);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
