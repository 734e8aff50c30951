/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include <sys/mman.h>

#include "libos/upcall/dispatcher.h"

/* For cmocka's set-up of a group. The library OS finds what its dispatcher shares with the CPU driver at an address that is a constant of
 * the system's memory map, so the tested files do as well: memory has to lie there. A process of the host has nothing in that place; if
 * one day it has, this fails instead of writing over it. */
static int map_dispatcher(void **state)
{
	const void *at =
	    mmap(DISPATCHER, DISPATCHER_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	(void)state;
	return at == DISPATCHER ? 0 : -1;
}
