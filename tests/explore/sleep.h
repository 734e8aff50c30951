/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Which choices need not be tried, because what they lead to is found on another way: sleep sets.
 *
 * Two choices on different cores commute. Each changes its own core, takes the oldest message of a channel and adds to the end of others; a
 * message arrives as it was sent, and who dies forgets what was sent to him, so it does not matter which came first. Neither of the two
 * makes the other impossible. So, if t and u are possible in a state s, the states behind t, u and behind u, t are one and the same. The
 * search tries t first. When it then goes on from s by u, it leaves t alone until something has happened that t does not commute with: t
 * is asleep (P. Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996, chapter 5).
 *
 * What does not commute:
 *   - choices on the same core, and the step that killed it;
 *   - a death with another one, with a core's hearing of the view, or with its coming back, as all change or use the newest view;
 *   - a step that looked at or changed what belongs to another core. The world says which cores it was (`touched`): a core that gets a
 *     copy touches the task of the core that sent it; a revoke that returns is checked against all cores; so is everything when page
 *     tables are shared, because whatever one core writes there others' TLBs may take in; a core that comes back changes all channels.
 *     Such a step never sleeps, and wakes all choices on the cores that it touched.
 *
 * Every state that can be reached is still reached, only not by every way: along any way there, choices that commute can be
 * exchanged until it is one that is tried. So what is checked in each state is checked in each state. What is checked within a
 * step depends on the core that it happens on, and it is the same there before and after a step that commutes; the rest counts as
 * touching. An exchange keeps the length: if messages could go on for ever, ways of any length would be tried in a finite number
 * of states, so there is a circle among the steps that are tried (circle.c).
 *
 * States are remembered, so a state may be reached again with fewer choices asleep than the first time. Then the ones that slept then and
 * are awake now are tried after all, with what is asleep both times asleep (search.c).
 *
 * A choice that changes nothing is not one, so whether it sleeps does not matter; that a state is at rest is found by trying also what
 * is asleep there.
 *
 * `search --compare` tests all this: the same scenarios with and without, which must come to the same states, the same ones at
 * rest among them, and the same verdict; for the protocol as it is and for its mutants. */

#include "tests/explore/schedule.h"
#include "tests/explore/world.h"

/* A set of choices. */
typedef uint64_t choice_set_t;
#define EVERY_CHOICE UINT64_MAX

choice_set_t choice_bit(struct choice c);

/* Of a scenario's tasks, which are on which core. */
void sleep_begin(void);

/* After that choice, which has touched what it has: the ones of a set that are still asleep; and the choice itself, if others may let it
 * sleep, as a set. */
choice_set_t still_asleep(choice_set_t asleep, struct choice taken);
choice_set_t may_sleep(struct choice taken);
