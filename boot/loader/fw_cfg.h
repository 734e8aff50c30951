/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/types.h"

/* Reads the file `name` that QEMU's command line gave (-fw_cfg name=...). Returns its size, of which at most `bytes` bytes are stored; 0 if
 * there is none or this is not QEMU. */
size_t fw_cfg_read(const char *name, char *to, size_t bytes);
