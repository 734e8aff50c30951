/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The service of workshop.capnp; serves until it is told to end. */
int workshop_main(const char *name);
