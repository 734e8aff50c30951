/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* Errors are values of a type of their own: the compiler finds one that is dropped or mixed with a number. */

#include "cpudriver/abi/types.h"

typedef struct {
	uint32_t number;
} err_t;

enum err_number {
#define ERROR(name, number, sentence) ERR_NUMBER_##name = number,
#include "cpudriver/abi/errors.def"
#undef ERROR
};

#define ERR(name) ((err_t){ERR_NUMBER_##name})
#define OK        ERR(OK)

static inline bool is_ok(err_t e) { return e.number == ERR_NUMBER_OK; }
static inline bool is_err(err_t e) { return e.number != ERR_NUMBER_OK; }
static inline bool err_is(err_t e, enum err_number n) { return e.number == (uint32_t)n; }

/* The error's name ("CAP_TYPE") and sentence; for a number that is not in the table "UNKNOWN" and a sentence that says so. */
const char *err_name(err_t e);
const char *err_sentence(err_t e);
