/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* The machine model: what the firmware's tables say about cores, memory, nodes and interrupt hardware.
 *
 * One flat structure without pointers holds all of it. It is therefore its own serialised form: the acpi domain
 * builds it in a frame, and that frame is mapped read-only into every monitor and into any domain that wants to
 * place its work. A receiver checks it once with machine_check() and may then use every index in it.
 *
 * The code under numa/model is plain C without I/O and includes nothing but freestanding headers, so the loader,
 * the monitors, the library OS, the unit tests and the fuzzer all compile the same files. It calls memset and
 * memcpy at most, and those only because the compiler asks for them.
 *
 * Numbers. A *core* number is dense: core 0 is the boot core, the other enabled cores follow by rising APIC ID,
 * then those that are listed but not enabled. A *node* number is dense too: proximity domains by rising number.
 * APIC IDs and proximity domains need not be dense, and programs seldom need them.
 *
 * Damaged tables. A table whose checksum or any length is wrong is refused as a whole, with a sentence in
 * `notes` that names the table and the offset, and the model goes on as if that table were missing:
 * without MADT there is one core, without SRAT one node, without SLIT distances are 10 and 20. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_VERSION 2u

enum {
	MACHINE_CORES = 256,
	MACHINE_NODES = 64,
	MACHINE_RANGES = 256,
	MACHINE_IOAPICS = 16,
	MACHINE_OVERRIDES = 32,
	MACHINE_ECAMS = 16,
	MACHINE_NOTES = 16,
	MACHINE_NOTE_BYTES = 128,
	MACHINE_CACHES = 8,
	MACHINE_SHIFT_MOST = 31, /* of an APIC ID's 32 bits */

	MACHINE_NO_CORE = 0xffff, /* "no such core" wherever a core number is answered */
	MACHINE_NO_NODE = 0xffff, /* "no such node" likewise */

	MACHINE_DISTANCE_LOCAL = 10,   /* ACPI 6.4, 5.2.17: a locality's distance to itself */
	MACHINE_DISTANCE_DEFAULT = 20, /* what is assumed between two nodes when no SLIT says otherwise */
	MACHINE_DISTANCE_UNREACHABLE = 255,
};

enum machine_core_flags {
	MACHINE_CORE_ENABLED = 1u << 0,
	MACHINE_CORE_ONLINE_CAPABLE = 1u << 1, /* not enabled, but may be added while running */
};

struct machine_core {
	uint32_t apic; /* the APIC ID: 8 bits with xAPIC, 32 bits with x2APIC */
	uint32_t uid;  /* the ACPI processor UID, by which AML names the core */
	uint16_t node;
	uint8_t flags; /* enum machine_core_flags */
	uint8_t reserved;
};

struct machine_node {
	uint64_t memory_bytes; /* RAM that is there; memory that could be plugged in later does not count */
	uint32_t proximity;    /* the firmware's number for the node */
	uint16_t core_count;   /* enabled cores */
	uint16_t reserved;
};

enum machine_range_flags {
	MACHINE_RANGE_HOTPLUG = 1u << 0,     /* address space for memory that may come and go */
	MACHINE_RANGE_NONVOLATILE = 1u << 1, /* keeps its content without power */
};

/* A stretch of physical addresses that belongs to a node. Sorted by base, never overlapping. */
struct machine_range {
	uint64_t base;
	uint64_t size;
	uint16_t node;
	uint16_t flags; /* enum machine_range_flags */
	uint32_t reserved;
};

struct machine_ioapic {
	uint64_t address;
	uint32_t id;
	uint32_t first_gsi; /* global system interrupt of its input 0 */
};

/* ACPI 6.4, 5.2.12.5 (MPS INTI flags). "Bus default" means high/edge for ISA, low/level for PCI. */
enum machine_polarity { MACHINE_POLARITY_BUS = 0, MACHINE_POLARITY_HIGH = 1, MACHINE_POLARITY_LOW = 3 };
enum machine_trigger { MACHINE_TRIGGER_BUS = 0, MACHINE_TRIGGER_EDGE = 1, MACHINE_TRIGGER_LEVEL = 3 };

/* An ISA interrupt that does not arrive at the global system interrupt of its own number. */
struct machine_override {
	uint32_t gsi;
	uint8_t isa;
	uint8_t polarity; /* enum machine_polarity */
	uint8_t trigger;  /* enum machine_trigger */
	uint8_t reserved;
};

/* Memory-mapped PCI configuration space of buses first_bus..last_bus; `address` is where bus 0 would be. */
struct machine_ecam {
	uint64_t address;
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
	uint32_t reserved;
};

enum machine_cache_kind { MACHINE_CACHE_DATA = 1, MACHINE_CACHE_CODE = 2, MACHINE_CACHE_UNIFIED = 3 }; /* as in CPUID leaf 4 */

/* A cache that every core has, alone or with others: those whose APIC IDs only differ in the lowest `shift` bits share one. */
struct machine_cache {
	uint32_t bytes;
	uint16_t line_bytes;
	uint16_t ways; /* 0: fully associative */
	uint8_t level; /* 1 is next to the core */
	uint8_t kind;  /* enum machine_cache_kind */
	uint8_t shift;
	uint8_t reserved;
};

struct machine {
	uint32_t version; /* MACHINE_VERSION */
	uint32_t bytes;   /* sizeof(struct machine) */

	uint32_t acpica;      /* ACPICA's release as hexadecimal digits (0x20220331), 0 when it did not run */
	uint16_t core_count;  /* enabled: cores[0 .. core_count) */
	uint16_t core_total;  /* with those not enabled: cores[core_count .. core_total) */
	uint16_t node_count;  /* at least 1 */
	uint16_t range_count; /* 0 when there was neither an SRAT nor a memory map */
	uint16_t ioapic_count;
	uint16_t override_count;
	uint16_t ecam_count;
	uint16_t note_count;

	uint64_t lapic_address; /* of the local APIC's registers in xAPIC mode */
	uint64_t hpet_address;  /* 0: no HPET */
	uint16_t hpet_min_tick; /* least count for a periodic timer that loses no tick */
	uint8_t hpet_timers;    /* comparators */
	uint8_t pm_timer_bits;  /* 24 or 32; 0: no PM timer */
	uint16_t pm_timer_port;
	uint16_t sci_interrupt; /* ISA interrupt or GSI of ACPI's own events */
	uint8_t has_acpi;       /* 1: some table was found and accepted */
	uint8_t has_8259;       /* 1: a pair of 8259 interrupt controllers must be masked */
	uint8_t has_numa;       /* 1: nodes come from an SRAT */
	/* What the first core says of its kind: an APIC ID without its lowest core_shift bits names the core of which it is a thread,
	 * without die_shift bits the die, without package_shift bits the package. has_levels 0: it does not say. */
	uint8_t has_levels;
	uint8_t core_shift;
	uint8_t die_shift;
	uint8_t package_shift;
	uint8_t cache_count;

	struct machine_core cores[MACHINE_CORES];
	struct machine_node nodes[MACHINE_NODES];
	struct machine_range ranges[MACHINE_RANGES];
	struct machine_ioapic ioapics[MACHINE_IOAPICS];
	struct machine_override overrides[MACHINE_OVERRIDES];
	struct machine_ecam ecams[MACHINE_ECAMS];
	uint8_t distances[MACHINE_NODES][MACHINE_NODES]; /* [from][to]; need not be symmetric */
	char notes[MACHINE_NOTES][MACHINE_NOTE_BYTES];   /* sentences for the person who boots; NUL-terminated */
	struct machine_cache caches[MACHINE_CACHES];     /* the outermost first */
};

_Static_assert(sizeof(struct machine_core) == 12, "shared between domains");
_Static_assert(sizeof(struct machine_node) == 16, "shared between domains");
_Static_assert(sizeof(struct machine_range) == 24, "shared between domains");
_Static_assert(sizeof(struct machine_ioapic) == 16, "shared between domains");
_Static_assert(sizeof(struct machine_override) == 8, "shared between domains");
_Static_assert(sizeof(struct machine_ecam) == 16, "shared between domains");
_Static_assert(sizeof(struct machine_cache) == 12, "shared between domains");
_Static_assert(offsetof(struct machine, cores) == 64, "shared between domains");
_Static_assert(sizeof(struct machine) == 17312, "shared between domains: five pages");

/* ---- Building ---- */

/* One ACPI table as it lies in memory. `bytes` is how many may be read; the table's own length is checked
 * against it. A missing table is { NULL, 0 }. */
struct machine_table {
	const void *at;
	size_t bytes;
};

struct machine_span {
	uint64_t base;
	uint64_t size;
};

struct machine_sources {
	uint32_t boot_apic; /* APIC ID of the core that runs this; becomes core 0 */
	struct machine_table madt, srat, slit, hpet, mcfg, fadt;
	const struct machine_span *memory; /* RAM by the boot memory map, in any order, without overlaps; or NULL */
	size_t memory_count;
};

/* Fills *machine from whatever tables there are. Cannot fail: the least it answers is one core on one node. */
void machine_build(struct machine *machine, const struct machine_sources *sources);

/* One answer of CPUID. */
struct machine_leaf {
	uint32_t leaf, subleaf;
	uint32_t a, b, c, d;
};

/* Adds what a core says of cores, dies, packages and caches: leaves 0x1f or 0xb, and 4 or 0x8000001d, with all their subleaves in order.
 * What makes no sense is as if it had not been said. */
void machine_read_levels(struct machine *machine, const struct machine_leaf *leaves, size_t count);

/* ---- Receiving ---- */

/* Whether the `bytes` at `machine` are a model of this version whose counts and indexes are all in bounds. */
__attribute__((warn_unused_result)) bool machine_check(const struct machine *machine, size_t bytes);

/* ---- Asking ---- */

/* Core number by APIC ID, enabled or not; MACHINE_NO_CORE. */
unsigned machine_core_by_apic(const struct machine *machine, uint32_t apic);

/* Node of an enabled or listed core; MACHINE_NO_NODE if there is no such core. */
unsigned machine_node_of_core(const struct machine *machine, unsigned core);

/* Node of a physical address; MACHINE_NO_NODE if no node has it. On a machine of one node always 0. */
unsigned machine_node_of_address(const struct machine *machine, uint64_t address);

/* Enabled cores of a node in rising order. Answers how many there are; writes at most `capacity`. */
unsigned machine_cores_of_node(const struct machine *machine, unsigned node, uint16_t *cores, unsigned capacity);

/* All nodes, nearest first as seen from `node`, itself in front; equal distances by rising number. */
unsigned machine_nodes_by_distance(const struct machine *machine, unsigned node, uint16_t order[MACHINE_NODES]);

/* Distance as in the SLIT: 10 is local, 20 twice as far, 255 unreachable (also for a node that does not exist). */
unsigned machine_distance(const struct machine *machine, unsigned from, unsigned to);

/* Where an ISA interrupt arrives: its override if it has one, else the GSI of the same number, high and edge. */
struct machine_override machine_isa_interrupt(const struct machine *machine, unsigned isa);

/* A tree over all enabled cores, for starting them and for broadcasts: the root's first children lead the other
 * nodes, and below a node's leader are only cores of that node, so each link between nodes is used once. */
struct machine_tree {
	uint16_t root;
	uint16_t count;
	uint16_t parent[MACHINE_CORES];       /* MACHINE_NO_CORE for the root and for cores outside */
	uint16_t first_child[MACHINE_CORES];  /* MACHINE_NO_CORE: a leaf */
	uint16_t next_sibling[MACHINE_CORES]; /* in the order in which the parent should send */
};

/* `latency` is how many sends a parent can do in the time from one send until that child can send, itself: 1 gives
 * binomial trees (broadcast of a short message), a large number a flat tree per node (starting cores). */
void machine_start_tree(const struct machine *machine, unsigned root, unsigned latency, struct machine_tree *tree);

/* The JSON object of the @topology line, without tag and newline:
 * {"cores":[{"core":0,"apic":0,"node":0},..],"nodes":[{"node":0,"memory":BYTES},..],"distances":[[10,20],..],
 *  "acpica":"20220331"}. Answers its length without the NUL; like snprintf, what does not fit is cut off. */
size_t machine_print_topology_json(const struct machine *machine, char *text, size_t bytes);
