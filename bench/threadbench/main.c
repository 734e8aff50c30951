/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures threads and what they wait by.
 *
 *   threadbench          everything
 *   threadbench --quick  fewer rounds
 *
 * The lens is the environment's LENS. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common/sample.h"
#include "bench/threadbench/local.h"

int main(int argc, char **argv)
{
	struct lens lens;
	const char *why = lens_open(&lens);
	bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;

	if (why == NULL && argc > 1 && !quick)
		why = "its only option is --quick";
	if (why != NULL) {
		printf("threadbench: %s\n", why);
		return EXIT_FAILURE;
	}
	return local_measure(&lens, quick) ? EXIT_SUCCESS : EXIT_FAILURE;
}
