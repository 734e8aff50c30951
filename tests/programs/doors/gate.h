/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The service of gate.capnp. `kind`: "serves"; "computes", and a thread computes for ever beside; "nowhere" and "kernel", a thread has the
 * door lead where there is nothing, or into the CPU driver. `next` is where `through` goes on. */
int gate_main(const char *name, const char *kind, const char *next);
