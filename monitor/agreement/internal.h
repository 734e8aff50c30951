/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* What the files of the agreement share among themselves. */

#include "monitor/agreement/agreement.h"
#include "monitor/agreement/mutants.h"

/* Where an operation stands. Each file uses the ones that its diagram shows. */
enum phase {
	PHASE_BEGIN,     /* nothing is decided yet: who owns the object? */
	PHASE_ASKED,     /* the owner's answer is outstanding */
	PHASE_LINE,      /* other operations on the object come first */
	PHASE_TURN,      /* it has its turn */
	PHASE_INSTALL,   /* copy: the receiver's answer is outstanding */
	PHASE_FIND,      /* retype: the holders' */
	PHASE_GRANTED,   /* retype: the asker's */
	PHASE_SWEEP,     /* revoke: taking apart; and holders' answers are outstanding */
	PHASE_TAKE_OVER, /* transfer: the new owner's answer is outstanding */
	PHASE_NEW_OWNER, /* transfer: the other holders' */
	PHASE_COMPLETE,  /* transfer: the old owner's last word is outstanding */
	PHASE_END,       /* the object may be shared no more */
	PHASE_PARKED,    /* a deletion of the agreement's own found no room: tried again when there is nothing else to do */
};

/* An object as a message names it. */
struct subject {
	struct object object;
	uint32_t owner;
	uint32_t number; /* of an operation */
};

/* ---- Operations (agreement.c) ---- */

static inline uint16_t operation_index(const struct agreement *a, const struct operation *op)
{
	return (uint16_t)(op - a->operation + 1);
}
static inline struct operation *operation_at(struct agreement *a, uint16_t index)
{
	return &a->operation[index - 1];
}
/* What others call it. */
static inline uint32_t operation_number(const struct agreement *a, const struct operation *op)
{
	return operation_index(a, op) | (uint32_t)op->generation << 16;
}
/* What the operation is about, whoever asked. */
static inline enum operation_kind operation_role(const struct operation *op)
{
	return op->serving != OPERATION_NONE ? op->serving : op->kind;
}

/* A new one, or NULL: too many of its kind are under way. The second is the agreement's own: it finds room longer than others. */
struct operation *operation_new(struct agreement *a, enum operation_kind kind, const struct object *object);
struct operation *operation_new_internal(struct agreement *a, enum operation_kind kind, const struct object *object);
/* It is forgotten; whoever waited for it goes on. */
void operation_free(struct agreement *a, struct operation *op);
/* The one under way that a message names, NULL if there is none of this number about this object. */
struct operation *operation_named(struct agreement *a, const struct subject *s);
/* The same of a message that is about no object. */
struct operation *operation_numbered(struct agreement *a, uint32_t number);
/* agreement_step will go on with it. */
void operation_due(struct agreement *a, struct operation *op);
/* Goes on with it now. */
void operation_run(struct agreement *a, struct operation *op);
/* The end: whoever asked is told, and what the agreement itself still has of the object goes. */
void operation_end(struct agreement *a, struct operation *op, cap_t anchor);
void operation_fail(struct agreement *a, struct operation *op, err_t e);
/* Whose the object is now, as the capability says. Errors: CAP_EMPTY; CORE_DEAD: nobody's who could be asked; NOT_OWNER for what another
 * core asked, when this one owns it no more. */
MUST_USE err_t operation_look(struct agreement *a, struct operation *op);
/* The same, whoever asked. */
MUST_USE err_t operation_cap(struct operation *op);
/* Begins the deletion of a capability of the agreement's own. */
void dispose(struct agreement *a, cap_t cap);

/* An empty message. */
union agreement_message message_blank(void);
/* Sends; the head is made from the operation, or from what is given. */
void say(struct agreement *a, struct operation *op, uint32_t to, unsigned type, uint32_t number, union agreement_message *m);
void say_about(struct agreement *a, const struct subject *about, uint32_t to, unsigned type, union agreement_message *m);

/* One for each message: what it may be, and what follows. False: it is not to be believed, nothing has changed. */
#define AGREEMENT(name, number, fields)                                                                                                    \
	MUST_USE bool receive_##name(struct agreement *a, uint32_t from, const struct subject *s, const struct agreement_##name *m);
#include "monitor/agreement/messages.def"
#undef AGREEMENT

/* ---- The way to the owner (course.c) ---- */

/* What copy, retype and revoke do each in its own way. */
struct course {
	err_t (*look)(struct agreement *a, struct operation *op);                  /* whose is the object, and may this be asked at all? */
	void (*ask)(struct agreement *a, struct operation *op);                    /* another core's */
	void (*turn)(struct agreement *a, struct operation *op, struct shared *s); /* this one's, and nobody is before it in the line */
};
void course_run(struct agreement *a, struct operation *op, const struct course *c);

/* The core that was asked did not own the object: whether another one is going to be asked. */
bool asker_tries_again(struct agreement *a, struct operation *op, uint32_t error);
/* Begins the owner's part of another core's operation; NULL: the object's line is not to be had, and the answer is given. */
struct operation *owner_serve(struct agreement *a, uint32_t from, const struct subject *s, enum operation_kind what);
/* Tells the core that asked how its operation ended. */
void owner_answer(struct agreement *a, struct operation *op);
/* Whether whoever asked still has the object. */
bool owner_asker_holds(struct agreement *a, struct operation *op);

/* ---- The operations ---- */

/* The end of a deletion. */
void delete_finish(struct agreement *a, struct operation *op, err_t e);

/* The owner's last capability goes, others hold the object and nothing keeps it here: one of them gets it. */
void transfer_begin(struct agreement *a, struct operation *op);
/* A holder is gone while its object is being given away. False: it is not. */
bool transfer_gone(struct agreement *a, struct shared *s, uint32_t core);

/* Flags all capabilities to the object at once: the time that it takes is bounded by how many there are here. */
err_t mark_all(cap_t cap, bool remote, uint32_t owner);

void copy_run(struct agreement *a, struct operation *op);
void retype_run(struct agreement *a, struct operation *op);
void delete_run(struct agreement *a, struct operation *op);
void revoke_run(struct agreement *a, struct operation *op);
void holder_run(struct agreement *a, struct operation *op);
void transfer_run(struct agreement *a, struct operation *op);

/* ---- Changes of the view (members.c) ---- */

/* Whether a message of that view may come from the core now. */
bool members_may_say(const struct agreement *a, uint32_t from, unsigned type, uint32_t view);
/* `new_owner` of the leader's. */
MUST_USE bool members_new_owner(struct agreement *a, uint32_t from, const struct subject *s, uint32_t owner);

/* What becomes of an operation when some cores are not in the view any more. */
void copy_mend(struct agreement *a, struct operation *op);
void retype_mend(struct agreement *a, struct operation *op);
void revoke_mend(struct agreement *a, struct operation *op);
void holder_cancel(struct agreement *a, struct operation *op);
void holder_end_cancelled(struct agreement *a, struct operation *op);
void sweep_mend(struct agreement *a, struct operation *op);
/* The new owner is dead: all that heard of it will claim the object. */
void transfer_lost(struct agreement *a, struct operation *op);
void transfer_mend(struct agreement *a, struct operation *op);
/* Whether the core is in the view: it may be spoken to. */
bool is_member(const struct agreement *a, uint32_t core);
/* Members of the set that are alive. */
void keep_alive(const struct agreement *a, struct core_set *set);

/* ---- Shared objects (shared.c) ---- */

static inline bool object_is(const struct object *o, const struct object *p)
{
	return o->base == p->base && o->size == p->size && o->type == p->type;
}
/* The order of the table: an object comes before what lies in it. */
static inline bool object_before(const struct object *o, const struct object *p)
{
	if (o->base != p->base)
		return o->base < p->base;
	if (o->size != p->size)
		return o->size > p->size;
	return o->type < p->type;
}
static inline bool object_contains(const struct object *o, uint64_t base, uint64_t size)
{
	return base >= o->base && size <= o->size && base - o->base <= o->size - size;
}

static inline bool is_table(const struct object *o)
{
	return o->type >= CAP_PageTable1 && o->type <= CAP_PageTable4;
}

/* Whose it is never changes: a table's shadow, or whom a doorbell wakes. */
static inline bool keeps_owner(const struct object *o)
{
	return is_table(o) || o->type == CAP_Doorbell;
}

struct shared *shared_find(struct agreement *a, const struct object *object);
/* The entry, made if there is none; NULL: the table is full. */
struct shared *shared_make(struct agreement *a, const struct object *object, uint32_t owner);
void shared_remove(struct agreement *a, struct shared *s);
/* Where the first entry that does not come before the object is, or would be. */
uint32_t shared_position(const struct agreement *a, const struct object *object);
/* Joins the line of operations on the object, which this core owns. Its phase is PHASE_TURN or PHASE_LINE afterwards. Errors: LIMIT. */
MUST_USE err_t line_enter(struct agreement *a, struct operation *op);
/* The object's entry, if it is this operation's turn; else NULL. */
struct shared *line_turn(struct agreement *a, const struct operation *op);
/* This core no longer owns the object: those in line find out. */
void line_break(struct agreement *a, struct shared *s);
/* After a revoke: what other cores asked for with capabilities that are swept. */
void line_refuse(struct agreement *a, struct shared *s, err_t e);

/* The owner's end of an operation: if nobody else holds the object, it is shared no more. */
void owner_end(struct agreement *a, struct operation *op);

/* Whether nothing is in the slot. */
bool slot_is_empty(cap_t cap);
/* A copy of the object in a slot of the agreement's own. */
MUST_USE err_t handle_take(const struct object *object, uint32_t owner, uint8_t rights, cap_t *out);
/* The same of an object that this core owns, and has: what is gone is not made anew. Errors also: STATE. */
MUST_USE err_t handle_own(struct agreement *a, const struct object *object, uint8_t rights, cap_t *out);
/* Gives it back, on a core that does not own the object; its owner is told by the caller. Whether there is another one, or it has to stay.
 */
bool handle_drop(struct agreement *a, cap_t cap);
/* The object that is in a slot. */
MUST_USE err_t object_of(cap_t cap, struct object *object, uint32_t *owner, unsigned *flags);
/* Members of the set that are alive, without this core. */
struct core_set others_of(const struct agreement *a, const struct core_set *set);

/* ---- Anchors (anchors.c) ---- */

/* The entry's anchor. One that was swept is forgotten. */
cap_t anchor_of(struct shared *s);
/* Whether it must stay, even if nobody else has the object: it is the last one, and something lies in it. */
bool anchor_has_contents(struct shared *s);
/* The operation's capability becomes the anchor; the caller's slot, if it has one, is empty then. Errors: LIMIT, NO_SLOT. */
MUST_USE err_t anchor_keep(struct agreement *a, struct operation *op);
/* What was swept in the object's range took anchors along. */
void anchors_forget(struct agreement *a, const struct object *object);
/* Looks whether some are not needed any more. True: one is about to go, and there may be more. */
bool anchors_tidy(struct agreement *a);
/* Ends the sharing of an object that nobody else holds any more, unless an operation on it is under way, which will. */
void nobody_left(struct agreement *a, struct shared *s);

/* ---- Taking apart (sweep.c) ---- */

enum progress {
	PROGRESS_DONE,
	PROGRESS_MORE,  /* repeat */
	PROGRESS_WAITS, /* the operation is made due when it can go on */
	PROGRESS_FAILED
};

/* A slice of sweeping op->cap. */
enum progress sweep_slice(struct agreement *a, struct operation *op);
/* Whether the operation may go on, if it was waiting for other cores to forget mappings. */
bool sweep_resumes(struct operation *op);
/* What to do about an obstacle in the operation's way. */
enum progress sweep_obstacle(struct agreement *a, struct operation *op, const struct platform_obstacle *o);
/* Everything is taken apart: what was rescued goes on, and other cores flush. DONE when they have. */
enum progress sweep_finish(struct agreement *a, struct operation *op);
