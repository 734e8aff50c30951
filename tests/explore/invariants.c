/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The invariants that are about all cores at once are checked in one pass over the databases of all cores, merged in their common order:
 * objects come before what lies in them, so a stack of the objects around the present one is all that has to be remembered. */

#include "tests/explore/world.h"

#include "tests/explore/invariants.h"

#include "cpudriver/capability/database.h"
#include "cpudriver/capability/types.h"

enum invariant broken;
struct object broken_about;

/* What is being looked at. */
static struct object about;

void break_invariant(enum invariant i)
{
	if (broken)
		return;
	broken = i;
	broken_about = about;
}

static const char *const name_of[] = {"",
#define INVARIANT(name, sentence) #name,
                                      INVARIANTS
#undef INVARIANT
};
static const char *const sentence_of[] = {"",
#define INVARIANT(name, sentence) sentence,
                                          INVARIANTS
#undef INVARIANT
};

const char *invariant_name(enum invariant i)
{
	return name_of[i];
}

const char *invariant_sentence(enum invariant i)
{
	return sentence_of[i];
}

/* ---- Objects of all cores, in order ------------------------------------------------------------- */

typedef uint32_t cores_t; /* a bit for each core: there are at most 32 here */

struct object_view {
	uint64_t base, end;
	enum cap_type type;
	cores_t holders, owners; /* who has it; who says that it is its own */
	cores_t remote;          /* who flags all its capabilities to it REMOTE */
	uint32_t named;          /* owner that the foreign copies name */
	bool named_differently;
};

struct merge {
	const struct slot *next[WORLD_CORES];
};

static void merge_begin(struct merge *m)
{
	for (unsigned c = 0; c < world.cores; c++)
		m->next[c] = world.core[c].dead ? NULL : first_slot(&world.core[c]);
}

static const struct slot *merge_first(const struct merge *m)
{
	const struct slot *first = NULL;

	for (unsigned c = 0; c < world.cores; c++)
		if (m->next[c] && (!first || object_before(m->next[c], first)))
			first = m->next[c];
	return first;
}

static void add_slot(struct object_view *v, unsigned core, const struct slot *s)
{
	const cores_t bit = (cores_t)1 << core;

	if (!(v->holders & bit))
		v->remote |= bit;
	v->holders |= bit;
	if (!(s->flags & CAP_FLAG_REMOTE))
		v->remote &= ~bit;
	if (s->owner == core) {
		v->owners |= bit;
		return;
	}
	if (v->named != CORES_MAX && v->named != s->owner)
		v->named_differently = true;
	v->named = s->owner;
}

/* The next object of memory; false after the last. */
static bool merge_next(struct merge *m, struct object_view *v)
{
	const struct slot *first = merge_first(m);

	about = (struct object){.type = CAP_Null};
	if (!first || first->base & LINE_MASK)
		return false;
	*v = (struct object_view){.base = first->base, .end = slot_end(first), .type = plain_type(first->type), .named = CORES_MAX};
	about = (struct object){.base = first->base, .size = first->size, .type = v->type};
	for (unsigned c = 0; c < world.cores; c++)
		for (; m->next[c] && same_object(m->next[c], first); m->next[c] = database_next(m->next[c]))
			add_slot(v, c, m->next[c]);
	return true;
}

/* ---- In every state ----------------------------------------------------------------------------- */

static const struct shared *entry_of(const struct core *c, const struct object_view *v)
{
	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *s = &c->agreement.shared[k];

		if (s->object.type == v->type && s->object.base == v->base && s->object.base + s->object.size == v->end)
			return s;
	}
	return NULL;
}

static bool is_shareable(const struct object_view *v)
{
	return type_facts[v->type].crosses && v->type != CAP_Doorbell;
}

#define FOR_EACH_OF(core, set)                                                                                                             \
	for (unsigned core = 0; core < world.cores; core++)                                                                                \
		if ((set) >> core & 1)

static void check_owners(const struct object_view *v)
{
	if ((v->owners & (v->owners - 1)) == 0)
		return;
	FOR_EACH_OF(giver, v->owners)
	{
		const struct shared *s = entry_of(&world.core[giver], v);

		if (s && s->moving_to && v->owners == ((cores_t)1 << giver | (cores_t)1 << (s->moving_to - 1)))
			return;
	}
	BREAK(single_owner);
}

static bool is_in_monitor(const struct core *c, const struct slot *s)
{
	const struct slot *first = monitor_slot(c, CAP(IN_MONITOR, 0));

	return s >= first && s < first + MONITOR_SLOTS;
}

/* A sweep has a capability to what it sweeps, even if it then finds that the core has no other. */
static bool is_swept_with(const struct core *c, const struct slot *s)
{
	for (unsigned k = 0; k < OPERATIONS_MAX && is_in_monitor(c, s); k++) {
		const struct operation *op = &c->agreement.operation[k];

		if (op->kind == OPERATION_HOLDER && op->cap.value != CAP_NULL.value && monitor_slot(c, op->cap) == s)
			return true;
	}
	return false;
}

static bool has_but_to_sweep(const struct core *c, const struct object_view *v)
{
	const struct slot object = {.base = v->base, .size = v->end - v->base, .type = (uint8_t)v->type};

	for (const struct slot *s = database_not_before(&c->caps, &object); s && same_object(s, &object); s = database_next(s))
		if (!is_swept_with(c, s))
			return true;
	return false;
}

/* For a moment nobody says that it is the owner: when a revoke has given the object to its caller, the only one who has it. */
static void check_holders(const struct object_view *v)
{
	cores_t known = v->owners;

	if ((v->holders & (v->holders - 1)) == 0)
		return;
	FOR_EACH_OF(owner, v->owners)
	{
		const struct shared *s = entry_of(&world.core[owner], v);

		if (s)
			known |= (cores_t)s->holders.word[0];
		if (!(v->remote >> owner & 1))
			BREAK(holders);
	}
	FOR_EACH_OF(core, v->holders & ~known)
	if (has_but_to_sweep(&world.core[core], v))
		BREAK(holders);
}

#define DEPTH 32

struct around {
	struct object_view object[DEPTH];
	unsigned depth;
};

static void check_place(struct around *a, const struct object_view *v, bool settled)
{
	while (a->depth && a->object[a->depth - 1].end <= v->base)
		a->depth--;
	if (a->depth) {
		const struct object_view *outer = &a->object[a->depth - 1];

		if (v->end > outer->end || !(type_ancestors(v->type) & TYPE_BIT(outer->type)))
			BREAK(nesting);
		if (settled && v->owners & ~outer->holders && v->type != CAP_Doorbell)
			BREAK(ancestors);
	}
	if (v->type != CAP_Endpoint && v->type != CAP_Doorbell && a->depth < DEPTH)
		a->object[a->depth++] = *v;
}

/* Memory that only a dead core had is not the agreement's to bring back. */
static void check_memory(const struct object_view *v, uint64_t *covered)
{
	unsigned core;

	while ((core = (unsigned)(*covered / CORE_BYTES)) < world.cores) {
		const uint64_t first = managed_page(core, 0).value;

		if (*covered < first)
			*covered = first;
		if (v->base > *covered && !world.core[core].dead && set_count(&world.alive) == world.cores)
			BREAK(memory);
		if (v->end <= *covered)
			return;
		*covered = v->end;
		if (v->end < first + MANAGED_PAGES * PAGE_BYTES)
			return;
		*covered = (core + 1) * CORE_BYTES;
	}
}

/* Between a death and the end of the settlement owners may be missing. */
static bool is_settled(void)
{
	for (unsigned c = 0; c < world.cores; c++)
		if (!world.core[c].dead && (world.core[c].view != world.view || world.core[c].agreement.changing))
			return false;
	return true;
}

void check_state(void)
{
	const bool settled = is_settled();
	struct around around = {.depth = 0};
	struct object_view v;
	uint64_t covered = 0;
	struct merge m;

	merge_begin(&m);
	while (merge_next(&m, &v)) {
		if (is_shareable(&v)) {
			check_owners(&v);
			if (settled)
				check_holders(&v);
		}
		check_place(&around, &v, settled);
		if (v.base % CORE_BYTES >= MANAGED)
			check_memory(&v, &covered);
	}
	check_memory(&(struct object_view){.base = world.cores * CORE_BYTES, .end = world.cores * CORE_BYTES}, &covered);
	for (unsigned c = 0; c < world.cores; c++)
		if (set_count(&world.alive) == world.cores && world.core[c].agreement.statistics.refused)
			BREAK(refused);
}

/* ---- When something ends ------------------------------------------------------------------------ */

#define MAY(error) (UINT64_C(1) << ERR_NUMBER_##error)

/* Besides OK; CAP_EMPTY: revoked or deleted before; SLOT_IN_USE: the receiver had no room. */
static const uint64_t allowed[REQUEST_KINDS] = {
    [REQUEST_COPY] = MAY(CAP_EMPTY) | MAY(CAP_TYPE) | MAY(SLOT_IN_USE),
    /* LAST_COPY: it arrived, but was deleted there before it was here */
    [REQUEST_MOVE] = MAY(CAP_EMPTY) | MAY(CAP_TYPE) | MAY(SLOT_IN_USE) | MAY(LAST_COPY),
    [REQUEST_RETYPE] = MAY(CAP_EMPTY) | MAY(CAP_RIGHTS) | MAY(OVERLAP) | MAY(RETYPE) | MAY(RANGE) | MAY(SLOT_IN_USE),
    [REQUEST_DELETE] = MAY(CAP_EMPTY) | MAY(LAST_COPY),
    /* LAST_COPY: what a CNode among the descendants holds */
    [REQUEST_REVOKE] = MAY(CAP_EMPTY) | MAY(CAP_RIGHTS) | MAY(LAST_COPY),
};

static bool is_allowed(enum request_kind kind, uint8_t error)
{
	if (error == ERR_NUMBER_OK || kind >= REQUEST_LOCAL_COPY)
		return true;
	if (error == ERR_NUMBER_CORE_DEAD)
		return set_count(&world.alive) < world.cores;
	return error < 64 && allowed[kind] >> error & 1;
}

static bool is_anchor(const struct core *c, const struct slot *s)
{
	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *e = &c->agreement.shared[k];

		if (e->object.type != CAP_Null && e->anchor.value != CAP_NULL.value && monitor_slot(c, e->anchor) == s)
			return true;
	}
	return false;
}

static bool lies_in(const struct slot *s, const struct object *o)
{
	const struct slot outer = {.base = o->base, .size = o->size, .type = (uint8_t)o->type};

	return s->base >= o->base && slot_end(s) <= o->base + o->size && !object_before(s, &outer);
}

static bool is_same(const struct slot *s, const struct object *o)
{
	return s->base == o->base && s->size == o->size && s->type == o->type;
}

/* The owner's monitor may keep a capability of its own to the object, as an anchor; but not one that somebody's operation is about. */
static bool is_monitors_own(const struct core *c, const struct slot *s)
{
	if (s->owner != core_number(c) || !is_in_monitor(c, s))
		return false;
	for (unsigned k = 0; k < TASKS_MAX; k++) {
		const struct task *t = &world.task[k];

		if (t->state == TASK_PENDING && t->request.core == core_number(c) && monitor_slot(c, (cap_t){t->cap}) == s)
			return false;
	}
	return true;
}

/* The object was revoked, and the caller has its capability back. */
static void check_revoked(const struct task *t)
{
	const struct slot *own = user_slot(t->request.core, t->request.slot);

	for (unsigned c = 0; c < world.cores; c++)
		for (const struct slot *s = world.core[c].dead ? NULL : first_slot(&world.core[c]); s; s = database_next(s))
			if (s != own && lies_in(s, &t->object) && !(is_same(s, &t->object) && is_monitors_own(&world.core[c], s)))
				BREAK(revoked);
	for (unsigned k = 0; k < TASKS_MAX; k++) {
		struct task *other = &world.task[k];
		const struct slot inner = {.base = other->object.base, .size = other->object.size, .type = (uint8_t)other->object.type};

		if (other != t && other->state == TASK_PENDING && !other->delivered && lies_in(&inner, &t->object))
			other->revoked = true;
	}
}

/* Whether a task that has not ended may still have cores to flush; `outer`: because of what lies around the object. */
static bool is_being_deleted(const struct object *o, bool outer)
{
	for (unsigned k = 0; k < TASKS_MAX; k++) {
		const struct task *t = &world.task[k];
		const bool overlaps = t->object.base < o->base + o->size && o->base < t->object.base + t->object.size;

		if (t->state == TASK_PENDING && t->request.kind != REQUEST_COPY && t->request.kind != REQUEST_RETYPE && overlaps &&
		    (!outer || t->object.size > o->size))
			return true;
	}
	return false;
}

/* A revoke answers for all mappings of the object, others only for their own. */
static void check_translations(const struct task *t)
{
	const struct object *o = &t->object;

	if (world.tables && !is_being_deleted(o, t->request.kind == REQUEST_REVOKE) && stale_anywhere(o->base, o->size))
		BREAK(translations);
}

void check_result(struct task *t)
{
	about = t->object;
	const bool ok = t->error == ERR_NUMBER_OK;

	if (!is_allowed(t->request.kind, t->error))
		BREAK(result);
	if (t->request.kind == REQUEST_COPY || t->request.kind == REQUEST_MOVE)
		if (t->delivered != (ok || t->error == ERR_NUMBER_LAST_COPY) && t->error != ERR_NUMBER_CORE_DEAD)
			BREAK(arrives);
	if (t->request.kind == REQUEST_REVOKE && ok)
		check_revoked(t);
	if (ok)
		check_translations(t);
}

/* If who received it has deleted it already, memory may have come back. */
void check_moved(const struct slot *s)
{
	if (s->type != CAP_Null && (s->type != CAP_RAM || s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN) || another_copy(s)))
		BREAK(moved);
}

void check_delivery(const struct task *t, const struct slot *s)
{
	about = t->object;
	if (t->delivered || !is_same(s, &t->object))
		BREAK(arrives);
	if (s->rights & ~(t->rights & t->request.rights))
		BREAK(rights);
	if (t->revoked)
		BREAK(revoked_later);
}

/* ---- At rest ------------------------------------------------------------------------------------ */

static void check_slots(const struct core *c)
{
	for (unsigned k = MONITOR_FIRST; k < MONITOR_SLOTS; k++) {
		const struct slot *s = monitor_slot(c, CAP(IN_MONITOR, k));
		const bool taken = c->taken[k / 64] >> k % 64 & 1, kept = c->kept[k / 64] >> k % 64 & 1;

		if (taken != (s->type != CAP_Null) || (taken && !kept && !is_anchor(c, s)))
			BREAK(leaked_slots);
	}
}

static bool owns_inside(const struct core *c, const struct object *o)
{
	for (const struct slot *s = first_slot(c); s; s = database_next(s))
		if (lies_in(s, o) && !is_same(s, o) && s->owner == core_number(c))
			return true;
	return false;
}

/* An anchor for an object of another core's may be there without need until the owner asks. Of one's own nobody would ask. */
static void check_entries(const struct core *c)
{
	for (unsigned k = 0; k < SHARED_MAX; k++) {
		const struct shared *s = &c->agreement.shared[k];

		about = s->object;
		if (s->object.type == CAP_Null)
			continue;
		if (s->owner != core_number(c) ? s->anchor.value == CAP_NULL.value
		                               : set_is_empty(&s->holders) && !owns_inside(c, &s->object))
			BREAK(leaked_entries);
		if (s->busy || s->first || s->moving_to)
			BREAK(quiet);
	}
}

static void check_object_at_rest(const struct object_view *v)
{
	const cores_t others = v->holders & ~v->owners;
	const struct shared *s;
	unsigned owner;

	if (!v->owners || v->owners & (v->owners - 1)) {
		BREAK(owned);
		return;
	}
	owner = (unsigned)__builtin_ctz(v->owners);
	if (others && (v->named_differently || v->named != owner))
		BREAK(owned);
	s = entry_of(&world.core[owner], v);
	if (others != (s ? (cores_t)s->holders.word[0] : 0) || (v->remote != 0) != (others != 0))
		BREAK(holders_exact);
}

static void check_quiet(const struct agreement *a)
{
	for (unsigned k = 0; k < OPERATIONS_MAX; k++)
		if (a->operation[k].kind != OPERATION_NONE) {
			about = a->operation[k].object;
			BREAK(quiet);
		}
	if (!agreement_is_quiet(a))
		BREAK(quiet);
}

void check_rest(void)
{
	struct object_view v;
	struct merge m;

	for (unsigned k = 0; k < TASKS_MAX; k++)
		if (world.task[k].state == TASK_PENDING && !world.core[world.task[k].request.core].dead)
			BREAK(ends);
	for (unsigned c = 0; c < world.cores; c++) {
		about = (struct object){.type = CAP_Null};
		if (world.core[c].dead)
			continue;
		check_quiet(&world.core[c].agreement);
		check_slots(&world.core[c]);
		check_entries(&world.core[c]);
	}
	merge_begin(&m);
	while (merge_next(&m, &v))
		if (is_shareable(&v))
			check_object_at_rest(&v);
}
