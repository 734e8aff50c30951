/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <stdlib.h>

/* A function that the tested files name, and that no test comes to. */
#define NEVER(type, name, ...)                                                                                                             \
	type name(__VA_ARGS__)                                                                                                             \
	{                                                                                                                                  \
		abort();                                                                                                                   \
	}
