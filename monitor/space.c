/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/domain.h"
#include "monitor/space.h"

/* Intel SDM vol. 3, 4.5: what one table of each level translates, and which entry an address uses. */
static uint64_t table_reach(unsigned level)
{
	return UINT64_C(1) << (12 + 9 * level);
}

static unsigned entry_of(uint64_t vaddr, unsigned level)
{
	return vaddr >> (12 + 9 * (level - 1)) & (PAGE_TABLE_SLOTS - 1);
}

static err_t object_at(struct space *s, enum cap_type type, uint64_t bytes, cap_t slot)
{
	err_t e;

	if (bytes > s->limit - s->used)
		return ERR(NO_MEMORY);
	e = cap_retype(s->ram, type, s->used, bytes, 1, slot);
	if (is_ok(e))
		s->used += bytes;
	return e;
}

err_t space_object(struct space *s, enum cap_type type, uint64_t bytes, unsigned slot, cap_t *out)
{
	if (slot == 0 && s->next_slot == CNODE_SLOTS)
		return ERR(NO_SLOT);
	*out = CAP(TASK_WINDOW, slot != 0 ? slot : s->next_slot++);
	return object_at(s, type, bytes, *out);
}

err_t space_begin(struct space *s, cap_t ram, uint64_t used, uint64_t limit)
{
	err_t e;

	*s = (struct space){.ram = ram, .used = used, .limit = limit, .next_slot = TASK_FREE};
	e = cap_slot_alloc(&s->task);
	if (is_ok(e))
		e = object_at(s, CAP_CNode, CNODE_BYTES, s->task);
	if (is_ok(e))
		e = cap_copy(s->task, CAP(ROOT_SELF, TASK_WINDOW));
	if (is_err(e))
		return e;
	s->root = CAP(TASK_WINDOW, TASK_ROOT_CNODE);
	s->level4 = CAP(TASK_WINDOW, TASK_PAGE_TABLE4);
	e = object_at(s, CAP_CNode, CNODE_BYTES, s->root);
	if (is_ok(e))
		e = object_at(s, CAP_PageTable4, PAGE_TABLE_BYTES, s->level4);
	return e;
}

void space_end(struct space *s)
{
	(void)s;
	task_close();
}

/* The table of that level for the address; made, with those above, if it is not there yet. */
static err_t table_for(struct space *s, unsigned level, uint64_t vaddr, cap_t *out)
{
	static const enum cap_type types[] = {CAP_Null, CAP_PageTable1, CAP_PageTable2, CAP_PageTable3};
	uint64_t first = vaddr & ~(table_reach(level) - 1);
	cap_t above = s->level4;
	err_t e = OK;

	for (unsigned i = 0; i < s->tables; i++)
		if (s->table[i].level == level && s->table[i].vaddr == first) {
			*out = CAP(TASK_WINDOW, s->table[i].cap & 0xff);
			return OK;
		}
	if (level < 3)
		e = table_for(s, level + 1, vaddr, &above);
	if (is_ok(e) && s->tables == DOMAIN_TABLES_MAX)
		e = ERR(LIMIT);
	if (is_ok(e))
		e = space_object(s, types[level], PAGE_TABLE_BYTES, 0, out);
	if (is_ok(e))
		e = platform_map_table(*out, level, above, entry_of(vaddr, level + 1));
	if (is_ok(e))
		s->table[s->tables++] =
		    (struct start_table){.vaddr = first, .cap = CAP(ROOT_TASK, out->value & 0xff).value, .level = (uint16_t)level};
	return e;
}

err_t space_map(struct space *s, cap_t frame, uint64_t offset, unsigned pages, uint64_t vaddr, unsigned rights)
{
	cap_t table;
	err_t e = table_for(s, 1, vaddr, &table);

	return is_ok(e) ? platform_map_frame(frame, table, entry_of(vaddr, 1), rights, offset, pages) : e;
}

static err_t note_piece(struct space *s, cap_t frame, uint64_t vaddr, uint64_t bytes, unsigned rights)
{
	if (s->pieces == DOMAIN_PIECES_MAX)
		return ERR(LIMIT);
	s->piece[s->pieces++] = (struct start_piece){.vaddr = vaddr,
	                                             .pages = (uint32_t)(bytes / PAGE_BYTES),
	                                             .cap = CAP(ROOT_TASK, frame.value & 0xff).value,
	                                             .rights = (uint16_t)rights};
	return OK;
}

err_t space_map_ram(struct space *s, uint64_t offset, uint64_t bytes, uint64_t vaddr, unsigned rights, bool common)
{
	while (bytes > 0) {
		uint64_t to_end = table_reach(1) - (vaddr & (table_reach(1) - 1)), piece = bytes < to_end ? bytes : to_end;
		cap_t frame = CAP(TASK_WINDOW, s->next_slot);
		err_t e = s->next_slot < CNODE_SLOTS ? cap_retype(s->ram, CAP_Frame, offset, piece, 1, frame) : ERR(NO_SLOT);

		if (is_err(e))
			return e;
		s->next_slot++;
		e = space_map(s, frame, 0, (unsigned)(piece / PAGE_BYTES), vaddr, rights);
		if (is_ok(e) && common)
			e = note_piece(s, frame, vaddr, piece, rights);
		if (is_err(e))
			return e;
		offset += piece;
		vaddr += piece;
		bytes -= piece;
	}
	return OK;
}
