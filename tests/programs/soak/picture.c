/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The invariants of capability agreement, as far as they can be seen from inside, when nothing is under way. */

#include "tests/programs/soak/picture.h"

bool picture_concerns(const struct picture *p, uint64_t base)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (p->arena[i] != 0 && base >= p->arena[i] && base < p->arena[i] + ARENA_BYTES)
			return true;
	return false;
}

static bool same(const struct seen *a, const struct seen *b)
{
	return a->type == b->type && a->base == b->base && a->size == b->size;
}

static bool overlap(const struct seen *a, const struct seen *b)
{
	return a->base < b->base + b->size && b->base < a->base + a->size;
}

/* Whether the one may have been made of the other. */
static bool may_hold(const struct seen *outer, const struct seen *inner)
{
	if (inner->base < outer->base || inner->base + inner->size > outer->base + outer->size)
		return false;
	return outer->type == CAP_RAM || (outer->type == CAP_Frame && inner->type == CAP_Frame);
}

static const struct seen *account_at(const struct picture *p, const struct seen *object, unsigned core)
{
	for (unsigned i = 0; i < p->accounts; i++)
		if (same(&p->account[i], object) && p->account[i].core == core)
			return &p->account[i];
	return NULL;
}

static bool held_at(const struct picture *p, const struct seen *object, unsigned core)
{
	for (unsigned i = 0; i < p->held; i++)
		if (same(&p->cap[i], object) && p->cap[i].core == core)
			return true;
	return false;
}

/* Whether a worker has something that it can't look into. */
static bool hides_at(const struct picture *p, unsigned core)
{
	for (unsigned i = 0; i < p->held; i++)
		if (p->cap[i].core == core && (p->cap[i].flags & HELD_CLOSED))
			return true;
	return false;
}

/* Somebody there has it, or may have: a worker, or the monitor for it. */
static bool known_at(const struct picture *p, const struct seen *object, unsigned core)
{
	const struct seen *account = account_at(p, object, core);

	return held_at(p, object, core) || (account != NULL && account->anchored) || hides_at(p, core);
}

static const char *wrong_capability(const struct picture *p, const struct seen *cap)
{
	const struct seen *account = account_at(p, cap, cap->owner);
	const bool shared = account != NULL && account->owner == cap->owner && account->holders != 0;

	if (cap->flags & CAP_FLAG_FOREIGN) {
		if (cap->owner == cap->core)
			return "a capability is flagged FOREIGN on its owner's core";
		if (!shared)
			return "a core has it, but the owner that it names does not know that anybody has";
		return account->holders >> cap->core & 1 ? NULL : "a core has it, but its owner does not know";
	}
	if (cap->owner != cap->core)
		return "a capability names another core as its owner, but is not flagged FOREIGN";
	if (((cap->flags & CAP_FLAG_REMOTE) != 0) != shared)
		return shared ? "others hold it, but the owner's capability is not flagged REMOTE"
		              : "a capability is flagged REMOTE, but nobody else is known to hold it";
	return NULL;
}

static const char *wrong_account(const struct picture *p, const struct seen *account)
{
	const struct seen *owners = account_at(p, account, account->owner);

	if (owners == NULL || owners->owner != account->owner)
		return "a monitor says who the owner is, but that one does not say so";
	if (account->core != account->owner)
		return owners->holders >> account->core & 1 ? NULL : "a core keeps an anchor, but the owner does not know";
	if (!known_at(p, account, account->core))
		return "the owner has no capability to it";
	for (unsigned core = 0; core < 64; core++)
		if ((account->holders >> core & 1) && !known_at(p, account, core))
			return "a core is noted as a holder, but has nothing";
	return NULL;
}

static bool is_between(const struct seen *outer, const struct seen *s, const struct seen *inner)
{
	return may_hold(outer, s) && may_hold(s, inner) && !same(s, outer) && !same(s, inner);
}

/* Whether there is a smaller object around the inner one than the outer one. */
static bool has_smaller(const struct picture *p, const struct seen *outer, const struct seen *inner)
{
	for (unsigned i = 0; i < p->held; i++)
		if (is_between(outer, &p->cap[i], inner))
			return true;
	for (unsigned i = 0; i < p->accounts; i++)
		if (is_between(outer, &p->account[i], inner))
			return true;
	return false;
}

static const char *wrong_pair(const struct picture *p, const struct seen *a, const struct seen *b)
{
	if (same(a, b))
		return a->owner == b->owner ? NULL : "two cores disagree on who the owner is";
	if (!overlap(a, b))
		return NULL;
	if (!may_hold(a, b) && !may_hold(b, a))
		return "two objects overlap that may not";
	if (may_hold(a, b) && !known_at(p, a, b->owner) && !has_smaller(p, a, b))
		return "the owner of something that lies in it has nothing of it";
	return NULL;
}

const char *picture_wrong(const struct picture *p, struct seen *about)
{
	const char *why = p->operations > 0 ? "an operation is still under way" : NULL;

	*about = (struct seen){.type = CAP_Null};
	for (unsigned i = 0; i < p->held && why == NULL; i++) {
		*about = p->cap[i];
		why = wrong_capability(p, &p->cap[i]);
		for (unsigned other = 0; other < p->held && why == NULL; other++)
			why = wrong_pair(p, &p->cap[i], &p->cap[other]);
	}
	for (unsigned i = 0; i < p->accounts && why == NULL; i++) {
		*about = p->account[i];
		why = wrong_account(p, &p->account[i]);
	}
	return why;
}

static bool tells_about(const struct seen *s, const struct seen *about)
{
	return about->type == CAP_Null || overlap(s, about);
}

void picture_print(const struct picture *p, const struct seen *about)
{
	for (unsigned i = 0; i < p->operations && i < OPERATIONS_SEEN; i++) {
		const struct agreement_info *o = &p->operation[i].info;

		printf("soak:   core %u is at operation %u, serving %llu, phase %llu, with core %u, %llu cores to answer: %s 0x%llx+0x%llx\n",
		       p->operation[i].core, o->detail, (unsigned long long)o->word[2], (unsigned long long)o->word[3], o->core,
		       (unsigned long long)o->word[1], cap_type_name((enum cap_type)o->type), (unsigned long long)o->base,
		       (unsigned long long)o->size);
	}
	for (unsigned i = 0; i < p->held; i++)
		if (tells_about(&p->cap[i], about))
			printf("soak:   core %u has %-10s 0x%llx+0x%llx owner %u rights %u flags %u\n", p->cap[i].core,
			       cap_type_name(p->cap[i].type), (unsigned long long)p->cap[i].base, (unsigned long long)p->cap[i].size,
			       p->cap[i].owner, p->cap[i].rights, p->cap[i].flags);
	for (unsigned i = 0; i < p->accounts; i++)
		if (tells_about(&p->account[i], about))
			printf("soak:   monitor %u  %-10s 0x%llx+0x%llx owner %u holders %llx%s\n", p->account[i].core,
			       cap_type_name(p->account[i].type), (unsigned long long)p->account[i].base,
			       (unsigned long long)p->account[i].size, p->account[i].owner, (unsigned long long)p->account[i].holders,
			       p->account[i].anchored ? " anchored" : "");
}
