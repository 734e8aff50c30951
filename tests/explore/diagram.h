/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Draws what happens, a line for each event, a column for each core. Silent until diagram_begin. */

struct task;
struct request;
struct message;
struct object;

void diagram_begin(void);
void diagram_end(void);

void diagram_started(const struct task *t);
void diagram_done(const struct task *t);
void diagram_delivered(unsigned from, unsigned to, const struct message *m);
void diagram_step(unsigned core);
void diagram_died(unsigned core);
void diagram_view(unsigned core);

/* "2 deletes slot 1" */
const char *request_text(const struct request *r);
