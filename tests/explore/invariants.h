/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What must hold, each said once. INVARIANT(name, sentence); a core that died is no longer a core. */

#define INVARIANTS                                                                                                                         \
	/* in every state */                                                                                                               \
	INVARIANT(single_owner, "One core at most says that it owns an object; two only while one gives it to the other.")                 \
	INVARIANT(holders, "An owner knows every core that has its object, and its own capabilities to it are flagged REMOTE then.")       \
	INVARIANT(ancestors, "Who owns an object also has the smallest object around it.")                                                 \
	INVARIANT(nesting, "Of two objects that overlap, wherever they are, one lies in the other and may have been made of it.")          \
	INVARIANT(memory, "Every page of memory lies in an object.")                                                                       \
	INVARIANT(refused, "As long as no core dies, no message is refused.")                                                              \
	INVARIANT(destination, "A message is of a known type and goes to another core.")                                                   \
	INVARIANT(few_messages, "Few messages are on their way between two cores at a time.")                                              \
	INVARIANT(slots, "A monitor's slot comes back once, and empty.")                                                                   \
	INVARIANT(forged, "A message that is malformed, of another view or an answer to nothing is refused and changes nothing.")          \
	/* when something ends */                                                                                                          \
	INVARIANT(ends_once, "An operation ends once, on the core where it began, and gives back its slot.")                               \
	INVARIANT(result, "An operation ends with a result that its kind allows.")                                                         \
	INVARIANT(arrives, "A copy arrives once, as what was sent, where it was sent to, and is there when the sender is told so.")        \
	INVARIANT(moved, "What was moved is no longer where it was; at most its memory came back.")                                        \
	INVARIANT(rights, "Rights never grow on the way.")                                                                                 \
	INVARIANT(revoked, "When a revoke returns, users have nothing of the object but the caller's capability, and nothing made of it.") \
	INVARIANT(revoked_later, "A capability that a revoke has taken does not arrive anywhere after the revoke has returned.")           \
	INVARIANT(translations,                                                                                                            \
	          "No core's translations lead to memory that was revoked, nor after any operation by entries that are gone.")             \
	INVARIANT(given_back, "What an operation leaves goes back to where it came from, and memory that comes back is RAM.")              \
	/* where nothing more can happen */                                                                                                \
	INVARIANT(ends, "Every operation ends.")                                                                                           \
	INVARIANT(quiet, "When every operation has ended, the agreement is quiet on all cores.")                                           \
	INVARIANT(owned, "At rest every object that other cores may have is owned by a core that has it, and all copies name that core.")  \
	INVARIANT(holders_exact,                                                                                                           \
	          "At rest an owner knows no holder that has nothing, and nothing is flagged REMOTE that only one core has.")              \
	INVARIANT(leaked_slots, "At rest a monitor's slots hold anchors and memory that came back, nothing else.")                         \
	INVARIANT(leaked_entries,                                                                                                          \
	          "At rest an owner's entry has holders, or an anchor below which the core owns something; others' have anchors.")

enum invariant {
	INVARIANT_NONE,
#define INVARIANT(name, sentence) INVARIANT_##name,
	INVARIANTS
#undef INVARIANT
};

struct task;
struct slot;
struct object;

/* The first one that was broken, and where. */
extern enum invariant broken;
extern struct object broken_about; /* type Null: no object in particular */
void break_invariant(enum invariant i);
void look_at(const struct object *o); /* what is broken from now on is about that; NULL: about nothing in particular */
#define BREAK(name) break_invariant(INVARIANT_##name)
const char *invariant_name(enum invariant i);
const char *invariant_sentence(enum invariant i);

/* After each step. */
void check_state(void);
/* The same for messages that nobody should send; leaves the state as it was. */
void check_forged(void);
/* In a state that nothing leads out of. */
void check_rest(void);
/* Within a step: a task is done; what a move has left where it began; what is about to arrive. */
void check_result(struct task *t);
void check_moved(const struct slot *s);
void check_delivery(const struct task *t, const struct slot *s);
