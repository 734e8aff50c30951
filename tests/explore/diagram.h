/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

#include "cpudriver/abi/capabilities.h"

/* Draws what happens, a line for each event, a column for each core. Silent until diagram_begin; if that is given an object, only what is
 * about memory of that object is drawn. At the end come all capabilities. */

struct task;
struct request;
struct message;
struct object;

void diagram_begin(const struct object *about); /* NULL: everything */
void diagram_end(void);

void diagram_started(const struct task *t);
void diagram_done(const struct task *t);
void diagram_delivered(unsigned from, unsigned to, const struct message *m);
void diagram_step(unsigned core);
void diagram_died(unsigned core);
void diagram_view(unsigned core);
void diagram_joined(unsigned core);

/* "core 2 deletes slot 1" */
const char *request_text(const struct request *r);

/* "Frame 0:4+2": a frame of two pages at page 4 of core 0's managed memory. */
const char *object_text(enum cap_type type, uint64_t base, uint64_t size);
