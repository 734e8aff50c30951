/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The window: where the CPU driver sees physical memory (memory_map.h). Hosted tests map their own memory at another place and
 * say so with -DWINDOW_START=... */

#include "cpudriver/abi/memory_map.h"
#include "cpudriver/abi/types.h"

#ifndef WINDOW_START
#define WINDOW_START WINDOW_BASE
#endif

static inline void *window(paddr_t p)
{
	return (void *)(uintptr_t)(WINDOW_START + p.value);
}
static inline paddr_t window_paddr(const void *p)
{
	return PADDR((uintptr_t)p - WINDOW_START);
}
