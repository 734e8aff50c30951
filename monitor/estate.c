/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <stdlib.h>

#include "monitor/block.h"
#include "monitor/clear.h"
#include "monitor/estate.h"
#include "monitor/fence.h"
#include "monitor/handlers.h"
#include "monitor/mesh.h"
#include "monitor/report.h"
#include "monitor/shares.h"

#define NO_MEMORY_US 10000 /* before a piece that could not be settled for want of memory is asked about again */

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Room for so many more; false: there is no memory. */
static bool has_room(void **array, unsigned count, unsigned more, unsigned *room, size_t each)
{
	unsigned larger = *room == 0 ? 64 : 2 * *room;
	void *grown;

	if (more <= *room - count)
		return true;
	while (larger - count < more)
		larger *= 2;
	grown = realloc(*array, larger * each);
	if (grown == NULL)
		return false;
	*array = grown;
	*room = larger;
	return true;
}

/* ---- The leader's book ----
 *
 * It is given the room that a change may need before the change, so what it says of other memory is never lost. */

static bool book_has_room(struct settlement *s, unsigned more)
{
	return has_room((void **)&s->estate, s->estates, more, &s->estates_room, sizeof(*s->estate));
}

/* What adjoins and is alike is one, but it has the heirs of one node. */
static bool extend(const struct monitor *m, struct estate *to, const struct estate *by)
{
	if (to->core != by->core || to->held != by->held || to->orphaned != by->orphaned)
		return false;
	if (to->base + to->bytes != by->base && by->base + by->bytes != to->base)
		return false;
	if (machine_node_of_address(m->machine, to->base) != machine_node_of_address(m->machine, by->base))
		return false;
	to->base = lower(to->base, by->base);
	to->bytes += by->bytes;
	return true;
}

static void enter(struct monitor *m, struct estate e)
{
	struct settlement *s = &m->membership.settlement;

	if (e.bytes == 0)
		return;
	for (unsigned i = 0; i < s->estates;) {
		if (!extend(m, &e, &s->estate[i])) {
			i++;
			continue;
		}
		s->estate[i] = s->estate[--s->estates];
		i = 0;
	}
	s->estate[s->estates++] = e;
}

/* Takes the range out of whatever is noted: that may be one piece more then. */
static void carve(struct monitor *m, uint64_t base, uint64_t end)
{
	struct settlement *s = &m->membership.settlement;

	for (unsigned i = 0; i < s->estates;) {
		struct estate was = s->estate[i], rest = was;
		uint64_t was_end = was.base + was.bytes;

		if (was_end <= base || was.base >= end) {
			i++;
			continue;
		}
		s->estate[i] = s->estate[--s->estates];
		rest.bytes = base > was.base ? base - was.base : 0;
		enter(m, rest);
		rest.base = end;
		rest.bytes = was_end > end ? was_end - end : 0;
		enter(m, rest);
		i = 0;
	}
}

static bool note(struct monitor *m, struct estate e)
{
	if (!book_has_room(&m->membership.settlement, 2))
		return false;
	carve(m, e.base, e.base + e.bytes);
	enter(m, e);
	return true;
}

bool estate_given(struct monitor *m, uint32_t core, uint64_t base, uint64_t bytes)
{
	return note(m, (struct estate){.base = base, .bytes = bytes, .core = core});
}

void estate_orphan(struct monitor *m, uint32_t core)
{
	struct settlement *s = &m->membership.settlement;

	s->busy = true;
	for (unsigned i = 0; i < s->estates; i++)
		s->estate[i].orphaned |= s->estate[i].core == core || s->estate[i].held;
}

static bool has_all(const struct estate *e, uint32_t core, uint64_t base, uint64_t bytes)
{
	return e->core == core && !e->held && base >= e->base && bytes <= e->bytes && base - e->base <= e->bytes - bytes;
}

/* What is not in the book is settled with nobody. */
void estate_keep(struct monitor *m, uint32_t core, uint64_t base, uint64_t bytes)
{
	struct settlement *s = &m->membership.settlement;
	struct fence *f = fence_of(m, core);
	bool own = false;

	if (f->kept.bytes != 0)
		(void)estate_given(m, core, f->kept.base, f->kept.bytes);
	f->kept.bytes = 0;
	for (unsigned i = 0; i < s->estates; i++)
		own |= has_all(&s->estate[i], core, base, bytes);
	if (bytes == 0 || (base | bytes) % PAGE_BYTES != 0 || !own || !book_has_room(s, 2))
		return;
	carve(m, base, base + bytes);
	f->kept.base = base;
	f->kept.bytes = bytes;
}

uint32_t estate_heir(const struct monitor *m, unsigned node)
{
	uint16_t order[MACHINE_NODES], cores[MACHINE_CORES];
	unsigned nodes = machine_nodes_by_distance(m->machine, node, order);

	for (unsigned i = 0; i < nodes; i++) {
		unsigned count = machine_cores_of_node(m->machine, order[i], cores, MACHINE_CORES);

		for (unsigned c = 0; c < count && c < MACHINE_CORES; c++)
			if (membership_has(m, cores[c]))
				return cores[c];
	}
	return m->core;
}

/* ---- The leader settles a piece ---- */

static void ask(struct monitor *m)
{
	struct settlement *s = &m->membership.settlement;

	s->round++;
	s->arrivals = 0;
	s->holdings = 0;
	s->incomplete = false;
	s->repeat_at = 0;
	s->left = m->membership.alive;
	SET_FOR_EACH (core, &s->left)
		MESH_SEND(m, core, inventory, .round = s->round, .base = s->piece.base, .bytes = s->piece.bytes);
}

static bool begin(struct monitor *m)
{
	struct settlement *s = &m->membership.settlement;

	for (unsigned i = 0; i < s->estates; i++)
		if (s->estate[i].orphaned) {
			s->piece = s->estate[i];
			s->repeated = false;
			ask(m);
			return true;
		}
	return false;
}

static int by_base(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;

	return x->base != y->base ? (x->base < y->base ? -1 : 1) : (int)x->core - (int)y->core;
}

static void leave(struct monitor *m, uint64_t base, uint64_t end)
{
	struct settlement *s = &m->membership.settlement;
	uint32_t heir = estate_heir(m, machine_node_of_address(m->machine, base));
	/* What a member has dropped is nobody's inheritance, should that one die and come back. */
	uint32_t dead = membership_has(m, s->piece.core) ? heir : s->piece.core;
	struct fence *f = fence_of(m, dead);

	if (base >= end)
		return;
	(void)estate_given(m, heir, base, end - base);
	f->returned += end - base;
	set_add(&f->heirs, heir);
	f->inheriting++;
	MESH_SEND(m, heir, inherit, .dead = dead, .base = base, .bytes = end - base);
}

/* What nobody has goes to the heir, the rest to the name of who has it. The book has room for that. */
static void conclude(struct monitor *m)
{
	struct settlement *s = &m->membership.settlement;
	const struct estate piece = s->piece;
	uint64_t at = piece.base, end = piece.base + piece.bytes;

	carve(m, piece.base, end);
	if (s->holdings > 0)
		qsort(s->holding, s->holdings, sizeof(*s->holding), by_base);
	for (unsigned i = 0; i < s->holdings; i++) {
		uint64_t base = higher(s->holding[i].base, at), next = lower(s->holding[i].base + s->holding[i].bytes, end);

		if (next <= at)
			continue;
		leave(m, at, base);
		(void)note(m, (struct estate){.base = base, .bytes = next - base, .core = s->holding[i].core, .held = true});
		fence_of(m, piece.core)->held += next - base;
		at = next;
	}
	leave(m, at, end);
	s->piece.bytes = 0;
}

static void all_answered(struct monitor *m)
{
	struct settlement *s = &m->membership.settlement;
	bool still = s->repeated && s->arrivals == s->previous && !s->incomplete;

	s->repeated = true;
	s->previous = s->arrivals;
	if (s->repeat_at == 0 && !still)
		ask(m);
	else if (s->repeat_at == 0 && book_has_room(s, 2 * s->holdings + 2))
		conclude(m);
	else
		s->repeat_at = platform_now() + platform_ticks(NO_MEMORY_US);
}

static bool has_orphans(const struct monitor *m, uint32_t core)
{
	const struct settlement *s = &m->membership.settlement;

	for (unsigned i = 0; i < s->estates; i++)
		if (s->estate[i].orphaned && s->estate[i].core == core)
			return true;
	return s->piece.bytes != 0 && s->piece.core == core;
}

/* Those whose memory is settled. Returns whether there are others. */
static bool finish(struct monitor *m)
{
	bool left = false;

	for (uint32_t core = 0; core < m->peers; core++) {
		struct fence *f = fence_of(m, core);

		if (f->state != FENCE_BURIED)
			continue;
		if (f->inheriting == 0 && !has_orphans(m, core))
			fence_settled(m, core);
		else
			left = true;
	}
	return left;
}

/* Somebody who was asked is not a member any more, or somebody new may hold something; an heir may not live to confirm. */
static void view_has_changed(struct monitor *m)
{
	struct settlement *s = &m->membership.settlement;

	s->view = m->membership.view;
	for (uint32_t core = 0; core < m->peers; core++) {
		struct fence *f = fence_of(m, core);

		SET_FOR_EACH (heir, &f->heirs) {
			if (!membership_has(m, heir))
				f->inheriting = 0;
		}
	}
	if (s->piece.bytes != 0) {
		s->repeated = false;
		ask(m);
	}
}

/* While a core is being stopped it may have memory of another dead one, whose starter it was, or which started it. */
static void lead(struct monitor *m, uint64_t now)
{
	struct settlement *s = &m->membership.settlement;

	if (!s->busy || m->agreement.changing || fence_stops(m))
		return;
	if (s->view != m->membership.view)
		view_has_changed(m);
	if (s->piece.bytes == 0 && !begin(m))
		s->busy = finish(m);
	else if (s->repeat_at != 0 && now >= s->repeat_at && set_is_empty(&s->left))
		ask(m);
}

/* ---- What a member has ---- */

/* A gap ends what is to be told in one message. */
struct telling {
	struct monitor *m;
	uint32_t to, round;
	uint64_t base, end;
};

static void tell(struct telling *t)
{
	if (t->end > t->base)
		MESH_SEND(t->m, t->to, holding, .round = t->round, .base = t->base, .bytes = t->end - t->base);
	t->end = t->base = 0;
}

static void tell_more(struct telling *t, uint64_t base, uint64_t end)
{
	if (t->end != base) {
		tell(t);
		t->base = base;
	}
	t->end = end;
}

static bool is_own(const struct monitor *m, uint64_t base, uint64_t end)
{
	const struct core_boot *boot = m->boot;

	for (unsigned i = 0; i < m->roots; i++)
		if (base >= m->root[i].base && end <= m->root[i].base + m->root[i].bytes)
			return true;
	return base >= boot->image_base && end <= boot->image_base + boot->image_bytes;
}

static bool overlaps(uint64_t base, uint64_t bytes, uint64_t other, uint64_t end)
{
	return base < end && other < base + bytes;
}

/* The image is no object of the core that it drives, and no capability is. */
static bool has_nothing(const struct monitor *m, uint64_t base, uint64_t end)
{
	return !platform_find(CAP_NULL, base, end - base) && !overlaps(m->boot->image_base, m->boot->image_bytes, base, end);
}

/* Halves the range until it is known: whole pieces of this core's own are, and so is what nothing lies in. */
static void search(struct telling *t, uint64_t base, uint64_t end)
{
	uint64_t middle = base + ((end - base) / 2 & ~(PAGE_BYTES - 1));

	if (has_nothing(t->m, base, end))
		return;
	if (is_own(t->m, base, end) || end - base <= PAGE_BYTES) {
		tell_more(t, base, end);
		return;
	}
	search(t, base, middle > base ? middle : base + PAGE_BYTES);
	search(t, middle > base ? middle : base + PAGE_BYTES, end);
}

void handle_inventory(struct monitor *m, uint32_t from, const struct message_inventory *message)
{
	struct membership *s = &m->membership;
	struct telling t = {.m = m, .to = from, .round = message->round};

	if (from != membership_leader(m, CORES_MAX) || message->base > WINDOW_BYTES - message->bytes)
		return;
	if (s->asked_base != message->base || s->asked_bytes != message->bytes)
		s->arrivals = 0;
	s->asked_base = message->base;
	s->asked_bytes = message->bytes;
	search(&t, message->base, message->base + message->bytes);
	tell(&t);
	MESH_SEND(m, from, inventoried, .round = message->round, .arrivals = s->arrivals);
}

void estate_arrival(struct monitor *m, uint64_t base, uint64_t bytes)
{
	m->membership.arrivals += overlaps(base, bytes, m->membership.asked_base, m->membership.asked_base + m->membership.asked_bytes);
}

void handle_holding(struct monitor *m, uint32_t from, const struct message_holding *message)
{
	struct settlement *s = &m->membership.settlement;
	const struct holding h = {message->base, message->bytes, from};

	if (message->round != s->round || !set_has(&s->left, from) || h.base < s->piece.base ||
	    h.base + h.bytes > s->piece.base + s->piece.bytes)
		return;
	/* What can't be noted must not be given away. */
	if (has_room((void **)&s->holding, s->holdings, 1, &s->holdings_room, sizeof(*s->holding)))
		s->holding[s->holdings++] = h;
	else
		s->repeat_at = platform_now() + platform_ticks(NO_MEMORY_US);
}

void handle_inventoried(struct monitor *m, uint32_t from, const struct message_inventoried *message)
{
	struct settlement *s = &m->membership.settlement;

	if (s->piece.bytes == 0 || message->round != s->round || !set_has(&s->left, from))
		return;
	set_remove(&s->left, from);
	s->arrivals += message->arrivals;
	if (set_is_empty(&s->left))
		all_answered(m);
}

/* ---- The heir ---- */

static err_t install_legacy(struct monitor *m, uint64_t base, uint64_t bytes, cap_t *cap)
{
	err_t e = cap_slot_alloc(cap);

	if (is_err(e))
		return e;
	e = platform_install(*cap, &(struct platform_remote){CAP_RAM, RIGHTS_ALL, m->core, base, bytes, 0});
	if (is_err(e))
		cap_slot_free(*cap);
	return e;
}

void handle_inherit(struct monitor *m, uint32_t from, const struct message_inherit *message)
{
	struct legacy *l;
	cap_t cap;
	err_t e;

	if (from != membership_leader(m, CORES_MAX))
		return;
	l = malloc(sizeof(*l));
	e = l == NULL ? ERR(NO_MEMORY) : install_legacy(m, message->base, message->bytes, &cap);
	if (is_err(e)) {
		report_line(m, "monitor %u: can't inherit 0x%lx: %s", m->core, (unsigned long)message->base, err_sentence(e));
		MESH_SEND(m, from, inherited, .dead = message->dead);
		free(l);
		return;
	}
	/* Doorbells of the dead may be left in it. */
	platform_sweep_plain(cap);
	*l = (struct legacy){m->membership.legacies, message->base, message->bytes, 0, message->dead, cap.value, false};
	m->membership.legacies = l;
}

/* A slice of the clearing. Returns whether there is more. */
static bool clear(struct monitor *m, struct legacy *l)
{
	const struct block b = {l->base, l->bytes, {l->cap}};
	err_t e = clear_slice(&b, &l->cleared);

	if (is_ok(e) && l->cleared < l->bytes)
		return true;
	l->done = true;
	if (is_ok(e))
		e = block_adopt(m, b.cap);
	if (is_err(e))
		report_line(m, "monitor %u: can't use the inherited 0x%lx: %s", m->core, (unsigned long)l->base, err_sentence(e));
	MESH_SEND(m, membership_leader(m, CORES_MAX), inherited, .dead = l->dead);
	return false;
}

/* More pieces than a core could be given back need not be remembered. */
static void forget_smallest(struct monitor *m, uint32_t dead)
{
	struct legacy **smallest = NULL, *forgotten;
	unsigned count = 0;

	for (struct legacy **link = &m->membership.legacies; *link != NULL; link = &(*link)->next) {
		if ((*link)->dead != dead || !(*link)->done)
			continue;
		count++;
		if (smallest == NULL || (*link)->bytes < (*smallest)->bytes)
			smallest = link;
	}
	if (count <= START_MEMORIES)
		return;
	forgotten = *smallest;
	*smallest = forgotten->next;
	free(forgotten);
}

/* A slice for each piece that is not done. */
static bool clear_legacies(struct monitor *m)
{
	for (struct legacy *l = m->membership.legacies; l != NULL; l = l->next)
		if (!l->done && !clear(m, l)) {
			forget_smallest(m, l->dead);
			return true; /* the list is not what it was */
		}
	for (struct legacy *l = m->membership.legacies; l != NULL; l = l->next)
		if (!l->done)
			return true;
	return false;
}

void handle_inherited(struct monitor *m, uint32_t from, const struct message_inherited *message)
{
	struct fence *f = fence_of(m, message->dead);

	if (f->inheriting > 0 && set_has(&f->heirs, from))
		f->inheriting--;
}

uint64_t estate_step(struct monitor *m, uint64_t now)
{
	uint64_t next = 0;

	if (membership_leader(m, CORES_MAX) == m->core) {
		lead(m, now);
		next = m->membership.settlement.repeat_at;
	}
	return clear_legacies(m) ? now : next;
}

/* ---- What the leader is told ---- */

/* Who has just come up knows nobody but its starter, who passes on what it hears. */
static void pass_on(struct monitor *m, const struct message_given *message)
{
	mesh_send(m, mesh_alive(m, 0) ? 0 : m->boot->starter, MESSAGE_given, message);
}

void estate_tell_given(struct monitor *m, uint32_t core, uint64_t base, uint64_t bytes, uint64_t boot_page)
{
	pass_on(m, &(const struct message_given){.core = core, .by = m->core, .base = base, .bytes = bytes, .boot_page = boot_page});
}

/* Whose the range is has changed: if it is being asked about, what is left of that is asked about anew. */
static void changes_hands(struct monitor *m, uint64_t base, uint64_t end)
{
	struct estate *piece = &m->membership.settlement.piece;

	if (overlaps(piece->base, piece->bytes, base, end))
		piece->bytes = 0;
}

/* Whether `from` is starting the core: in the tree, before there is a view, or because it was told to. */
static bool starts(struct monitor *m, uint32_t from, uint32_t core)
{
	const struct fence *f = fence_of(m, core);

	if (m->membership.view == 0)
		return m->tree != NULL && m->tree->parent[core] == from;
	return f->state == FENCE_STARTING && f->starter == from;
}

/* Only what is in its own name may a monitor give to a core that it starts, and take it back if the start fails. */
static bool may_give(struct monitor *m, uint32_t from, const struct message_given *message)
{
	const struct settlement *s = &m->membership.settlement;
	uint64_t end = message->base + message->bytes, sum = 0;

	if (message->by != from && (m->membership.view != 0 || m->tree == NULL || !tree_below(m->tree, message->by, from)))
		return false;
	if (from == m->core)
		return true;
	from = message->by;
	if (message->core != from && !starts(m, from, message->core))
		return false;
	for (unsigned i = 0; i < s->estates; i++) {
		const struct estate *e = &s->estate[i];

		if (overlaps(e->base, e->bytes, message->base, end) && (e->core == from || starts(m, from, e->core)))
			sum += lower(e->base + e->bytes, end) - higher(e->base, message->base);
	}
	return sum == message->bytes;
}

void handle_given(struct monitor *m, uint32_t from, const struct message_given *message)
{
	if (m->core != 0 && m->membership.view == 0) {
		pass_on(m, message);
		return;
	}
	if (m->core != 0 || message->base > WINDOW_BYTES - message->bytes || !may_give(m, from, message)) {
		m->peer[from].refused++;
		return;
	}
	changes_hands(m, message->base, message->base + message->bytes);
	if (!estate_given(m, message->core, message->base, message->bytes))
		report_line(m, "monitor %u: no memory to note that 0x%lx is core %u's: it is lost if that one dies", m->core,
		            (unsigned long)message->base, message->core);
	if (message->boot_page != 0)
		fence_of(m, message->core)->boot_page = message->boot_page;
}

void estate_tell_dropped(struct monitor *m, uint64_t base, uint64_t bytes)
{
	MESH_SEND(m, membership_leader(m, CORES_MAX), dropped, .base = base, .bytes = bytes);
}

void estate_tell_returned(struct monitor *m, uint64_t base, uint64_t bytes)
{
	MESH_SEND(m, membership_leader(m, CORES_MAX), returned, .base = base, .bytes = bytes);
}

/* Nobody has what another member serves. */
static bool may_have(const struct monitor *m, uint32_t from, const struct estate *e)
{
	return e->core == from || e->held || e->orphaned || !membership_has(m, e->core);
}

/* What the last capability to was deleted by somebody there. It never was that core's own before. */
void handle_returned(struct monitor *m, uint32_t from, const struct message_returned *message)
{
	const struct settlement *s = &m->membership.settlement;
	uint64_t end = message->base + message->bytes, sum = 0;

	for (unsigned i = 0; i < s->estates; i++) {
		const struct estate *e = &s->estate[i];

		if (overlaps(e->base, e->bytes, message->base, end) && may_have(m, from, e))
			sum += lower(e->base + e->bytes, end) - higher(e->base, message->base);
	}
	if (sum != message->bytes) {
		m->peer[from].refused++;
		return;
	}
	changes_hands(m, message->base, end);
	if (!estate_given(m, from, message->base, message->bytes))
		report_line(m, "monitor %u: no memory to note that 0x%lx is core %u's: it is lost if that one dies", m->core,
		            (unsigned long)message->base, from);
}

/* Of what the entry notes only a part is to be settled. Without memory to note that, all of it is. */
static void orphan_part(struct monitor *m, unsigned i, uint64_t base, uint64_t end)
{
	struct settlement *s = &m->membership.settlement;
	struct estate part = s->estate[i];

	s->busy = true;
	if (!book_has_room(s, 2)) {
		s->estate[i].orphaned = true;
		return;
	}
	end = lower(end, part.base + part.bytes);
	part.base = higher(base, part.base);
	part.bytes = end - part.base;
	part.orphaned = true;
	carve(m, part.base, end);
	enter(m, part);
}

/* If it has an owner after all, that one will say so. Who has just been asked about it may have said that it has it. */
void handle_dropped(struct monitor *m, uint32_t from, const struct message_dropped *message)
{
	struct settlement *s = &m->membership.settlement;
	uint64_t end = message->base + message->bytes;

	if (s->piece.bytes != 0 && overlaps(s->piece.base, s->piece.bytes, message->base, end))
		s->incomplete = true;
	for (unsigned i = 0; i < s->estates;) {
		const struct estate *e = &s->estate[i];

		if ((e->core != from && !e->held) || e->orphaned || !overlaps(e->base, e->bytes, message->base, end)) {
			i++;
			continue;
		}
		orphan_part(m, i, message->base, end);
		i = 0;
	}
}
