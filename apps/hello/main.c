/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The smallest program worth starting: says where it runs and what it was given. `hello N` also ends with status N. */

#include <stdio.h>
#include <stdlib.h>

#include <atoll/domain.h>

int main(int argc, char **argv)
{
	const struct domain_start *self = domain_self();

	printf("hello from domain %u on core %u, node %u, with %llu KiB of memory\n", self->domain, self->core, self->node,
	       (unsigned long long)(self->ram_bytes / 1024));
	for (int i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	return argc > 1 ? atoi(argv[1]) : 0;
}
