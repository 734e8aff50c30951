/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* A machine of several cores in one process, small enough to be saved, restored and hashed a hundred thousand times a second.
 *
 * Every core runs the real files of cpudriver/capability and of monitor/agreement. What they stand on is simulated: physical memory
 * (here), the monitor's platform (platform.c), the channels between monitors (network.c) and the users who ask for operations (users.c).
 * There is one thread; `here` is the core that runs.
 *
 * Physical memory: each core has a stretch of CORE_BYTES, its CNodes first, then the memory that operations are about.
 *
 *   root CNode | monitor's CNode | users' CNode | loaded table | covered pages | open pages | next core's ...
 *
 * One RAM capability of the monitor's covers the covered pages; of the open ones a user has the only RAM, and a frame (as boot modules
 * are frames). Of what lies in memory
 * only the beginning of each page is ever used, so only that is saved: CONTENT_LINES lines (slots of a CNode, entries of a table).
 *
 * All that changes is in `world` or in memory, and only there. It stays at one address, so pointers in it survive saving. */

/* The library OS has a function of that name too (rules.mk renames the CPU driver's where it is compiled). */
#define cap_retype driver_retype
#include "cpudriver/capability/capability.h"
#undef cap_retype
#include "monitor/agreement/agreement.h"

/* Limits; the walk is compiled with larger ones (tests/explore/rules.mk). */
#ifndef WORLD_CORES
#define WORLD_CORES   4
#define MONITOR_SLOTS 40
#define USER_SLOTS    16
#define QUEUE_MAX     16
#define TASKS_MAX     8
#endif

#define CNODE_ROOT    UINT64_C(0x0000) /* offsets in a core's stretch */
#define CNODE_MONITOR UINT64_C(0x4000)
#define CNODE_USERS   UINT64_C(0x8000)
#define TABLE_LOADED  UINT64_C(0xc000)
#define MANAGED       UINT64_C(0x10000)
#define COVERED_PAGES 16
#define OPEN_PAGES    16
#define FRAME_PAGES   4 /* the last of the open ones */
#define MANAGED_PAGES (COVERED_PAGES + OPEN_PAGES)
#define CORE_BYTES    (MANAGED + MANAGED_PAGES * PAGE_BYTES)
#define CONTENT_LINES 2

enum { IN_MONITOR = 1, IN_USERS = 2, IN_KERNEL = 3 }; /* slots of the root CNode */
enum { MONITOR_RAM = 0, MONITOR_FIRST = 1 };          /* slots of the monitor's CNode: its RAM, the first that is given out */

enum { OPEN_RAM = 0, OPEN_FRAME = 1 }; /* slots of the users' CNode */

/* What a user asks for. */
enum request_kind {
	REQUEST_NONE,
	REQUEST_COPY,   /* to a slot of a user on another core */
	REQUEST_MOVE,   /* likewise */
	REQUEST_RETYPE, /* a part of the object becomes an object in another slot here */
	REQUEST_DELETE,
	REQUEST_REVOKE,
	REQUEST_LOCAL_COPY, /* to another slot here */
	REQUEST_PUT,        /* into slot `page` of the CNode that another slot holds */
	REQUEST_MAP,        /* in entry `page` of the table that another slot holds */
	REQUEST_KINDS
};

struct request {
	uint8_t kind, core, slot; /* the capability that it is about */
	uint8_t to_core, to_slot;
	uint8_t type, page, pages; /* retype */
	uint8_t rights;
	bool direct; /* to the monitor, without asking the CPU driver first */
};

enum task_state { TASK_NONE, TASK_READY, TASK_PENDING, TASK_DONE };

/* A request, and how far it is. */
struct task {
	struct request request;
	uint8_t state;
	uint8_t error;  /* DONE: an ERR_NUMBER_* */
	bool delivered; /* copy, move: it has arrived */
	bool lost;      /* the core on which it began has died since */
	bool revoked;   /* a revoke that took its capability has returned */
	uint8_t rights; /* of the capability, when it began */
	uint16_t cap;   /* PENDING: the monitor's slot */
	uint32_t messages;
	struct object object;
};

struct message {
	uint64_t type; /* 0: none */
	uint64_t word[CHANNEL_WORDS];
};
_Static_assert(sizeof(struct message) == LINE_BYTES, "a line, like everything that is saved");

struct queue {
	_Alignas(LINE_BYTES) uint64_t count;
	struct message message[QUEUE_MAX]; /* the oldest first */
};

#define PAGE_SET_WORDS ((WORLD_CORES * MANAGED_PAGES + 63) / 64)

struct hash {
	uint64_t word[2];
};

struct core {
	_Alignas(LINE_BYTES) struct slot holder; /* of its root CNode, as a dispatcher has it */
	_Alignas(LINE_BYTES) struct capabilities caps;
	_Alignas(LINE_BYTES) struct agreement agreement;
	_Alignas(LINE_BYTES) uint64_t taken[(MONITOR_SLOTS + 63) / 64]; /* slots of the monitor's CNode */
	uint64_t unwanted[(MONITOR_SLOTS + 63) / 64];                   /* hold what the monitor has to delete */
	uint64_t kept[(MONITOR_SLOTS + 63) / 64];                       /* hold memory that came back */
	uint64_t translated[PAGE_SET_WORDS];                            /* managed pages to which the TLB may lead */
	uint32_t view;                                                  /* that its monitor knows */
	bool dead;
	/* follows from the rest */
	bool idle;        /* its monitor has no slice of work to do */
	struct hash hash; /* of what is above */
};

struct world {
	_Alignas(LINE_BYTES) unsigned cores;
	uint32_t view;
	uint16_t died, joined; /* cores, so far */
	bool tables;           /* there are page tables: the TLBs matter */
	bool returns;          /* cores that have died may come back */
	struct core_set alive;
	uint64_t contents[PAGE_SET_WORDS]; /* managed pages that may hold slots or entries of tables */
	struct task task[TASKS_MAX];
	_Alignas(LINE_BYTES) struct core core[WORLD_CORES];
	struct queue queue[WORLD_CORES][WORLD_CORES]; /* [from][to] */
};

extern struct world world;
extern struct core *here;

typedef uint32_t cores_t; /* a bit for each core: there are at most 32 here */
#define EVERY_CORE UINT32_MAX

/* Whose state the last step has changed, or has looked at. As a rule that is the core's on which it happened, and no other's. */
extern cores_t touched;

/* A machine whose cores have just started. */
void world_begin(unsigned cores);
/* A core that had died begins anew, with nothing but its CNodes. */
void world_restart(uint32_t core);
static inline uint32_t core_number(const struct core *c)
{
	return (uint32_t)(c - world.core);
}
static inline paddr_t core_memory(uint32_t core)
{
	return PADDR(core * CORE_BYTES);
}
static inline paddr_t managed_page(uint32_t core, unsigned page)
{
	return PADDR(core * CORE_BYTES + MANAGED + page * PAGE_BYTES);
}

/* The number of a managed page among those of all cores, and whether the address lies in one. */
bool page_number(uint64_t address, unsigned *number);

static inline struct slot *user_slot(uint32_t core, unsigned slot)
{
	return &((struct slot *)window(PADDR(core_memory(core).value + CNODE_USERS)))[slot];
}
static inline struct slot *monitor_slot(const struct core *c, cap_t cap)
{
	return &((struct slot *)window(PADDR(core_memory(core_number(c)).value + CNODE_MONITOR)))[cap.value & 0xff];
}

static inline bool is_in_monitor(const struct core *c, const struct slot *s)
{
	const struct slot *first = monitor_slot(c, CAP(IN_MONITOR, 0));

	return s >= first && s < first + MONITOR_SLOTS;
}

#define USER_CAP(slot) CAP(IN_USERS, slot)
#define ROOT_OF(in)    CAP(0, in) /* address of the capability to one of the CNodes */

/* One call to the CPU driver of `here`. */
struct invocation world_call(cap_t cap, unsigned op, err_t *error, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4);
/* The same until it no longer answers AGAIN. */
struct invocation world_repeat(cap_t cap, unsigned op, err_t *error, uint64_t w0);

/* The first slot of a core's database. */
const struct slot *first_slot(const struct core *c);

/* ---- States (state.c) ---- */

/* Bytes that the present state needs at most; the state, there and back. */
size_t state_room(void);
size_t state_save(void *to);
void state_restore(const void *from);

/* The same after one step from a saved state: what the step has not touched is as it was there. */
size_t state_save_step(void *to, const void *before);
void state_undo_step(const void *from);
/* After one step from a saved state, to another one: what is the same in both, and was not touched, is left alone. */
void state_go_over(const void *to, const void *present);

/* The same for two states that can't be told apart by anything that happens later. */
struct hash state_hash(void);
struct hash state_hash_step(void);
/* Tells more states apart than that. */
struct hash state_hash_exact(void);

/* ---- Translations (translations.c) ---- */

/* Remembers what each TLB may have taken in since the last step. */
void translations_gather(void);
/* Whether a TLB may lead into the range by an entry that is gone. */
bool stale_anywhere(uint64_t base, uint64_t size);

/* ---- The network (network.c) ---- */

bool network_is_empty(void);
bool network_take(uint32_t from, uint32_t to, struct message *m);
void network_forget_to(uint32_t core); /* what was sent to it */
void network_forget_from(uint32_t core);

/* ---- Users (users.c) ---- */

void task_start(unsigned number);
/* The monitor of `here` deletes what it no longer wants; whether there was anything. */
bool clear_unwanted(void);
