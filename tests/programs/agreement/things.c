/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/programs/agreement/checks.h"

bool make_ram(cap_t *ram)
{
	return is_ok(cap_slot_alloc(ram)) && is_ok(memory_object(CAP_RAM, RAM_BYTES, RAM_BYTES, *ram, NULL));
}

static bool all_free(cap_t ram, cap_t probe)
{
	if (is_err(cap_retype(ram, CAP_Frame, 0, RAM_BYTES, 1, probe)))
		return false;
	return is_ok(cap_delete(probe));
}

bool end_ram(cap_t ram)
{
	uint64_t end = time_tsc() + 2 * time_tsc_hz();
	bool is_free = false;
	cap_t probe;

	if (is_err(cap_slot_alloc(&probe)))
		return false;
	while (!is_free && time_tsc() < end) {
		is_free = all_free(ram, probe);
		if (!is_free)
			thread_sleep_until(time_tsc() + time_tsc_hz() / 1000);
	}
	cap_slot_free(probe);
	memory_object_free(ram);
	return is_free;
}

bool make_frame(cap_t *frame)
{
	return is_ok(cap_slot_alloc(frame)) && is_ok(memory_object(CAP_Frame, PAGE_BYTES, PAGE_BYTES, *frame, NULL));
}

bool is_there(cap_t cap)
{
	struct cap_identity id;

	return is_ok(cap_identify(cap, &id)) && id.type != CAP_Null;
}

unsigned flags_of(cap_t cap)
{
	struct cap_identity id;

	return is_ok(cap_identify(cap, &id)) ? id.flags : 0;
}

bool peer_has(const struct peer *p, cap_t slot)
{
	return is_ok(peer_do(p, PEER_IDENTIFY, slot.value, 0, 0));
}

err_t hand_over(struct peer *p, cap_t cap, unsigned rights, cap_t *slot)
{
	static uint32_t tag;
	err_t e = ipc_give(p->c, cap, RIGHTS(rights), ++tag);

	*slot = peer_slot(p);
	return is_ok(e) ? peer_do(p, PEER_TAKE, slot->value, tag, 0) : e;
}
