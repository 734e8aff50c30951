/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* All that one monitor knows. There is no other mutable state, so several monitors can live in one process, under a simulated platform. */

#include <atoll/capability.h>

#include "channels/channel.h"
#include "cpudriver/abi/core_boot.h"
#include "monitor/abi/messages.h"
#include "monitor/abi/start.h"
#include "monitor/agreement/agreement.h"
#include "monitor/archive.h"
#include "monitor/manifest.h"
#include "monitor/membership.h"
#include "monitor/memory.h"
#include "monitor/messages.h"
#include "monitor/patience.h"
#include "monitor/platform.h"
#include "numa/model.h"

#define DOMAINS_MAX     64  /* on one core at a time */
#define CONNECTIONS_MAX 256 /* ends of connections on one core */
#define TICKETS_MAX     128 /* questions to monitors that wait for their answer */
#define NAMES_MAX       128
#define ENDINGS_MAX     128                       /* ended domains whose status is remembered */
#define RAM_ROOTS       (REGIONS_MAX + CORES_MAX) /* pieces of memory with a capability over each (block.c) */

#define CAPABILITY_WORKS_MAX 128 /* operations on capabilities that domains of one core have asked for */

#define DEFAULT_BLOCK (4 * MIB)
#define LEAST_BLOCK   (1 * MIB)
#define RING_LINES    64 /* of a connection's ring */
#define RING_BYTES    (RING_LINES * sizeof(struct channel_slot))
#define MESH_LINES    16 /* of a ring between monitors: half a page */
#define PRINT_LINE    512

/* A piece of this core's memory with the capability over it: RAM or a Frame. bytes == 0: none. */
struct block {
	uint64_t base, bytes;
	cap_t cap;
};

/* ---- Other cores (mesh.c) ---- */

struct queued {
	struct queued *next;
	uint16_t type;
	union message message;
};

enum peer_state {
	PEER_UNKNOWN,   /* not up, or not heard of yet */
	PEER_KNOWN,     /* announced: could be connected */
	PEER_CONNECTED, /* its page is mapped, the channel works */
	PEER_LOST,      /* not a member any more: nothing is sent to it, and nothing of it is believed */
};

struct peer {
	enum peer_state state;
	bool neighbour; /* in the tree along which cores are started */
	struct message_up up;
	cap_t doorbell, page;
	uint8_t *at; /* the page, as this monitor sees it */
	struct channel channel;
	bool lively;                     /* in the monitor's list of those */
	bool talked;                     /* something was sent or received, since the monitor last woke */
	struct queued *first, *last;     /* what the full channel could not take */
	struct queued *held, *held_last; /* the agreement's messages of a view that has not come here yet */
	unsigned holds;
	uint64_t refused; /* malformed messages */
	unsigned faults;  /* of its channel, that were noticed */
	uint32_t accused; /* the view in which its channel's faults were told to the leader */
	bool settled;     /* first monitor: it is up, or known to have failed */
	bool owes_balance, balanced;
	struct message_balance balance; /* at the system's end */
	/* text that it prints through the first monitor */
	char *line; /* PRINT_LINE bytes once it prints */
	unsigned line_bytes;
};

/* Where a core writes next, and what lies there until it does. */
struct watch {
	const channel_shared_word *header;
	uint64_t seen;
};

/* ---- Questions under way (tickets.c) ---- */

enum ticket_kind {
	TICKET_FREE,
	TICKET_OFFER, /* and withdraw; answered by a late reply: token */
	TICKET_RESOLVE,
	TICKET_CONNECT,
	TICKET_SPAWN,
	TICKET_WAIT,
	TICKET_KILL,
	TICKET_LIST,
	TICKET_SERVICES,
	TICKET_INTRODUCE,
	TICKET_START,
	TICKET_LINK, /* like connect, for a further member of a span */
	TICKET_GROW,
	TICKET_SHRINK,
	TICKET_MOVE,
	TICKET_RECLAIM,
};

/* Somebody else wants the domain to have that connection: over which of its connections and under which tag it gets it, and who waits to
 * hear how it went. */
struct introduction {
	uint32_t over; /* 0: it has asked itself */
	uint32_t tag, core, ticket;
};

struct ticket {
	enum ticket_kind kind;
	uint16_t generation;
	uint32_t core;   /* who must answer */
	uint32_t domain; /* who asked; 0: this monitor itself */
	uint32_t tag;
	uint32_t value; /* kind's own: the service's flags, the domain waited for, the connection, entries so far */
	uint64_t token;
	char name[SERVICE_NAME_BYTES];
	struct introduction introduction; /* resolve, connect */
};

/* ---- Operations on capabilities that domains have asked for (capability.c) ---- */

struct capability_work {
	uint32_t domain; /* 0: a free record */
	uint32_t tag;
	struct capability_request request;
	uint64_t begun; /* time-stamp counter */
};

/* What they cost, by enum agreement_operation. */
struct agreement_cost {
	uint64_t operations, messages, cycles, longest;
};

/* A capability that has lost its holder. */
struct leftover {
	struct leftover *next;
	cap_t cap;
	bool returned; /* it is memory of this core's now */
	uint64_t cleared;
};

/* ---- Domains (domain.c, spawn.c) ---- */

enum domain_phase {
	DOMAIN_FREE,
	DOMAIN_RUNNING,
	DOMAIN_STOPPING,
	DOMAIN_REVOKING,
	DOMAIN_AGREEING,
	DOMAIN_CLEARING,
	DOMAIN_LINGERING,
	DOMAIN_DEPARTING, /* depart.c */
	DOMAIN_ARRIVING,  /* arrive.c */
};

#define UNREAD_MAX  64 /* events of a domain that is given more: far fewer than there are slots to go around */
#define UNREAD_EACH 32 /* of those, gifts of one giver: the others must not find all taken up */

struct event {
	struct event *next;
	uint16_t type;
	uint64_t words[CHANNEL_WORDS];
};

/* A block that a domain has been given beside its first one (revocation.c). */
enum grant_state {
	GRANT_HELD,
	GRANT_WARNED,   /* the domain has heard that it is about to be taken */
	GRANT_GIVEN,    /* its turn to be revoked comes */
	GRANT_REVOKING, /* the agreement has its capability */
	GRANT_CLEARING,
};

struct grant {
	struct block block;
	enum grant_state state;
	bool kept;      /* taken last */
	uint32_t order; /* later ones have a higher number */
	uint64_t until; /* warned: then it is taken */
	uint64_t cleared;
};
#define GRANTS_MAX 32

/* What a domain is being asked to give back. */
struct revocation {
	enum revocation_kind kind;
	uint32_t asker, ticket; /* the core whose monitor has asked, and its number for it */
	uint64_t amount, given, taken;
	uint64_t deadline;
	bool answered; /* the domain has said that this was all */
};

struct domain {
	enum domain_phase phase;
	uint32_t number, parent;
	char name[24];
	uint32_t span; /* the number of its member 0, which most often is its own */
	uint8_t member;
	bool leaving;                          /* its span goes on without it */
	unsigned links_due;                    /* a further member that is being made: so many links are not bound yet */
	uint32_t failure;                      /* why it has ended before it was complete: an error number */
	struct members *others;                /* member 0's: all members (span.c); NULL: it has never grown */
	const struct manifest_program *rights; /* NULL: the defaults */
	struct block block;
	struct grant grant_of[GRANTS_MAX]; /* REQUEST_memory */
	uint32_t granted;                  /* so far */
	bool robbed;                       /* something was taken from it that it had not given */
	struct revocation revocation;
	uint64_t quota; /* bytes of all blocks, at most; 0: no bound */
	cap_t grant, dispatcher, task, doorbell, start_frame;
	uint64_t dispatcher_base, doorbell_base, doorbell_extra;
	uint8_t *start; /* its four start pages, as this monitor sees them */
	struct channel events;
	struct event *first, *last; /* what the full event ring could not take, */
	unsigned kept;              /* and how many that are */
	uint32_t told;              /* events so far */
	struct {
		uint32_t event, giver; /* the number of the event that told of it; the domain */
	} gift[UNREAD_MAX];            /* the latest ones, in a round */
	unsigned next_gift;
	uint8_t placed; /* slot of the task CNode that the monitor used last; 0: none yet */
	unsigned tickets;
	uint64_t status, cleared;
	enum end_cause cause;

	/* moving (move.h) */
	struct departure *departure; /* it is asked to leave; NULL: it is not */
	struct arrival *arrival;     /* ARRIVING */
	uint32_t moves;              /* so far */
	unsigned trace;              /* its ring's number in the directory (trace.h), 0: none */
	bool pinned;                 /* its spawner wanted it to stay */
	bool shares;                 /* it has given memory of its own to somebody on this core */
	bool doomed;                 /* ends as soon as it has moved, or has not */
};

struct waiter {
	struct waiter *next;
	uint32_t core, ticket, domain;
};

struct ending {
	uint32_t domain;
	enum end_cause cause;
	uint64_t status;
};

/* ---- Connections (bind.c) ---- */

enum connection_widening { WIDEN_NOT, WIDEN_ASKED, WIDEN_DONE, WIDEN_REFUSED };
enum connection_hold { HOLD_NONE, HOLD_ASKED, HOLD_GRANTED };
enum connection_state { CONNECTION_FREE, CONNECTION_ASKED, CONNECTION_OPEN, CONNECTION_CLOSING };

struct connection {
	enum connection_state state;
	uint16_t generation;
	uint32_t number; /* generation << 16 | index */
	uint32_t domain; /* whose end this is; 0: it has let go */
	uint32_t peer_core, peer_domain, peer_number;
	uint32_t service; /* the server's end: which one, by the server's own number */
	enum connection_kind kind;
	bool peer_closed;                               /* the peer's monitor has said so, and holds nothing of ours any more */
	bool lost;                                      /* the peer's core has died */
	bool link;                                      /* between members of a span */
	bool asked, taken;                              /* its domain is asked to give it back; it is being taken */
	uint32_t order;                                 /* later ones have a higher number */
	uint64_t until;                                 /* being taken: then it is closed */
	uint8_t member;                                 /* the peer's, then */
	uint8_t slot_send, slot_receive, slot_doorbell; /* of the domain's task CNode, 0: none */
	struct block ring;                              /* Frame: where this end receives */
	cap_t peer_ring, peer_doorbell;                 /* installed copies, of another core's */
	uint64_t peer_ring_base;

	/* moving (rebind.h) */
	enum connection_hold hold; /* this end's domain is about to leave: what the peer's monitor says to it */
	bool held;                 /* the peer's domain is */
	bool serves;               /* the server's end of an endpoint */
	enum connection_widening widening;
	bool departed;  /* this end is on another core now: `went`. Its ring is kept until the peer does without. */
	bool unsettled; /* this end has come here; its peer may still write to the old ring */
	uint32_t went;
	bool switching; /* the peer has moved, this end's domain has not said yet that it uses the new ring; until then: */
	struct {
		cap_t ring, doorbell;
		uint64_t ring_base;
		uint32_t core, number;
		bool lost;
	} old;
};

/* ---- Starting cores (core_start.c) ---- */

#define START_MEMORIES 8 /* pieces of memory that a core gets when it is started */

enum start_state { START_FREE, START_PREPARED, START_INIT, START_SIPI, START_SIPI_AGAIN, START_UP, START_FAILED };

struct start {
	enum start_state state;
	uint32_t core;
	uint64_t deadline, bound;
	bool again;                          /* it was up before */
	uint64_t mesh, mailbox;              /* where its starter has put them */
	struct block memory[START_MEMORIES]; /* what it gets; the image lies at the first one's low end */
	unsigned memories;
};

struct name {
	char name[SERVICE_NAME_BYTES];
	uint32_t domain;  /* the server; 0: a free record */
	uint32_t service; /* the server's own number for it */
	uint64_t interface;
};

struct name_waiter {
	struct name_waiter *next;
	char name[SERVICE_NAME_BYTES];
	uint64_t interface;
	uint32_t core, ticket, domain;
};

/* Text of a spawn that comes in pieces. */
struct spawn_text {
	struct spawn_text *next;
	uint32_t core, ticket, bytes;
	char text[PAGE_BYTES];
};

/* ---- The whole ---- */

/* What it looks on for before it sleeps (main.c): each is learnt by itself. */
enum patience_for {
	PATIENCE_ANYTHING, /* nothing is awaited */
	PATIENCE_ANSWER,
	PATIENCE_REPLY, /* an answer, while who asked waits for the reply */
	PATIENCES,
};

enum life {
	LIFE_DISCOVERING, /* first core: the acpi domain is at work */
	LIFE_STARTING,    /* first core: other cores come up */
	LIFE_READY,
	LIFE_ENDING, /* domains end */
	LIFE_ENDED,  /* all have */
};

/* This core's part of the system's end. */
enum end_phase {
	END_NOT_BEGUN,
	END_OTHERS, /* all domains but those marked `last` end */
	END_ALL,    /* those too */
	END_DONE,   /* the balance has been sent */
};

struct balance {
	uint64_t ram;
	uint32_t capabilities, channels;
};

struct monitor {
	/* immutable after start */
	const struct core_boot *boot;
	uint32_t core, node;
	uint64_t start_tsc;             /* the loader's first instruction */
	uint64_t driver_us, monitor_us; /* since then: the CPU driver handed over; this monitor was ready */
	struct archive archive;
	struct manifest manifest;
	const struct machine *machine; /* NULL: not known yet */
	struct block machine_block;
	cap_t machine_frame;

	/* memory (block.c) */
	struct ram ram;
	struct {
		uint64_t base, bytes;
		cap_t cap;
	} root[RAM_ROOTS];
	unsigned roots;

	/* other cores */
	unsigned peers; /* cores that the machine has */
	struct peer *peer;
	uint64_t mesh_base;
	uint8_t *mesh;       /* one page for each core, where it writes to this one */
	struct watch *watch; /* by core */
	uint16_t *lively;    /* cores */
	unsigned livelies;
	bool rung; /* by somebody who may not be lively */
	cap_t own_doorbell;
	uint64_t own_doorbell_base, own_doorbell_extra;
	struct queued *local_first, *local_last; /* messages to itself */
	bool talks;                              /* it has sent something to another monitor, or received, since it last looked on */
	struct patience patience[PATIENCES];
	struct message_up self;
	struct membership membership;
	struct agreement agreement; /* begins when the peers are known (mesh_start) */
	struct capability_work work[CAPABILITY_WORKS_MAX];
	unsigned works;                        /* that are not free */
	struct platform_reply reply;           /* to the request that was served last; token REPLY_NONE: it is given */
	const struct capability_work *awaited; /* its end completes the reply, if it comes before that is given; NULL: nobody's does */
	struct agreement_cost cost[ASKED_KINDS];
	struct leftover *leftovers;

	struct ticket ticket[TICKETS_MAX];
	struct domain domain[DOMAINS_MAX];
	unsigned domains_ending; /* neither free nor running */
	uint16_t domain_count;   /* for numbers */
	struct connection connection[CONNECTIONS_MAX];
	unsigned connections;
	uint32_t connections_made; /* so far */
	unsigned revocations;      /* domains from which something is to come back */
	struct waiter *waiters;
	struct whereabouts *whereabouts; /* whereabouts.h */
	unsigned departures;
	struct ending ending[ENDINGS_MAX];
	unsigned endings;
	struct spawn_text *texts;
	bool events_waiting;    /* an event ring was full: look again soon */
	bool stirred;           /* more has happened than operations on capabilities, since the rest was looked after (main.c) */
	uint64_t rest_deadline; /* when to look after it at the latest; 0: at any time */

	/* starting cores */
	struct start *start; /* one record for each core of the machine */
	unsigned starts;
	struct tracing *tracing;   /* trace.h; NULL: nothing is traced */
	struct starting *starting; /* what all that this monitor starts have in common */
	struct machine_tree *tree; /* of starts; only on monitors that start cores with the machine */
	uint8_t *trampoline;
	uint64_t share; /* bytes of memory for one core of this node */

	/* the first core's */
	struct name name[NAMES_MAX];
	struct name_waiter *name_waiters;
	uint32_t acpi;                        /* domain number */
	bool acpi_ready, acpi_can_switch_off; /* it has said how far it has come, and whether the firmware says how */
	struct voice *voice;                  /* NULL: no console (voice.h) */
	enum life life;
	uint64_t life_deadline; /* 0: none */
	unsigned cores_left;    /* LIFE_STARTING: neither up nor failed; LIFE_ENDING: balances outstanding */
	uint64_t discovery_us, acpi_us, prepared_us, complete_us; /* for @boot_phases */
	uint64_t exit_status;

	/* the end */
	enum end_phase end;
	bool balance_noted;
	uint64_t noted_total; /* memory that this core had then */
	struct balance before;
};

/* As much of `from` as fits, with a 0 at the end; the rest of `to` is cleared. */
static inline void copy_name(char *to, size_t bytes, const char *from)
{
	size_t i = 0;

	for (; i + 1 < bytes && from[i] != '\0'; i++)
		to[i] = from[i];
	for (; i < bytes; i++)
		to[i] = '\0';
}

/* The core that gave it its number, and where it began (whereabouts.h says where it lives). */
static inline uint32_t domain_core_of(uint32_t number)
{
	return number >> 16;
}
