/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* One file of ACPICA, as the Linux source package has it, tells Linux's leak detector about an object. Atoll has no
 * such detector. */

#define kmemleak_not_leak(object) ((void)(object))
