/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
#pragma once

/* `memory` tries the memory of a domain that spans all cores, from inside, and prints a @test fact for each check. */

#include <atoll/address_space.h>
#include <atoll/domain.h>
#include <atoll/span.h>

#include "tests/programs/check.h"

/* Members 1 .. `others`; member 0 is where the program began. */
extern unsigned others;

/* Calls a function on that member with an address; SPAN_FAILED if that is not possible. */
#define SPAN_FAILED UINT64_C(0xdeadfa11)
uint64_t on(unsigned member, uint64_t (*function)(uint64_t), const volatile void *argument);
/* The same function on all members but this one at once; answers how many of them answered `expected`. */
unsigned on_all_others(uint64_t (*function)(uint64_t), const volatile void *argument, uint64_t expected);

void wait_until(_Atomic bool *done);

/* Whether the caller's member may read, or write, there now, without ending the program if not: what a system call says. */
bool is_readable(const volatile void *address);
bool is_writable(volatile void *address);
uint64_t readable_there(uint64_t address);
uint64_t writable_there(uint64_t address);

/* Each prints its facts and answers whether all went well. */
bool report(const char *name, const char *why);
bool check_sharing(void);
bool check_changes(void);
bool check_places(void);
bool check_large(void);
bool check_huge(bool only_one);
bool check_exhaustion(void);
bool check_races(void);
bool check_heap(void);
bool check_pagers(void);
int pages_child(void);
int overflow_child(const char *where);
/* The domain that some checks need to see the end of. */
int heap_child(const char *what);
