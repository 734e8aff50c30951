/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Taking ranges away from those who have mapped them: the message drop on its way down the tree, and dropped on its way back. What this
 * member has in hand for a home, be it its own or another's, is one `struct errand`: every home has one change at a time.
 *
 * A member that dies in the middle leaves those below it without an answer, or the drop itself. So who sent to it sends to each of those
 * directly; who hears of the same change again just tells this one, too, when it is done. */

#include "libos/address_space/address_space.h"
#include "libos/address_space/count.h"
#include "libos/address_space/remote.h"
#include "libos/address_space/users.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/span/tree.h"
#include "libos/thread/thread.h"

struct errand {
	uint64_t base, end;
	uint32_t sequence;
	uint64_t below;   /* all that are below this member in the tree */
	uint64_t pending; /* those that it has sent to, and who have not answered */
	uint64_t askers;  /* who has to be told */
};

static struct errand errands[SPAN_MAX];
static bool changing; /* the own errand is under way, or was and the range is not to be touched yet */
static struct thread *changer;
static struct queue waiting; /* for their change */

static uint64_t bit(unsigned member)
{
	return UINT64_C(1) << member;
}

static void send_drop(struct errand *a, unsigned home, unsigned child, uint64_t below)
{
	err_t e = LINK_SEND(child, drop, .base = a->base, .end = a->end, .below = below, .home = home, .sequence = a->sequence);

	if (err_is(e, ERR_NUMBER_PEER_GONE))
		return;
	if (is_err(e))
		__builtin_trap(); /* no memory for one line: going on, pages would be used that the child still has */
	memory_count.drops++;
	a->pending |= bit(child);
}

static void send_down(struct errand *a, unsigned home)
{
	struct tree_part part[TREE_CHILDREN];
	unsigned parts;

	a->below &= link_mask;
	parts = tree_split(a->below, part);
	for (unsigned i = 0; i < parts; i++)
		send_drop(a, home, part[i].child, part[i].below);
}

/* All below have answered. */
static void finish(struct errand *a, unsigned home)
{
	if (a->pending != 0)
		return;
	if (home == span_member()) {
		if (changer != NULL)
			thread_ready(changer);
		return;
	}
	for (; a->askers != 0; a->askers &= a->askers - 1)
		(void)!is_ok(LINK_SEND((unsigned)__builtin_ctzll(a->askers), dropped, .home = home, .sequence = a->sequence));
}

void link_handle_drop(unsigned from, const struct link_drop *m)
{
	struct errand *a = &errands[m->home];

	if (a->pending != 0 && a->sequence == m->sequence) {
		a->askers |= bit(from);
		return;
	}
	*a = (struct errand){.base = m->base, .end = m->end, .sequence = m->sequence, .below = m->below, .askers = bit(from)};
	send_down(a, m->home);
	remote_drop(m->base, m->end);
	finish(a, m->home);
}

void link_handle_dropped(unsigned from, const struct link_dropped *m)
{
	struct errand *a = &errands[m->home];

	if (a->sequence != m->sequence || (a->pending & bit(from)) == 0)
		return;
	a->pending &= ~bit(from);
	finish(a, m->home);
}

/* Who was below it hears it directly. */
static void left(unsigned member)
{
	users_forget_everywhere(member);
	for (unsigned home = 0; home < SPAN_MAX; home++) {
		struct errand *a = &errands[home];
		struct tree_part part[TREE_CHILDREN];
		unsigned parts = tree_split(a->below, part);

		a->askers &= ~bit(member);
		if ((a->pending & bit(member)) == 0)
			continue;
		a->pending &= ~bit(member);
		for (unsigned i = 0; i < parts; i++)
			for (uint64_t rest = part[i].child == member ? part[i].below : 0; rest != 0; rest &= rest - 1)
				send_drop(a, home, (unsigned)__builtin_ctzll(rest), 0);
		finish(a, home);
	}
}

/* Changes are counted anew by each member that has this number. A drop of the former one's may have come by others after it had left. */
static void joined(unsigned member)
{
	errands[member] = (struct errand){0};
}

void change_start(void)
{
	link_on_change(joined, left);
}

/* ---- The own ---- */

bool change_covers(uint64_t address)
{
	const struct errand *own = &errands[span_member()];

	return changing && address >= own->base && address < own->end;
}

uint32_t change_sequence(void)
{
	return errands[span_member()].sequence;
}

bool change_outdates(unsigned home, uint32_t sequence, uint64_t base, uint64_t end)
{
	const struct errand *a = &errands[home];
	int32_t later = (int32_t)(a->sequence - sequence);

	/* Only the last one's range is known here. */
	return later > 1 || (later == 1 && base < a->end && end > a->base);
}

static bool has_to_wait(uint64_t base, uint64_t end)
{
	const struct errand *own = &errands[span_member()];

	return changing && ((base < own->end && end > own->base) || users_of(base, end) != 0);
}

static void take_away(uint64_t base, uint64_t end, uint64_t users)
{
	struct errand *own = &errands[span_member()];

	changing = true;
	users_forget(base, end, users);
	*own = (struct errand){.base = base, .end = end, .sequence = own->sequence + 1, .below = users};
	send_down(own, span_member());
	changer = thread_current;
	while (own->pending != 0)
		thread_wait(THREAD_FOREVER);
	changer = NULL;
}

void change_begin(uint64_t base, uint64_t end, bool alone)
{
	uint64_t users;

	while (alone ? changing : has_to_wait(base, end)) {
		queue_put(&waiting, &thread_current->run.entry);
		thread_wait(THREAD_FOREVER);
	}
	users = users_of(base, end);
	if (users != 0 || alone)
		take_away(base, end, users);
}

void change_end(uint64_t base, uint64_t end)
{
	const struct errand *own = &errands[span_member()];
	struct thread *t;

	if (!changing || own->base != base || own->end != end)
		return;
	changing = false;
	while ((t = thread_of(queue_take(&waiting))) != NULL)
		thread_ready(t);
	home_go_on();
}
