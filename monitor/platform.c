/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <string.h>

#include <atoll/capability.h>
#include <atoll/domain.h>

#include "libos/ipc/endpoint.h"
#include "monitor/platform.h"

static uint64_t cnode_of(cap_t slot)
{
	return CAP(ROOT_SELF, slot.value >> 8).value;
}
static uint64_t slot_of(cap_t slot)
{
	return slot.value & 0xff;
}

static struct call_result kernel(unsigned operation, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	return invoke(CAP_KERNEL, operation, w0, w1, w2, w3, w4);
}

/* ---- Time ---- */

uint64_t platform_now(void)
{
	return time_tsc();
}

uint64_t platform_ticks(uint64_t microseconds)
{
	return (uint64_t)((__uint128_t)microseconds * time_tsc_hz() / 1000000);
}

uint64_t platform_microseconds(uint64_t ticks)
{
	return (uint64_t)((__uint128_t)ticks * 1000000 / time_tsc_hz());
}

/* ---- Calls ---- */

static void set_timer(uint64_t deadline)
{
	static uint64_t set;

	if (deadline != set)
		(void)!is_ok(invoke(CAP_SELF_DISPATCHER, OP_Dispatcher_set_timer, deadline, 0, 0, 0, 0).error);
	set = deadline;
}

err_t platform_wait(const struct platform_reply *reply, unsigned how, uint64_t deadline, struct platform_call *call, uint64_t *pending)
{
	struct endpoint_message message;
	struct endpoint_request request;
	err_t e;

	memcpy(message.word, reply->word, sizeof(message.word));
	if (how != REPLY_POLL)
		set_timer(deadline);
	e = endpoint_reply_wait(reply->token, &message, how, &request);
	/* A deadline in the past would otherwise be set anew, unseen. */
	*pending = atomic_exchange_explicit(&domain_dispatcher()->pending, 0, memory_order_seq_cst);
	if (*pending & PENDING_TIMER)
		set_timer(0);
	if (is_ok(e)) {
		*call = (struct platform_call){request.badge, request.token, {0}};
		memcpy(call->word, request.message.word, sizeof(call->word));
	}
	return e;
}

void platform_reply(const struct platform_reply *reply)
{
	struct endpoint_message message;

	memcpy(message.word, reply->word, sizeof(message.word));
	/* NO_CALLER: it has ended meanwhile. */
	(void)!is_ok(endpoint_reply(reply->token, &message));
}

bool platform_yield(void)
{
	(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_NOW));
	return atomic_load_explicit(&domain_dispatcher()->pending, memory_order_relaxed) != 0;
}

/* ---- Capabilities ---- */

err_t platform_install(cap_t slot, const struct platform_remote *what)
{
	return kernel(OP_Kernel_install, cnode_of(slot),
	              slot_of(slot) | (uint64_t)what->type << 8 | (uint64_t)what->rights << 16 | (uint64_t)what->owner << 32, what->base,
	              what->bytes, what->extra)
	    .error;
}

err_t platform_identify(cap_t cap, struct platform_remote *what, unsigned *flags)
{
	struct call_result r = invoke(cap, OP_Any_identify, 0, 0, 0, 0, 0);

	if (is_err(r.error))
		return r.error;
	*flags = r.value[0] >> 16 & 0xff;
	*what = (struct platform_remote){
	    .type = (enum cap_type)(r.value[0] & 0xff),
	    .rights = (uint8_t)(r.value[0] >> 8),
	    .owner = r.value[0] >> 32 & 0xffff,
	    .base = r.value[1],
	    .bytes = r.value[2],
	    .extra = r.value[0] >> 48,
	};
	return OK;
}

err_t platform_move(cap_t cap, cap_t slot)
{
	return invoke(cap, OP_Any_move, cnode_of(slot), slot_of(slot), 0, 0, 0).error;
}

err_t platform_surrender(cap_t cap)
{
	return kernel(OP_Kernel_surrender, cap.value, 0, 0, 0, 0).error;
}

/* AGAIN: a bounded part is done. */
static err_t kernel_repeat(unsigned operation, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3, uint64_t w4)
{
	err_t e;

	do
		e = kernel(operation, w0, w1, w2, w3, w4).error;
	while (err_is(e, ERR_NUMBER_AGAIN));
	return e;
}

err_t platform_mark(cap_t cap, bool remote, uint32_t owner)
{
	return kernel_repeat(OP_Kernel_mark, cap.value, remote ? CAP_FLAG_REMOTE : 0, owner, 0, 0);
}

static err_t deletion(struct call_result r, struct platform_obstacle *o)
{
	bool stopped = err_is(r.error, ERR_NUMBER_LAST_COPY) || err_is(r.error, ERR_NUMBER_NEEDS_AGREEMENT);

	*o = (struct platform_obstacle){0};
	if (stopped)
		*o = (struct platform_obstacle){(enum cap_type)r.value[0], r.value[1], r.value[2]};
	return r.error;
}

static err_t delete_slice(cap_t cap, unsigned flags, bool *ram, struct platform_obstacle *o)
{
	struct call_result r = kernel(OP_Kernel_delete, cap.value, flags, 0, 0, 0);

	*ram = is_ok(r.error) && r.value[0] != 0;
	return deletion(r, o);
}

err_t platform_delete(cap_t cap, bool *ram, struct platform_obstacle *o)
{
	return delete_slice(cap, SWEEP_PLAIN, ram, o);
}

err_t platform_delete_mapped(cap_t cap, bool *ram, struct platform_obstacle *o)
{
	return delete_slice(cap, SWEEP_SHARED_TABLES, ram, o);
}

err_t platform_sweep(cap_t cap, unsigned flags, struct platform_obstacle *o)
{
	return deletion(kernel(OP_Kernel_sweep, cap.value, flags, 0, 0, 0), o);
}

err_t platform_rescue(const struct platform_obstacle *o, cap_t slot)
{
	enum { NONE, R = RIGHT_READ, W = RIGHT_WRITE, X = RIGHT_EXECUTE, C = RIGHT_CONTROL };
	static const uint8_t rights_of[CAP_TYPES] = {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) [number] = (rights),
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
	};

	if ((unsigned)o->type >= CAP_TYPES)
		return ERR(ARGUMENT);
	return platform_install(slot,
	                        &(struct platform_remote){o->type, rights_of[o->type], (uint32_t)OWNER_OF_COPIES, o->base, o->size, 0});
}

static uint64_t find(uint64_t object, uint64_t base, uint64_t bytes)
{
	struct call_result r;

	do
		r = kernel(OP_Kernel_find, base, bytes, object, 0, 0);
	while (err_is(r.error, ERR_NUMBER_AGAIN));
	/* a range that can't be looked at is not free */
	return is_ok(r.error) ? r.value[0] : FIND_FOUND;
}

void platform_relate(cap_t cap, struct platform_relations *r)
{
	struct platform_remote what = {0};
	unsigned flags;
	err_t e = platform_identify(cap, &what, &flags);
	uint64_t found = is_ok(e) ? find(cap.value, what.base, what.bytes) : 0;

	*r = (struct platform_relations){(found & FIND_FOUND) != 0, (found & FIND_COPIES) != 0, (found & FIND_COVERED) != 0};
}

bool platform_find(cap_t within, uint64_t base, uint64_t bytes)
{
	return (find(within.value == CAP_NULL.value ? FIND_ANY : within.value, base, bytes) & FIND_FOUND) != 0;
}

bool platform_next_foreign(struct platform_remote *at)
{
	struct call_result r;

	do {
		r = kernel(OP_Kernel_next, at->type | (uint64_t)at->owner << 32, at->base, at->bytes, 0, 0);
		*at = (struct platform_remote){
		    .type = r.value[0] & 0xff,
		    .owner = (uint32_t)(r.value[0] >> 32 & 0xffff),
		    .base = r.value[1],
		    .bytes = r.value[2],
		};
	} while (is_ok(r.error) && at->type != CAP_Null && !(r.value[0] >> 16 & CAP_FLAG_FOREIGN));
	return is_ok(r.error) && at->type != CAP_Null;
}

err_t platform_retype(cap_t source, enum cap_type type, uint64_t offset, uint64_t bytes, unsigned count, cap_t first)
{
	return kernel_repeat(OP_Kernel_retype, source.value, cnode_of(first), slot_of(first) | (uint64_t)type << 8 | (uint64_t)count << 16,
	                     offset, bytes);
}

err_t platform_split(cap_t ram, uint64_t offset, cap_t rest)
{
	return kernel_repeat(OP_Kernel_split, ram.value, offset, cnode_of(rest), slot_of(rest), 0);
}

void platform_flush(void)
{
	(void)!is_ok(kernel(OP_Kernel_flush, 0, 0, 0, 0, 0).error);
}

err_t platform_fetch(cap_t dispatcher, uint64_t address, bool move, cap_t slot)
{
	uint64_t how = move ? FETCH_MOVE : FETCH_COPY;

	return kernel(OP_Kernel_fetch, dispatcher.value, address, cnode_of(slot), slot_of(slot) | how << 8, 0).error;
}

err_t platform_deliver(cap_t cap, cap_t dispatcher, uint64_t address)
{
	return kernel(OP_Kernel_deliver, cap.value, dispatcher.value, address, 0, 0).error;
}

err_t platform_doorbell(cap_t dispatcher, cap_t slot, uint64_t *base, uint64_t *extra)
{
	struct platform_remote what = {.type = CAP_Null};
	unsigned flags;
	err_t e = cap_retype(dispatcher, CAP_Doorbell, 0, 0, 1, slot);

	if (is_ok(e))
		e = platform_identify(slot, &what, &flags);
	if (is_err(e))
		return e;
	*base = what.base;
	*extra = what.extra;
	return OK;
}

err_t platform_endpoint(cap_t dispatcher, cap_t slot, uint64_t badge)
{
	return invoke(dispatcher, OP_Any_retype, cnode_of(slot), slot_of(slot), CAP_Endpoint | 1 << 8, badge, 0).error;
}

err_t platform_map_frame(cap_t frame, cap_t table, unsigned entry, unsigned rights, uint64_t offset, unsigned count)
{
	return invoke(frame, OP_Frame_map, table.value, entry, rights, offset, count).error;
}

err_t platform_map_table(cap_t table, unsigned level, cap_t next, unsigned entry)
{
	static const unsigned map[] = {[1] = OP_PageTable1_map, [2] = OP_PageTable2_map, [3] = OP_PageTable3_map};

	return invoke(table, map[level], next.value, entry, 0, 0, 0).error;
}

err_t platform_mapped(cap_t cap, struct platform_mapping *out)
{
	struct call_result r = kernel(OP_Kernel_mapped, cap.value, 0, 0, 0, 0);

	*out = (struct platform_mapping){
	    .table = r.value[0],
	    .offset = r.value[2],
	    .entry = r.value[1] & 0xffff,
	    .count = r.value[1] >> 16 & 0xffff,
	    .rights = (unsigned)(r.value[1] >> 32),
	};
	return r.error;
}

/* ---- Dispatchers ---- */

err_t platform_dispatcher_configure(cap_t d, cap_t root, cap_t table4, uint64_t shared, const char *name)
{
	uint64_t characters = 0;

	memcpy(&characters, name, strnlen(name, sizeof(characters)));
	return invoke(d, OP_Dispatcher_configure, root.value, table4.value, shared, characters, 0).error;
}

err_t platform_dispatcher_start(cap_t d, uint64_t rip, uint64_t rsp, uint64_t argument)
{
	return invoke(d, OP_Dispatcher_start, rip, rsp, argument, 0, 0).error;
}

void platform_dispatcher_stop(cap_t d)
{
	(void)!is_ok(invoke(d, OP_Dispatcher_stop, 0, 0, 0, 0, 0).error);
}

void platform_dispatcher_inspect(cap_t d, uint64_t *state, uint64_t *cycles)
{
	struct call_result r = invoke(d, OP_Dispatcher_inspect, 0, 0, 0, 0, 0);

	*state = is_ok(r.error) ? r.value[0] : DISPATCHER_STOPPED;
	*cycles = is_ok(r.error) ? r.value[1] : 0;
}

void platform_ring(cap_t doorbell)
{
	(void)!is_ok(invoke(doorbell, OP_Doorbell_ring, 0, 0, 0, 0, 0).error);
}

bool platform_rung(void)
{
	return (atomic_load_explicit(&domain_dispatcher()->pending, memory_order_relaxed) & PENDING_DOORBELL) != 0;
}

bool platform_take_ring(void)
{
	/* Whoever has rung has written before. */
	return platform_rung() &&
	       (atomic_fetch_and_explicit(&domain_dispatcher()->pending, ~PENDING_DOORBELL, memory_order_seq_cst) & PENDING_DOORBELL) != 0;
}

/* ---- Cores ---- */

err_t platform_peer(uint32_t core, uint32_t apic, uint64_t mailbox)
{
	return kernel(OP_Kernel_peer, core, apic, mailbox, 0, 0).error;
}

err_t platform_init(uint32_t apic)
{
	return kernel(OP_Kernel_send_init, apic, 0, 0, 0, 0).error;
}

err_t platform_sipi(uint32_t apic, uint64_t page)
{
	return kernel(OP_Kernel_send_sipi, apic, page, 0, 0, 0).error;
}

err_t platform_watch(const struct platform_watch *watch, struct platform_silence *silence)
{
	struct call_result r = kernel(OP_Kernel_watch, watch->there, watch->here, watch->period, watch->limit, watch->lease);

	*silence = (struct platform_silence){r.value[0], r.value[1], r.value[2] & WATCH_MET, r.value[2] & WATCH_OVER};
	return r.error;
}

err_t platform_io_apic(uint64_t address, uint32_t first)
{
	return kernel(OP_Kernel_io_apic, address, first, 0, 0, 0).error;
}

bool platform_next_stopped(uint64_t *dispatcher, uint64_t *reason, uint64_t *rip)
{
	struct call_result r = kernel(OP_Kernel_next_stopped, 0, 0, 0, 0, 0);

	*dispatcher = r.value[0];
	*reason = r.value[1];
	*rip = r.value[2];
	return is_ok(r.error) && r.value[0] != 0;
}

uint64_t platform_capabilities(void)
{
	return kernel(OP_Kernel_statistics, 0, 0, 0, 0, 0).value[0];
}

void platform_counters(uint64_t counters[CORE_COUNTERS])
{
	for (unsigned first = 0; first < CORE_COUNTERS; first += COUNTERS_AT_ONCE) {
		const struct call_result r = kernel(OP_Kernel_counters, first, 0, 0, 0, 0);

		memcpy(counters + first, r.value, COUNTERS_AT_ONCE * sizeof(*counters));
	}
}

uint64_t platform_mailbox(void)
{
	return kernel(OP_Kernel_statistics, 0, 0, 0, 0, 0).value[2];
}

void platform_print(const char *text, size_t bytes)
{
	uint64_t words[4] = {0};

	memcpy(words, text, bytes < sizeof(words) ? bytes : sizeof(words));
	(void)!is_ok(kernel(OP_Kernel_print, words[0], words[1], words[2], words[3], 0).error);
}

void platform_crash(uint64_t vector)
{
	(void)!is_ok(kernel(OP_Kernel_crash, vector, 0, 0, 0, 0).error);
}

void platform_reset(void)
{
	cap_t ports = CAP(ROOT_TASK, TASK_IO_PORTS);

	/* ACPI's usual reset register (PCH datasheet, RST_CNT: full reset), then the keyboard controller's reset line (8042, command 0xfe).
	 */
	(void)!is_ok(invoke(ports, OP_IoPorts_out, 0xcf9, 1, 0x0e, 0, 0).error);
	(void)!is_ok(invoke(ports, OP_IoPorts_out, 0x64, 1, 0xfe, 0, 0).error);
}
