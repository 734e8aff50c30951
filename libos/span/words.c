/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "libos/span/words.h"

#include "libos/address_space/address_space.h"
#include "libos/domain/start.h"
#include "libos/memory/memory.h"
#include "libos/span/link.h"
#include "libos/span/span.h"
#include "libos/upcall/dispatcher.h"

struct guest {
	struct futex_waiter waiter;
	uint64_t thread; /* its member's pointer */
	unsigned member;
};

static struct guest *guest_of(struct futex_waiter *w)
{
	return (struct guest *)((char *)w - offsetof(struct guest, waiter));
}

unsigned words_elsewhere(uint64_t address)
{
	unsigned home = link_mask == 0 ? HOME_NONE : home_of(address);

	return home == HOME_NONE || home == span_member() ? SPAN_MAX : home;
}

/* ---- The waiter's member ---- */

static struct queue away; /* threads that wait elsewhere, by futex.entry */

err_t words_wait(unsigned home, uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits)
{
	bool inside = dispatcher_enter();
	struct thread *t = thread_current;
	err_t e = LINK_SEND(home, word_wait, .thread = (uint64_t)t, .address = address, .expected = expected, .bits = bits);

	if (is_ok(e)) {
		t->word_done = false;
		t->futex.address = address;
		queue_put(&away, &t->futex.entry);
		if (!thread_wait(deadline))
			(void)!is_ok(LINK_SEND(home, word_cancel, .thread = (uint64_t)t));
		while (!t->word_done)
			thread_wait(THREAD_FOREVER);
		queue_remove(&away, &t->futex.entry);
		e = t->word_error;
	}
	dispatcher_leave(inside);
	return e;
}

static void done(struct thread *t, err_t e)
{
	t->word_done = true;
	t->word_error = e;
	thread_ready(t);
}

void link_handle_word_woken(unsigned from, const struct link_word_woken *m)
{
	(void)from;
	done((struct thread *)m->thread, (err_t){m->error});
}

uint64_t words_wake(unsigned home, uint64_t address, uint64_t count, uint32_t bits)
{
	struct link_word_wake question = {.address = address, .count = count, .bits = bits};
	union link_message answer;

	return is_ok(link_ask(home, LINK_word_wake, &question, &answer)) ? answer.word_waked.woken : 0;
}

/* ---- The home of the word ---- */

static void tell(unsigned member, uint64_t thread, err_t e)
{
	(void)!is_ok(LINK_SEND(member, word_woken, .thread = thread, .error = e.number));
}

void words_wake_guest(struct futex_waiter *waiter)
{
	struct guest *g = guest_of(waiter);

	tell(g->member, g->thread, OK);
	store_free(g, sizeof *g);
}

void link_handle_word_wait(unsigned from, const struct link_word_wait *m)
{
	struct guest *g;

	if (!page_is_readable(m->address) || *(volatile uint32_t *)m->address != m->expected) {
		tell(from, m->thread, ERR(WOULD_BLOCK));
		return;
	}
	g = store_alloc(sizeof *g);
	if (g == NULL) {
		/* It looks again, and again comes here: slow, but right. */
		tell(from, m->thread, OK);
		return;
	}
	g->waiter.guest = true;
	g->thread = m->thread;
	g->member = from;
	futex_add(&word_waiters, &g->waiter, m->address, m->bits);
}

static bool is_that(const struct futex_waiter *w, unsigned member, uint64_t thread)
{
	const struct guest *g = guest_of((struct futex_waiter *)w);

	return w->guest && g->member == member && (thread == 0 || g->thread == thread);
}

/* It may have been moved to another word, so all are looked through. */
static struct futex_waiter *find(unsigned member, uint64_t thread)
{
	for (unsigned i = 0; i < FUTEX_LISTS; i++)
		for (struct queue_entry *e = word_waiters.list[i].first; e != NULL; e = e->next)
			if (is_that(futex_waiter_of(e), member, thread))
				return futex_waiter_of(e);
	return NULL;
}

void link_handle_word_cancel(unsigned from, const struct link_word_cancel *m)
{
	struct futex_waiter *w = find(from, m->thread);

	if (w == NULL)
		return;
	futex_remove(&word_waiters, w);
	store_free(guest_of(w), sizeof(struct guest));
	tell(from, m->thread, ERR(TIMEOUT));
}

void link_handle_word_wake(unsigned from, const struct link_word_wake *m)
{
	uint64_t woken = word_wake_here(m->address, m->count, m->bits);

	(void)!is_ok(LINK_SEND(from, word_waked, .token = m->token, .woken = woken));
}

static void left(unsigned member)
{
	struct futex_waiter *w;

	for (struct queue_entry *e = away.first; e != NULL; e = e->next) {
		struct futex_waiter *waiter = futex_waiter_of(e);

		if (home_of(waiter->address) == member)
			done((struct thread *)((char *)waiter - offsetof(struct thread, futex)), ERR(PEER_GONE));
	}
	while ((w = find(member, 0)) != NULL) {
		futex_remove(&word_waiters, w);
		store_free(guest_of(w), sizeof(struct guest));
	}
}

void words_start(void)
{
	link_on_change(NULL, left);
}
