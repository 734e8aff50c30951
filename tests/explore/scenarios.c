/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/explore/scenarios.h"

#include "tests/explore/invariants.h"
#include "tests/explore/schedule.h"

#define ALL RIGHTS_ALL

/* Slots of the users that the distributions fill; operations put what they make into the last ones. */
enum { OBJECT = 2, PART = 3, NODE = 4, INNERMOST = 4, TABLE = 5, MAPPED = 6, UPPER_TABLE = 7, HIGHEST_TABLE = 8, OCCUPIED = 12 };

/* ---- Making ------------------------------------------------------------------------------------- */

static void perform(struct request r)
{
	world.task[0] = (struct task){.request = r, .state = TASK_READY};
	run_to_rest();
	if (world.task[0].error != ERR_NUMBER_OK)
		BREAK(result);
	world.task[0] = (struct task){0};
}

/* A part of the monitor's memory. */
static void grant(unsigned core, enum cap_type type, unsigned page, unsigned pages, unsigned slot)
{
	here = &world.core[core];
	if (is_err(cap_retype(CAP(IN_MONITOR, MONITOR_RAM), type, page * PAGE_BYTES, pages * PAGE_BYTES, 1, USER_CAP(slot))))
		BREAK(result);
}

static void copy(unsigned core, unsigned slot, unsigned to, unsigned to_slot)
{
	perform((struct request){.kind = REQUEST_COPY,
	                         .core = (uint8_t)core,
	                         .slot = (uint8_t)slot,
	                         .to_core = (uint8_t)to,
	                         .to_slot = (uint8_t)to_slot,
	                         .rights = ALL});
}

static void copy_to_all(unsigned cores, unsigned core, unsigned slot, unsigned to_slot)
{
	for (unsigned to = 0; to < cores; to++)
		if (to != core)
			copy(core, slot, to, to_slot);
}

static void retype(unsigned core, unsigned slot, enum cap_type type, unsigned page, unsigned pages, unsigned to)
{
	perform((struct request){.kind = REQUEST_RETYPE,
	                         .core = (uint8_t)core,
	                         .slot = (uint8_t)slot,
	                         .to_slot = (uint8_t)to,
	                         .type = (uint8_t)type,
	                         .page = (uint8_t)page,
	                         .pages = (uint8_t)pages});
}

/* Something that has no range of its own. */
static void make_in(unsigned core, unsigned slot, enum cap_type type, uint64_t number, unsigned to)
{
	here = &world.core[core];
	if (is_err(cap_retype(USER_CAP(slot), type, number, 0, 1, USER_CAP(to))))
		BREAK(result);
}

static void simple(enum request_kind kind, unsigned core, unsigned slot, unsigned to, unsigned page)
{
	perform((struct request){.kind = (uint8_t)kind,
	                         .core = (uint8_t)core,
	                         .slot = (uint8_t)slot,
	                         .to_slot = (uint8_t)to,
	                         .page = (uint8_t)page,
	                         .rights = ALL});
}

/* With something that no operation is about. */
static void occupy(unsigned core, unsigned slot)
{
	here = &world.core[core];
	if (is_err(cap_copy(CAP(0, IN_KERNEL), USER_CAP(slot))))
		BREAK(slots);
}

static void make_frame(unsigned cores)
{
	grant(0, CAP_Frame, 0, 2, OBJECT);
	copy_to_all(cores, 0, OBJECT, OBJECT);
}

static void make_two_holders(unsigned cores)
{
	grant(0, CAP_RAM, 0, 2, OBJECT);
	copy(0, OBJECT, 1, OBJECT);
	(void)cores;
}

static void make_ram(unsigned cores)
{
	grant(0, CAP_RAM, 0, 4, OBJECT);
	copy_to_all(cores, 0, OBJECT, OBJECT);
}

static void make_part(unsigned cores)
{
	make_ram(cores);
	retype(1, OBJECT, CAP_Frame, 0, 2, PART);
}

/* Core 2 has what was made of the RAM, but nothing of the RAM itself. */
static void make_heir(unsigned cores)
{
	grant(0, CAP_RAM, 0, 4, OBJECT);
	copy(0, OBJECT, 1, OBJECT);
	retype(1, OBJECT, CAP_Frame, 0, 2, PART);
	copy(1, PART, 2, PART);
	(void)cores;
}

static void make_shared_part(unsigned cores)
{
	make_part(cores);
	copy_to_all(cores, 1, PART, PART);
}

/* Three objects in each other, of two owners, that all have. */
static void make_nest(unsigned cores)
{
	make_ram(cores);
	retype(0, OBJECT, CAP_RAM, 0, 2, PART);
	copy_to_all(cores, 0, PART, PART);
	retype(1, PART, CAP_Frame, 0, 1, INNERMOST);
	copy_to_all(cores, 1, INNERMOST, INNERMOST);
}

static void make_open(unsigned cores)
{
	copy_to_all(cores, 0, OPEN_FRAME, OBJECT);
}

static void make_open_ram(unsigned cores)
{
	copy_to_all(cores, 0, OPEN_RAM, OBJECT);
}

static void make_open_part(unsigned cores)
{
	make_open_ram(cores);
	retype(1, OBJECT, CAP_RAM, 0, 4, PART);
}

static void make_open_shared_part(unsigned cores)
{
	make_open(cores);
	retype(1, OBJECT, CAP_Frame, 0, 2, PART);
	copy_to_all(cores, 1, PART, PART);
}

/* Core 1 keeps its only capability to a frame of core 0's in a CNode. */
static void make_node(unsigned cores)
{
	make_frame(cores);
	retype(1, OPEN_RAM, CAP_CNode, 0, 4, NODE);
	simple(REQUEST_PUT, 1, OBJECT, NODE, 0);
}

/* The CNode is made of what it contains. */
static void make_inside_out(unsigned cores)
{
	make_ram(cores);
	retype(1, OBJECT, CAP_CNode, 0, 4, NODE);
	simple(REQUEST_PUT, 1, OBJECT, NODE, 0);
}

/* Two CNodes of core 1's hold each other, and core 1's capabilities to a frame of core 0's. */
static void make_circle(unsigned cores)
{
	enum { COPY = 9 };

	make_frame(cores);
	retype(1, OPEN_RAM, CAP_CNode, 0, 4, NODE);
	retype(1, OPEN_RAM, CAP_CNode, 4, 4, NODE + 1);
	for (unsigned k = 0; k < 2; k++) {
		simple(REQUEST_LOCAL_COPY, 1, OBJECT, COPY, 0);
		simple(REQUEST_PUT, 1, COPY, NODE + k, 0);
		simple(REQUEST_LOCAL_COPY, 1, NODE + k, COPY, 0);
		simple(REQUEST_PUT, 1, COPY, NODE + 1 - k, 1);
	}
	simple(REQUEST_DELETE, 1, OBJECT, 0, 0);
}

/* The owner keeps its only capability in a CNode. */
static void make_owner_node(unsigned cores)
{
	copy_to_all(cores, 0, OPEN_FRAME, OBJECT);
	retype(0, OPEN_RAM, CAP_CNode, 0, 4, NODE);
	simple(REQUEST_PUT, 0, OPEN_FRAME, NODE, 0);
}

/* All have a page table of core 0's in tables of their own; core 0 maps a frame in it, which core 1 has too. */
static void make_table(unsigned cores)
{
	world.tables = true;
	retype(0, OPEN_RAM, CAP_PageTable1, 0, 2, TABLE);
	copy_to_all(cores, 0, TABLE, TABLE);
	for (unsigned c = 0; c < cores; c++) {
		retype(c, OPEN_RAM, CAP_PageTable2, 2, 2, UPPER_TABLE);
		retype(c, OPEN_RAM, CAP_PageTable3, 4, 2, HIGHEST_TABLE);
		simple(REQUEST_MAP, c, TABLE, UPPER_TABLE, 0);
		simple(REQUEST_MAP, c, UPPER_TABLE, HIGHEST_TABLE, 0);
	}
	make_frame(2);
	simple(REQUEST_LOCAL_COPY, 0, OBJECT, MAPPED, 0);
	simple(REQUEST_MAP, 0, MAPPED, TABLE, 1);
}

/* The owner keeps its only capability to it in a CNode. */
static void make_table_node(unsigned cores)
{
	make_table(cores);
	retype(0, OPEN_RAM, CAP_CNode, 8, 4, NODE);
	simple(REQUEST_PUT, 0, TABLE, NODE, 0);
}

/* A core's doorbell, which all have, of a dispatcher that only that core has. */
static void make_doorbell(unsigned cores)
{
	retype(0, OPEN_RAM, CAP_Dispatcher, 0, 4, NODE);
	make_in(0, NODE, CAP_Doorbell, 1, OBJECT);
	copy_to_all(cores, 0, OBJECT, OBJECT);
}

/* Beyond all memory. Core 1 has made an object of a part. */
static void make_device(unsigned cores)
{
	here = &world.core[0];
	if (is_err(slot_make(&here->caps, user_slot(0, OBJECT), CAP_DeviceFrame, WORLD_CORES * CORE_BYTES, 4 * PAGE_BYTES,
	                     RIGHTS(RIGHT_READ | RIGHT_WRITE | RIGHT_CONTROL))))
		BREAK(slots);
	copy_to_all(cores, 0, OBJECT, OBJECT);
	retype(1, OBJECT, CAP_DeviceFrame, 0, 2, PART);
}

/* One of each type that belongs to one core. */
static void make_home(unsigned cores)
{
	(void)cores;
	retype(0, OPEN_RAM, CAP_CNode, 0, 4, OBJECT);
	retype(0, OPEN_RAM, CAP_Dispatcher, 4, 4, PART);
	retype(0, OPEN_RAM, CAP_PageTable4, 8, 2, NODE);
	make_in(0, PART, CAP_Endpoint, 7, TABLE);
	make_in(0, PART, CAP_Doorbell, 0, MAPPED); /* of all of the dispatcher: monitors hand these around without agreement */
	occupy(0, MAPPED + 3);
}

const struct distribution distributions[] = {
    {"two", "RAM that two cores have, inside its owner's monitor's", 2, make_two_holders},
    {"frame", "a frame that all have, inside its owner's monitor's memory", 2, make_frame},
    {"ram", "RAM that all have, inside its owner's monitor's", 2, make_ram},
    {"part", "RAM that all have; core 1 has made a frame of a part", 2, make_part},
    {"shared-part", "RAM that all have, and a frame in it, core 1's, that all have", 2, make_shared_part},
    {"nest", "RAM that all have, RAM in it that all have, and a frame in that, core 1's, that all have", 2, make_nest},
    {"heir", "RAM that cores 0 and 1 have; core 1 has made a frame of a part, which core 2 has too", 3, make_heir},
    {"open", "a frame that all have and nothing contains", 2, make_open},
    {"open-ram", "RAM that all have and nothing contains", 2, make_open_ram},
    {"open-part", "RAM that all have and nothing contains; core 1 has made RAM of a part", 2, make_open_part},
    {"open-shared-part", "a frame that all have and nothing contains, and a frame in it, core 1's, that all have", 2,
     make_open_shared_part},
    {"node", "a frame that all have; core 1's capability is the content of a CNode", 2, make_node},
    {"inside-out", "RAM that all have; of it core 1 has made the CNode that its capability lies in", 2, make_inside_out},
    {"circle", "a frame that all have; core 1's capabilities lie in two CNodes that hold each other", 2, make_circle},
    {"owner-node", "a frame that all have and nothing contains; the owner's capability is the content of a CNode", 2, make_owner_node},
    {"doorbell", "a doorbell that all have, of a dispatcher", 2, make_doorbell},
    {"device", "device memory that all have; core 1 has made an object of a part", 2, make_device},
    {"home", "a CNode, a dispatcher, its endpoint and general doorbell, a table of level 4, and the right to be a monitor", 2, make_home},
    {"table", "a page table that all use, and a frame mapped in it", 2, make_table},
    {"table-node", "the same; the owner's capability to the table is the content of a CNode", 2, make_table_node},
};
const unsigned distribution_count = sizeof distributions / sizeof distributions[0];

/* ---- Listing ------------------------------------------------------------------------------------ */

struct list {
	struct request *at;
	unsigned count;
};

static void add(struct list *l, struct request r)
{
	if (l->count < OPERATIONS_LISTED)
		l->at[l->count++] = r;
}

/* A frame of the first page, and of the last. */
static void add_parts(struct list *l, struct request r, const struct slot *s)
{
	const unsigned pages = (unsigned)(s->size / PAGE_BYTES);

	if ((s->type != CAP_RAM && s->type != CAP_Frame && s->type != CAP_DeviceFrame) || pages < 2)
		return;
	r.kind = REQUEST_RETYPE;
	r.type = s->type == CAP_DeviceFrame ? CAP_DeviceFrame : CAP_Frame;
	r.pages = 1;
	add(l, r);
	r.page = (uint8_t)(pages - 1);
	add(l, r);
}

static void add_for_slot(struct list *l, unsigned core, unsigned slot)
{
	const struct slot *s = user_slot(core, slot);
	struct request r = {.core = (uint8_t)core, .slot = (uint8_t)slot, .to_slot = TO_ARRIVAL, .rights = ALL};

	r.kind = REQUEST_DELETE;
	add(l, r);
	r.kind = REQUEST_REVOKE;
	if (s->size) /* it goes by ranges */
		add(l, r);
	add_parts(l, r, s);
	for (unsigned to = 0; to < world.cores; to++) {
		r.to_core = (uint8_t)to;
		if (to == core || !(agreement_shares(s->type, s->size) || to == (core + 1) % world.cores))
			continue;
		r.kind = REQUEST_COPY;
		r.rights = RIGHT_READ | RIGHT_CONTROL;
		add(l, r);
		r.kind = REQUEST_MOVE;
		r.rights = ALL;
		add(l, r);
	}
	if (!agreement_shares(s->type, s->size))
		return;
	/* there is no room for it where it goes */
	r.kind = REQUEST_COPY;
	r.to_core = (uint8_t)((core + 1) % world.cores);
	r.to_slot = OCCUPIED;
	add(l, r);
}

/* What the first operation has made or brought, as soon as it is there. */
static void add_for_arrival(struct list *l, unsigned core)
{
	struct request r = {
	    .core = (uint8_t)core, .slot = ARRIVALS, .to_core = (uint8_t)((core + 1) % world.cores), .to_slot = TO_ARRIVAL, .rights = ALL};

	r.kind = REQUEST_DELETE;
	add(l, r);
	r.kind = REQUEST_REVOKE;
	add(l, r);
	r.kind = REQUEST_COPY;
	add(l, r);
}

/* Operations are about what other cores know, or what contains or holds that: not about each core's own memory and upper tables. */
static bool is_of_interest(unsigned core, unsigned slot)
{
	const struct slot *s = user_slot(core, slot);

	if (s->type == CAP_Null || slot == UPPER_TABLE || slot == HIGHEST_TABLE || slot == OCCUPIED)
		return false;
	return slot > OPEN_FRAME || s->flags & (CAP_FLAG_REMOTE | CAP_FLAG_FOREIGN);
}

bool distribution_begin(const struct distribution *d, unsigned cores, struct request *list, unsigned *count)
{
	struct list l = {list, 0};

	world_begin(cores);
	d->make(cores);
	for (unsigned core = 0; core < cores; core++)
		occupy(core, OCCUPIED);
	for (unsigned core = 0; core < cores; core++)
		for (unsigned slot = 0; slot < USER_SLOTS; slot++)
			if (is_of_interest(core, slot))
				add_for_slot(&l, core, slot);
	for (unsigned core = 0; core < cores; core++)
		add_for_arrival(&l, core);
	*count = l.count;
	return !broken;
}
