/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Capabilities of one core: what a slot is, how a call finds one and what it may do with it.
 *
 * A capability lives in a *slot* of 64 bytes: in a CNode, in the kernel's part of a dispatcher, nowhere else. Every slot that is not
 * empty is a node of the core's *mapping database* (database.h), so the database is made of the slots themselves and the CPU
 * driver allocates nothing. An *object* is what type, base and size name; slots that agree in the three are its *copies*.
 *
 *   RAM ──┬─ RAM, smaller ── ...                 An object lies inside the one that it was made from (its *ancestor*), and two
 *         ├─ Frame ── Frame, smaller             objects never overlap in any other way: ranges are nested like boxes. So
 *         ├─ PageTable1..4                       "who was derived from whom" needs no pointer, the ranges tell it:
 *         ├─ CNode                               the descendants of an object are what lies in its range and comes
 *         └─ Dispatcher ─┬─ Frame (shared part)  after it in the database's order.
 *                        ├─ Endpoint
 *                        └─ Doorbell
 *
 * The last copy of an object decides about the object (delete.c). What a copy is used for (a mapping, a badge) is in the slot's
 * `extra`, and ends with the copy.
 *
 * Ports and interrupts are not memory, nor is another core's doorbell. They share the database by living on a line of their own: `base`
 * holds LINE_* plus the number, so they can't meet memory in any comparison. For memory `base` is the physical address.
 *
 * All of this is plain C without I/O: hosted tests compile the same files and provide the functions at the end of this file. */

#include "cpudriver/abi/calls.h"
#include "cpudriver/abi/capabilities.h"
#include "cpudriver/abi/errors.h"
#include "cpudriver/capability/window.h"

struct slot {
	/* the object */
	_Alignas(LINE_BYTES) uint64_t base;
	uint64_t size;
	uint8_t type; /* enum cap_type, or one of the two below while the object is being taken apart */
	/* this copy */
	uint8_t rights;
	uint8_t flags; /* CAP_FLAG_*, SLOT_* */
	/* the database's, with the pointers at the end */
	uint8_t rank;
	uint16_t owner;  /* core ID of the object's owner */
	uint16_t cursor; /* zombies: slots of the object below this one are empty. Doorbell, Endpoint: the low bits of `extra`, so that
	                    identify's first value is one word of the slot. Else 0. */
	uint64_t extra;  /* Frame, DeviceFrame, PageTable: where it is mapped (paging.h). Endpoint: badge. Doorbell: the doorbell's index.
	                    Interrupt: the binding's (0: none). Zombies: the next one. Else 0. */
	struct slot *left, *right, *parent;
	uint64_t max_end; /* largest base + size in this subtree */
};
_Static_assert(sizeof(struct slot) == 64, "CNODE_SLOTS of them are a CNode");
_Static_assert(sizeof(struct slot) * CNODE_SLOTS == CNODE_BYTES, "a CNode is its slots");

/* Flags that user space doesn't see. They belong to the place, not to what lies in it. */
enum {
	SLOT_EMBEDDED = 0x80, /* in a dispatcher: dispatcher_binding_lost is told when it is emptied */
	SLOT_CHAIN = 0x40,    /* delete.c: the zombie that others follow from */
	SLOT_PLACE_FLAGS = SLOT_EMBEDDED | SLOT_CHAIN,
};

/* Types that user space doesn't see: a container whose last copy goes, until its slots are empty. No address leads into it. */
enum { CAP_ZOMBIE_CNODE = CAP_TYPES, CAP_ZOMBIE_DISPATCHER, CAP_TYPES_ALL };

/* The type that user space knows it by. */
static inline enum cap_type plain_type(unsigned type)
{
	return type < CAP_TYPES ? type : type - (CAP_ZOMBIE_CNODE - CAP_CNode);
}
_Static_assert(CAP_ZOMBIE_DISPATCHER - CAP_Dispatcher == CAP_ZOMBIE_CNODE - CAP_CNode, "both are as far from what they were");

#define LINE_MEMORY     UINT64_C(0)
#define LINE_PORTS      (UINT64_C(1) << 60)
#define LINE_INTERRUPTS (UINT64_C(2) << 60)
#define LINE_KERNEL     (UINT64_C(3) << 60)
#define LINE_BELLS      (UINT64_C(4) << 60) /* doorbells of other cores, by the address that they have there */
#define LINE_DOORBELLS  (UINT64_C(5) << 60) /* those of them that have all of their dispatcher's range */
#define LINE_MASK       (UINT64_C(15) << 60)

/* A doorbell that monitors hand around among themselves: of all of its dispatcher. */
static inline bool is_free_doorbell(const struct slot *s)
{
	return s->type == CAP_Doorbell && s->size == DISPATCHER_BYTES;
}

/* Everything that a core knows about its capabilities; part of its struct core. All zero is an empty database. */
struct capabilities {
	/* set once at start */
	uint16_t core;       /* this core's ID: the owner of what is made here */
	bool huge_pages;     /* the CPU has 1 GiB pages (Intel SDM vol. 2, CPUID 80000001H:EDX bit 26) */
	uint64_t no_execute; /* PTE_NO_EXECUTE (paging.h), 0 if the CPU has no such bit */

	struct slot *root;          /* of the database */
	uint64_t count;             /* slots in it */
	struct slot *zombies;       /* last in, first out (delete.c) */
	bool flush;                 /* translations went stale during this call */
	const struct slot *revoked; /* whose copies and descendants this call deletes */
	bool revoke_stopped;        /* an obstacle was found below one of them */
	bool agreed;                /* this call is Kernel.sweep: the cores that know the revoked object agreed */
	bool shared_tables;         /* and mappings in tables that other cores use may go: these will flush */
	const struct slot *unbound; /* an embedded slot that its own dispatcher deletes: it needs not be told */
	struct {
		uint64_t type, base, size;
	} obstacle; /* what the last LAST_COPY or NEEDS_AGREEMENT was about */
};

/* One call's capability, words and results. */
struct invocation {
	struct slot *self;         /* never NULL; may be empty */
	uint64_t word[5];          /* W0..W4 */
	uint64_t value[3];         /* V0..V2: zero at first, handlers write what they return */
	struct slot *root;         /* the first slot of the caller's root CNode */
	struct capabilities *caps; /* this core's */
};

/* ---- Finding ------------------------------------------------------------------------------------ */

static inline struct slot *cnode_slots(const struct slot *cnode)
{
	return window(PADDR(cnode->base));
}

/* The slot that the address names (it may be empty), NULL if the root slot holds no CNode. `root`: first slot of the root CNode. */
static inline struct slot *cap_slot(struct slot *root, cap_t cap)
{
	struct slot *cnode = &root[cap.value >> 8];

	return cnode->type == CAP_CNode ? &cnode_slots(cnode)[cap.value & 0xff] : NULL;
}

/* The capability that a word names, if it is of that type and has these rights: CAP_ADDRESS, CAP_EMPTY, CAP_TYPE, CAP_RIGHTS. */
MUST_USE err_t cap_argument(const struct invocation *i, uint64_t word, enum cap_type type, rights_t rights, struct slot **out);

static inline uint64_t slot_end(const struct slot *s)
{
	return s->base + s->size;
}

/* The first port or interrupt number; for memory the physical address. */
static inline uint64_t slot_number(const struct slot *s)
{
	return s->base & ~LINE_MASK;
}

/* ---- Operations --------------------------------------------------------------------------------- */

/* The table [type][operation], made from invocations.def (table.c). A handler is named op_TYPE_NAME, gets a slot of its type with the
 * rights that the table asks for, and is looked up nowhere else. */
typedef err_t handler_t(struct invocation *i);

enum {
	OPERATION_LIMIT = 64, /* table.c asserts that every number is below; a power of two, for the index */
};

/* Two tables instead of one of pairs, because that makes every call two instructions shorter. */
extern handler_t *const operation_handler[CAP_TYPES_ALL][OPERATION_LIMIT]; /* no_operation: the type has none of this number */
extern const uint8_t operation_rights[CAP_TYPES_ALL][OPERATION_LIMIT];

MUST_USE handler_t no_operation; /* CAP_EMPTY or OPERATION */

#define INVOCATION(type, name, number, rights) MUST_USE handler_t op_##type##_##name;
#include "cpudriver/abi/invocations.def"
#undef INVOCATION

/* The handler for `op` of i->self, which is below OPERATION_LIMIT. The only place that checks what doesn't depend on the type. */
MUST_USE static inline err_t cap_operation(const struct invocation *i, uint64_t op, handler_t **handler)
{
	/* one index for both tables, in the order of their memory */
	const uint8_t *rights = &operation_rights[0][0];
	handler_t *const *handlers = &operation_handler[0][0];
	uint64_t index = op + i->self->type * (uint64_t)OPERATION_LIMIT;

	if (rights[index] & ~i->self->rights)
		return ERR(CAP_RIGHTS);
	*handler = handlers[index];
	return OK;
}

MUST_USE static inline err_t cap_invoke(struct invocation *i, uint64_t op)
{
	handler_t *handler;

	if (op >= OPERATION_LIMIT)
		return no_operation(i);
	err_t e = cap_operation(i, op, &handler);

	return is_err(e) ? e : handler(i);
}

/* ---- For the rest of the CPU driver ------------------------------------------------------------- */

/* Makes a capability out of nothing but the starter's word: boot only. `number` is the physical address, first port or first interrupt;
 * `slot` must be empty; ranges must nest. A Frame, RAM and so on is not touched; kernel objects get cleared as at retype. Everything
 * else is made by retype from what this made: slot_retype below does that without a caller. */
MUST_USE err_t slot_make(struct capabilities *c, struct slot *slot, enum cap_type type, uint64_t number, uint64_t size, rights_t rights);

/* What op_Any_retype does, with the destination already found: `count` new objects in consecutive empty slots from `first` on. For the
 * meaning of offset and bytes see invocations.def. */
struct retype {
	struct slot *source;
	struct slot *first;
	enum cap_type type;
	uint64_t count, offset, bytes;
	bool agreed; /* other cores that know the source have nothing there either */
};
MUST_USE err_t slot_retype(struct capabilities *c, const struct retype *r);

/* A copy with at most these rights; `dst` must be empty. A mapping stays with the source, a badge goes along. */
void slot_copy(struct capabilities *c, struct slot *src, struct slot *dst, rights_t rights);

/* All of it, the mapping too; `dst` must be empty. */
void slot_move(struct capabilities *c, struct slot *src, struct slot *dst);

/* The same into a slot inside a dispatcher, and its end; both only for the dispatcher's own code. Deleting may be the end of a CNode:
 * AGAIN means that the call must be repeated (answer AGAIN to the caller); NEEDS_AGREEMENT and LAST_COPY leave the slot full.
 * Nobody is told (dispatcher_binding_lost). */
void slot_copy_internal(struct capabilities *c, struct slot *src, struct slot *dst);
MUST_USE err_t slot_delete_internal(struct capabilities *c, struct slot *slot);

/* ---- What the surroundings provide: the CPU driver, or a hosted test ---------------------------- */

/* Translations of user space that were removed from page tables, in whichever address space (all PCIDs, not the global ones). */
void tlb_flush_all(void);
/* One page of the running address space. */
void tlb_flush_page(vaddr_t page);

/* The level-4 table that is loaded; its upper half is what new level-4 tables start with. */
paddr_t running_page_table4(void);

/* A dispatcher object begins: its memory is zero but for what this writes. */
void dispatcher_begin(paddr_t dispatcher);

/* A dispatcher's last copy goes: take it out of every queue, answer PEER_GONE to its callers, forget its doorbell. Its bindings
 * are deleted next, then its memory is cleared. May be called twice for one dispatcher. */
void dispatcher_end(paddr_t dispatcher);

/* The embedded slots of a dispatcher: `count` in a row. */
struct slot *dispatcher_slots(paddr_t dispatcher, unsigned *count);

/* An embedded slot is about to be emptied: its dispatcher must stop using the object now. A level-4 table that is loaded must be
 * replaced by the CPU driver's own before this returns. */
void dispatcher_binding_lost(struct slot *slot);

/* The index of this dispatcher's doorbell, given out at the first request; LIMIT if there is none left. */
MUST_USE err_t dispatcher_doorbell_index(paddr_t dispatcher, uint64_t *index);

/* A copy of an Interrupt whose `extra` is not 0 is about to go. */
void interrupt_binding_lost(struct slot *interrupt);
