/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Agreement: capability operations on objects that several cores know.
 *
 * An object (type, base, size) is *shared* while another core than its owner's has a capability to it. Then
 *
 *   the owner    is one core. It has at least one capability to the object, flagged REMOTE, and a `struct shared` that names the
 *                *holders*. It decides, one operation at a time for each object: whoever comes second waits in line.
 *   a holder     is any other core that has a capability to the object; they are flagged FOREIGN and name the owner. Nothing
 *                else is noted there.
 *
 * Two rules keep this small:
 *
 *   Ancestors are where the owner is. A core that owns something which was derived from a shared object also has that object.
 *   So whoever takes an object apart finds all that was derived from it on the object's own owner and holders, and what these
 *   shared further, on the cores that the derived object's own owner names. It follows that operations on an object inside
 *   another never wait for one on the outer object, only the other way round: nobody waits in a circle.
 *
 *   If the last capability of a core would go, but the first rule needs it, the monitor keeps it: an *anchor* (anchors.c). So has the
 *   owner of an object that is covered by something that is not shared (its monitor's memory, say): the anchor is what stands
 *   in the way of somebody who takes that apart without agreement. An owner that is not held by either gives the
 *   object to a holder instead (transfer.c). Page tables and doorbells never change their owner: whose the shadow is, and whom
 *   the bell wakes, doesn't change by a word.
 *
 * The holders are exact when nothing is under way: whoever loses its last capability says so. What a core says of that can be
 * overtaken by what it answers to a question, so each answer tells whether the core has the object now (`holds`).
 *
 * One file for each operation, its messages in order on top: copy.c, retype.c, delete.c, transfer.c, revoke.c. Each is
 * a state machine: agreement_receive and the functions that begin an operation take what happened, change the state and send; none of them
 * waits. sweep.c takes an object apart on this core, in slices (agreement_step), and begins a revoke for each shared
 * object that it meets inside. members.c changes the view when a core dies.
 *
 * All state is in struct agreement, which has no pointers: the explorer (tests/explore) saves, restores and hashes it. What it
 * does to capabilities goes through platform.h and the slots of atoll/capability.h, what it says through the functions at the end of
 * this file. A peer's message is believed in nothing: who sent it, whether it fits the operation that it names, and
 * whether it is of this view is checked before anything changes (agreement_receive); what does not fit is counted and dropped. */

#include <atoll/capability.h>

#include "cpudriver/abi/core_boot.h"
#include "monitor/agreement/messages.h"
#include "monitor/agreement/set.h"
#include "monitor/platform.h"

#ifndef SHARED_MAX          /* the explorer saves and restores this state for each step that it looks at */
#define SHARED_MAX     1024 /* shared objects that one core owns, or anchors that it keeps */
#define OPERATIONS_MAX 256  /* under way on one core, its own and others' */
#endif
#define SHARED_RESERVED (SHARED_MAX / 8) /* of them not for what users newly share */

/* What both sides of a shared object agree on. */
struct object {
	uint64_t base, size;
	enum cap_type type;
	uint16_t extra; /* a doorbell's index, else 0 */
};

/* ---- State ---- */

/* An object that this core owns and others hold, or that is about to become or was such a one; or one of another owner, for which it
 * keeps an anchor. Sorted, so that what lies in an object follows it; the rest of the table is zero. */
struct shared {
	struct object object; /* type Null: a free entry */
	uint32_t owner;
	cap_t anchor;         /* CAP_NULL: none */
	bool marked;          /* owner: its capabilities here are flagged REMOTE */
	bool adopted;         /* owner: since the last death, which is not settled yet */
	uint16_t busy;        /* owner: the operation that has its turn, as index + 1 */
	uint16_t first, last; /* owner: operations that wait for their turn, linked by `next` */
	uint16_t moving_to;   /* owner: core to which it is being given, + 1 */
	struct core_set holders;
};

enum operation_kind {
	OPERATION_NONE,
	/* asked for on this core */
	OPERATION_COPY,
	OPERATION_MOVE,
	OPERATION_RETYPE,
	OPERATION_DELETE,
	OPERATION_REVOKE,
	OPERATION_SWEEP, /* takes apart an object that only this core knows */
	/* this core's part of another core's operation */
	OPERATION_OWNER,  /* the owner's: `serving` says of which kind */
	OPERATION_HOLDER, /* a holder's sweep */
	OPERATION_TRANSFER,
};

struct operation {
	enum operation_kind kind, serving;
	uint8_t phase;       /* the file's own */
	uint8_t error;       /* so far: an ERR_NUMBER_* */
	uint8_t tries;       /* cores that were asked and turned out not to own the object */
	bool due;            /* in the queue of those that have something to do */
	bool answered;       /* who asked knows the result, or is dead */
	bool internal;       /* nobody asked: the agreement's own, or its parent's */
	bool swept;          /* this core's part of a revoke is done */
	bool kept;           /* revoke: the asker on another core still has its capability */
	bool tables;         /* mappings in tables that other cores use may go, `flush` says where from */
	bool pausing;        /* goes on when these have been forgotten, and not before */
	uint16_t generation; /* with the index: the number that answers name */
	uint16_t next;       /* in a line, or of those that are due; index + 1 */
	uint16_t parent;     /* the operation on this core that waits for it; index + 1 */
	uint32_t children;   /* answers outstanding */
	uint32_t owner;      /* of the object, as far as is known here */
	uint32_t core;       /* who asked, or who is asked */
	uint32_t number;     /* the asker's number for it */
	struct object object;
	cap_t cap;              /* this core's capability for it, in a slot of the monitor's; CAP_NULL: none */
	cap_t rescued;          /* copy of the last obstacle outside; CAP_NULL: none */
	struct object obstacle; /* and what that was */
	uint64_t base, bytes;   /* retype: the range */
	uint32_t to;            /* copy: the core */
	uint16_t rights;
	uint64_t recipient;    /* copy: who gets it there */
	uint64_t token;        /* who asked on this core */
	uint32_t messages;     /* sent for it, all cores, as far as they are known here */
	struct core_set left;  /* cores that have not answered */
	struct core_set flush; /* cores that must forget translations before it ends */
};

struct agreement_statistics {
	uint64_t begun[OPERATION_TRANSFER + 1], done[OPERATION_TRANSFER + 1];
	uint64_t sent, received;
	uint64_t refused; /* messages that were malformed, of another view, or that fit no operation */
};

struct agreement {
	uint32_t core, cores;
	uint32_t view;                /* counts up whenever a core dies or joins */
	struct core_set alive;        /* in this view, and not in `gone` */
	struct core_set gone;         /* have died since the last view that was settled */
	struct core_set joining;      /* of those, who is in this view again */
	bool changing;                /* between views: nothing new begins */
	bool recounts;                /* somebody has died since the last view that was settled: all count again what they have of others */
	uint8_t stage;                /* members.c: how far the change of view is, here */
	struct core_set reached[5];   /* and who has said that it is as far */
	uint16_t due_first, due_last; /* operations with something to do, linked by `next` */
	uint32_t shared_count, operation_count;
	uint32_t flushing;  /* operations that wait for other cores to flush */
	uint32_t parked;    /* deletions that found no room */
	bool eased;         /* something has ended since they were tried */
	uint32_t tidy_next; /* the entry whose anchor is looked at next */
	struct shared shared[SHARED_MAX];
	struct operation operation[OPERATIONS_MAX];
	struct agreement_statistics statistics;
};

/* ---- Beginning an operation ----
 *
 * `cap` is a slot of the monitor's own with a copy of the capability that the operation is about (delete, move, revoke: with the only
 * one that the caller had). It belongs to the agreement until agreement_done(token) gives it back; it may have been emptied by then, or
 * hold the object's memory. Nothing happens before the next agreement_step.
 * Errors here (LIMIT, CAP_TYPE, CORE_DEAD, CORE_UNKNOWN) mean that nothing has begun and the slot is still the caller's. */

void agreement_start(struct agreement *a, uint32_t core, uint32_t cores);

/* A copy with at most `rights` to `recipient` on core `to`; `move`: the one here goes when that has arrived. */
MUST_USE err_t agreement_copy(struct agreement *a, uint64_t token, cap_t cap, uint16_t rights, uint32_t to, uint64_t recipient, bool move);

/* Asks whether [base, base + bytes) of the object is free everywhere. If it is, agreement_done is called with OK and makes the
 * new objects (platform_retype) before it returns; until then the object is locked. */
MUST_USE err_t agreement_retype(struct agreement *a, uint64_t token, cap_t cap, uint64_t base, uint64_t bytes);

MUST_USE err_t agreement_delete(struct agreement *a, uint64_t token, cap_t cap);

/* Every other copy and every descendant, on all cores. */
MUST_USE err_t agreement_revoke(struct agreement *a, uint64_t token, cap_t cap);

/* ---- What happens ---- */

/* A message from another core, in words as it came. */
void agreement_receive(struct agreement *a, uint32_t from, unsigned type, const uint64_t words[CHANNEL_WORDS]);

/* Does a slice of the work that is due here. Returns whether there is more. */
bool agreement_step(struct agreement *a);

/* A new view: `alive` are its members. Ends or mends everything that waited for a core that is not in it (members.c). */
void agreement_view(struct agreement *a, uint32_t view, const struct core_set *alive);

/* Nothing is under way here. */
bool agreement_is_quiet(const struct agreement *a);

/* ---- What the surroundings provide: the monitor, or the explorer ---- */

/* Messages between two cores arrive in the order in which they were sent. */
void agreement_send(struct agreement *a, uint32_t to, unsigned type, const union agreement_message *message);

/* An operation that began here with this token is over. `cap`: the slot that it got, back. `messages`: how many it took on all cores. */
void agreement_done(struct agreement *a, uint64_t token, enum operation_kind kind, err_t error, cap_t cap, uint32_t messages);

/* A capability has come for somebody on this core: takes it out of the slot, or says why not (then it is deleted). */
MUST_USE err_t agreement_deliver(struct agreement *a, uint64_t recipient, cap_t cap, uint32_t from);

/* Whether that object of another core's is in the surroundings' own hands here, and in no user's: then its owner's death is their business. */
bool agreement_is_private(struct agreement *a, const struct object *object);

/* A capability of the agreement's own for which it has no room at all: agreement_delete is to be asked for it when there is. */
void agreement_put_off(struct agreement *a, cap_t cap);

/* The last capability to some memory was the agreement's own: the slot now holds it as RAM. */
void agreement_return_memory(struct agreement *a, cap_t ram);
