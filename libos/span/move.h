/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Threads that move between the members of a span.
 *
 *   giver                                   taker
 *                     ◀──────────────────── hungry       nothing can run there (the nearest members are asked first)
 *   nothing           ────────────────────▶              and when there is something, the taker gets it unasked
 *   thread, parts     ────────────────────▶              makes a thread of its own of them
 *                     ◀──────────────────── taken        the giver forgets it, or runs it itself after all
 *   settled, over     ◀────────────────────              to the member where it was born: it is here now; it has ended
 *
 * A thread may move when it was interrupted in the program (not in the library OS, whose data are a member's own; nor in a foreign call,
 * nor below a function that the library OS has called): then its registers are all there is to it. Its stack is the program's memory and
 * comes page by page. Or it moves by itself (thread_move): then its registers are on its stack, two words are sent, and the taker fetches
 * the stack's pages before it goes on.
 *
 * Counting. A thread counts at the member where it was born, until its end. Member 0 knows of each member whether it has any (`alive`), and
 * is told that there is a first one before that one runs; so when nobody has any, the domain is at its end.
 *
 * If a core dies, the threads that were there are lost, and so are those on their way there, since they may have run already: who joins one
 * hears of it. */

#include <atoll/thread.h>

struct thread;

/* Members that have nothing to do, and heard that there was nothing for them. */
extern uint64_t move_hungry;

void move_start(void);
/* Threads that are here and were born elsewhere. */
extern unsigned move_visitors;

/* ---- Inside sections ---- */

/* The policy, and besides: what may not run here is sent to where it may, and what is more than one thread goes to the hungry. */
const struct policy *move_policy(const struct policy *inner);
/* Nothing can run here: the next nearest member that does not know yet is asked. */
void move_idle(void);
/* A thread was born here; false: there is nobody to count it. A thread that was born at that member has ended. */
bool move_born(void);
void move_ended(struct thread *t);
