/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "monitor/agreement/messages.h"
#include "monitor/ranges.h"

#define WORDS_OF(type) ((sizeof(struct type) + 7) / 8)

struct description {
	const char *name;
	unsigned bytes;
};

static const struct description descriptions[AGREEMENT_TYPES] = {
#define AGREEMENT(name, number, fields) [number] = {#name, WORDS_OF(agreement_##name) * 8},
#include "monitor/agreement/messages.def"
#undef AGREEMENT
};

unsigned agreement_bytes(unsigned type)
{
	return type < AGREEMENT_TYPES ? descriptions[type].bytes : 0;
}

const char *agreement_name(unsigned type)
{
	return agreement_bytes(type) != 0 ? descriptions[type].name : "unknown";
}

/* ---- The object ---- */

struct shape {
	uint64_t bytes, alignment;
	uint8_t rights;
	bool crosses;
};

#define NONE       0
#define R          RIGHT_READ
#define W          RIGHT_WRITE
#define X          RIGHT_EXECUTE
#define C          RIGHT_CONTROL
#define FROM(type) 0
#define STAY       false
#define COPY       true
static const struct shape shapes[CAP_TYPES] = {
#define CAPABILITY(name, number, bytes, align, rights, sources, crosses) [number] = {bytes, align, rights, crosses},
#include "cpudriver/abi/capabilities.def"
#undef CAPABILITY
};
#undef NONE
#undef R
#undef W
#undef X
#undef C
#undef FROM
#undef STAY
#undef COPY

uint8_t agreement_rights(unsigned type)
{
	return type < CAP_TYPES ? shapes[type].rights : 0;
}

bool agreement_crosses(unsigned type)
{
	return type < CAP_TYPES && shapes[type].crosses;
}

bool agreement_shares(unsigned type, uint64_t size)
{
	const struct shape *shape = &shapes[type < CAP_TYPES ? type : CAP_Null];

	return shape->crosses && size != 0 && (shape->bytes == 0 || size == shape->bytes);
}

static bool is_object(const struct agreement_head *h, unsigned cores)
{
	const uint64_t base = h->object & AGREEMENT_BASE_MASK, owner = (h->object & ~AGREEMENT_BASE_MASK) >> AGREEMENT_OWNER_SHIFT;
	const unsigned type = (unsigned)(h->object & AGREEMENT_TYPE_MASK);
	const struct shape *shape = &shapes[type < CAP_TYPES ? type : CAP_Null];

	if (!agreement_shares(type, h->size) || owner >= cores || base % shape->alignment || h->size % shape->alignment)
		return false;
	return h->size <= WINDOW_BYTES && base <= WINDOW_BYTES - h->size;
}

/* Some are about no object. */
static bool head_is_right(unsigned type, const struct agreement_head *h, unsigned cores)
{
	if (type == AGREEMENT_flush || type == AGREEMENT_flushed || type == AGREEMENT_stage || type == AGREEMENT_recount ||
	    type == AGREEMENT_settled)
		return h->object == 0 && h->size == 0;
	return is_object(h, cores);
}

/* ---- The fields ---- */

#define FIELD(type, name, range) &&in_range_##range(m->name, cores)
#define AGREEMENT(name, number, fields)                                                                                                    \
	static bool check_##name(const struct agreement_##name *m, unsigned cores)                                                         \
	{                                                                                                                                  \
		return head_is_right(number, &m->head, cores) fields;                                                                      \
	}
#include "monitor/agreement/messages.def"
#undef AGREEMENT
#undef FIELD

err_t agreement_check(unsigned type, unsigned bytes, const union agreement_message *m, unsigned cores)
{
	if (agreement_bytes(type) == 0 || bytes != agreement_bytes(type))
		return ERR(MESSAGE);
	switch (type) {
#define AGREEMENT(name, number, fields)                                                                                                    \
	case number:                                                                                                                       \
		return check_##name(&m->name, cores) ? OK : ERR(MESSAGE);
#include "monitor/agreement/messages.def"
#undef AGREEMENT
	default:
		return ERR(MESSAGE);
	}
}
