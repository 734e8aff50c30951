/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include "monitor/block.h"
#include "monitor/capability.h"
#include "monitor/domain.h"
#include "monitor/ends.h"
#include "monitor/estate.h"
#include "monitor/loss.h"
#include "monitor/rebind.h"

/* ---- Records ---- */

struct connection *end_find(struct monitor *m, uint32_t number)
{
	uint32_t index = number & 0xffff;
	struct connection *c = &m->connection[index < CONNECTIONS_MAX ? index : 0];

	return c->state != CONNECTION_FREE && c->number == number ? c : NULL;
}

struct connection *end_new(struct monitor *m, uint32_t domain)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &m->connection[i];

		if (c->state != CONNECTION_FREE)
			continue;
		/* 15 bits, so that no number is 0 and a badge made of it is positive. */
		uint16_t generation = (uint16_t)(c->generation % 0x7fff + 1);

		*c = (struct connection){.state = CONNECTION_ASKED, .generation = generation, .domain = domain, .peer_core = m->core};
		c->number = (uint32_t)generation << 16 | i;
		c->order = ++m->connections_made;
		m->connections++;
		return c;
	}
	return NULL;
}

void end_give_up(struct monitor *m, cap_t cap)
{
	if (is_ok(platform_surrender(cap)))
		cap_slot_free(cap);
	else
		capability_discard(m, cap);
}

/* What the peer's monitor gave for this connection. The ring is this connection's alone, and its owner is about to take it back, so
 * there is no one to ask. The doorbell is the same object for every connection with that domain: only our copy goes. */
void end_drop(struct monitor *m, cap_t *ring, cap_t *doorbell, uint32_t core, bool lost)
{
	struct cap_identity id;
	bool known;

	if (ring->value == CAP_NULL.value)
		return;
	known = is_ok(cap_identify(*ring, &id));
	platform_sweep_plain(*ring);
	/* If its core is dead the ring has become this one's (connections_lose_core); now it goes the way of the dead core's memory. */
	if (lost)
		(void)!is_ok(platform_mark(*ring, false, core));
	end_give_up(m, *ring);
	end_give_up(m, *doorbell);
	*ring = *doorbell = CAP_NULL;
	if (lost && known)
		estate_tell_dropped(m, id.base, id.size);
}

void end_drop_foreign(struct monitor *m, struct connection *c)
{
	end_drop(m, &c->peer_ring, &c->peer_doorbell, c->peer_core, c->lost);
}

/* A core that is lost may still write to the ring, until it is known to have stopped. */
static void free_ring(struct monitor *m, struct connection *c)
{
	if (c->ring.bytes == 0)
		return;
	(void)!is_ok(cap_revoke(c->ring.cap));
	if (c->lost && m->peer[c->peer_core].state == PEER_LOST)
		core_lost_keeps(m, c->peer_core, &c->ring);
	else
		block_give(m, &c->ring);
}

void end_free(struct monitor *m, struct connection *c)
{
	rebind_finish(m, c);
	free_ring(m, c);
	end_drop_foreign(m, c);
	c->state = CONNECTION_FREE;
	m->connections--;
}

/* ---- Capabilities for the domain ---- */

/* The domain itself puts things into its task CNode from the low end, the monitor from the high end; who meets something goes on. The
 * monitor goes around: what it has placed may be revoked before the domain has read the event that names the slot, and whatever came to lie
 * there next would be taken for it. */
err_t end_place(struct domain *d, cap_t source, unsigned rights, uint8_t *slot)
{
	for (unsigned tries = 0; tries < CNODE_SLOTS - TASK_FREE; tries++) {
		unsigned s = d->placed > TASK_FREE ? d->placed - 1u : CNODE_SLOTS - 1;
		err_t e = cap_mint(source, CAP(TASK_WINDOW, s), RIGHTS(rights), 0);

		d->placed = (uint8_t)s;
		if (err_is(e, ERR_NUMBER_SLOT_IN_USE))
			continue;
		*slot = (uint8_t)s;
		return e;
	}
	return ERR(NO_SLOT);
}

err_t end_place_all(struct domain *d, struct connection *c, cap_t ring, cap_t peer_ring, cap_t peer_doorbell)
{
	err_t e = end_place(d, ring, RIGHTS_READ_WRITE, &c->slot_receive);

	if (is_ok(e))
		e = end_place(d, peer_ring, RIGHTS_READ_WRITE, &c->slot_send);
	if (is_ok(e))
		e = end_place(d, peer_doorbell, RIGHT_WRITE, &c->slot_doorbell);
	return e;
}

/* Takes back what the domain has not been told of. Later it may have moved it, and the slots may hold something else. */
void end_unplace_all(struct monitor *m, struct connection *c)
{
	const uint8_t slots[] = {c->slot_send, c->slot_receive, c->slot_doorbell};
	const struct domain *d = domain_find(m, c->domain);

	c->slot_send = c->slot_receive = c->slot_doorbell = 0;
	if (d == NULL || is_err(task_open(d)))
		return;
	for (unsigned i = 0; i < sizeof(slots); i++)
		if (slots[i] != 0)
			(void)!is_ok(cap_delete(CAP(TASK_WINDOW, slots[i])));
	task_close();
}

err_t end_install_face(struct connection *c, const struct face *face)
{
	err_t e = cap_slot_alloc(&c->peer_ring);

	if (is_err(e))
		return e;
	e = cap_slot_alloc(&c->peer_doorbell);
	if (is_err(e)) {
		cap_slot_free(c->peer_ring);
		c->peer_ring = CAP_NULL;
		return e;
	}
	c->peer_ring_base = face->ring;
	e = platform_install(c->peer_ring,
	                     &(struct platform_remote){CAP_Frame, RIGHTS_READ_WRITE, c->peer_core, face->ring, RING_BYTES, 0});
	if (is_ok(e))
		e = platform_install(c->peer_doorbell, &(struct platform_remote){CAP_Doorbell, RIGHT_WRITE, c->peer_core, face->doorbell,
		                                                                 DISPATCHER_BYTES, face->doorbell_extra});
	return e;
}

struct connection *end_other(struct monitor *m, const struct connection *c)
{
	return end_find(m, c->peer_number);
}

/* Gives the domain its three capabilities. On the same core the peer's ring and doorbell are at hand, else copies are installed. */
err_t end_give_channel(struct monitor *m, struct connection *c, const struct face *face)
{
	struct domain *d = domain_find(m, c->domain);
	err_t e = OK;

	if (d == NULL)
		return ERR(NOT_FOUND);
	if (c->peer_core == m->core) {
		const struct connection *other = end_other(m, c);
		const struct domain *peer = other == NULL ? NULL : domain_find(m, other->domain);

		if (peer == NULL || is_err(e = task_open(d)))
			return peer == NULL ? ERR(PEER_GONE) : e;
		e = end_place_all(d, c, c->ring.cap, other->ring.cap, peer->doorbell);
	} else {
		e = end_install_face(c, face);
		if (is_err(e) || is_err(e = task_open(d)))
			return e;
		e = end_place_all(d, c, c->ring.cap, c->peer_ring, c->peer_doorbell);
	}
	task_close();
	return e;
}

err_t end_take_ring(struct monitor *m, struct connection *c)
{
	err_t e = block_take(m, CAP_Frame, RING_BYTES, &c->ring);
	struct view view;

	if (is_err(e))
		return e;
	e = view_open(&c->ring, 0, RING_BYTES, &view);
	if (is_err(e))
		return e;
	memset(view.at, 0, RING_BYTES);
	view_close(&view);
	return OK;
}
