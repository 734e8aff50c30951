/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Measures what depends on where it is: memory of this core's node and of others, and programs started here and elsewhere.
 *
 *   placebench            everything
 *   placebench --quick    fewer rounds
 *
 *   memory.latency   one load whose address comes from the load before it
 *   memory.read      a cache line read, one line after the other
 *   memory.write     a cache line written
 *   spawn            until the program has been started (`to`: its core)
 *   spawn.run        and until its end is known; the program does nothing
 *
 * Memory is that of the core in `to`, one core for each node. The lens is the environment's LENS. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/address_space.h>
#include <atoll/domain.h>
#include <atoll/span.h>

#include "bench/common/sample.h"

enum { ROUNDS = 200, QUICK_ROUNDS = 20, WARM_UP = 2, SPAWNS = 50, QUICK_SPAWNS = 8 };
enum { MEMORY_BYTES = 1 << 20, BLOCK_BYTES = 64, BLOCKS = MEMORY_BYTES / BLOCK_BYTES };
enum { STRIDE = 4099 }; /* lines from one load to the next: odd, so that all are visited, and far apart */

struct line {
	struct line *next;
	uint64_t word[7];
};

_Static_assert(sizeof(struct line) == BLOCK_BYTES, "a cache line");

static const struct lens *lens;
static struct samples samples;
static unsigned rounds, spawns;

static bool failed(const char *what, err_t e)
{
	printf("placebench: %s: %s\n", what, err_sentence(e));
	return false;
}

/* ---- Memory ---- */

static void follow(struct line *memory)
{
	struct line *at = memory;

	for (unsigned i = 0; i < BLOCKS; i++)
		at = at->next;
	__asm__ volatile("" : : "r"(at));
}

static void read_all(struct line *memory)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned w = 0; w < 7; w++)
			sum += memory[i].word[w];
	__asm__ volatile("" : : "r"(sum));
}

static void write_all(struct line *memory)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned w = 0; w < 7; w++)
			*(volatile uint64_t *)&memory[i].word[w] = i;
}

static void measure_loop(const char *id, void (*loop)(struct line *), struct line *memory, unsigned to)
{
	samples_begin(&samples);
	for (unsigned round = 0; round < rounds + WARM_UP; round++) {
		const uint64_t begin = sample_now();

		loop(memory);
		if (round >= WARM_UP)
			samples_add(&samples, sample_now() - begin, BLOCKS);
	}
	samples_print(&samples, lens, id, domain_core(), to);
}

static bool measure_memory(unsigned member, unsigned core, unsigned node)
{
	const struct memory_policy there = {MEMORY_BIND, UINT64_C(1) << member};
	struct memory_place place;
	struct line *memory;
	void *mapped;
	err_t e = memory_map_with(MEMORY_BYTES, RIGHTS(RIGHT_READ | RIGHT_WRITE), PLACE_NOW, there, &mapped);

	if (is_err(e))
		return failed("memory", e);
	memory = mapped;
	for (unsigned i = 0; i < BLOCKS; i++)
		memory[i].next = &memory[(i + STRIDE) % BLOCKS];
	e = memory_where(mapped, &place);
	if (is_ok(e) && place.node != node)
		e = ERR(NO_MEMORY);
	if (is_err(e))
		return failed("memory of another node", e);
	measure_loop("memory.latency", follow, memory, core);
	measure_loop("memory.read", read_all, memory, core);
	measure_loop("memory.write", write_all, memory, core);
	e = memory_unmap(mapped, MEMORY_BYTES);
	return is_err(e) ? failed("memory", e) : true;
}

/* Here, and on the first core of each other node. */
static bool measure_memories(const struct core_info *cores, unsigned count)
{
	bool ok = measure_memory(0, domain_core(), domain_self()->node), seen[MACHINE_NODES] = {false};
	unsigned member;

	seen[domain_self()->node] = true;
	for (unsigned i = 0; i < count && ok; i++) {
		err_t e;

		if (!cores[i].alive || seen[cores[i].node])
			continue;
		seen[cores[i].node] = true;
		e = span_grow(cores[i].core, 0, &member);
		if (is_err(e))
			return failed("a member on another node", e);
		ok = measure_memory(member, cores[i].core, cores[i].node);
		e = span_shrink(cores[i].core);
		if (is_err(e))
			return failed("a member on another node", e);
	}
	return ok;
}

/* ---- Programs ---- */

static err_t spawn_once(unsigned core, uint64_t *started, uint64_t *ended)
{
	static const char *const arguments[] = {"placebench", "--nothing", NULL};
	const uint64_t begin = sample_now();
	uint32_t domain;
	int64_t status;
	enum end_cause cause;
	err_t e = domain_spawn(arguments, NULL, core, 0, &domain);

	*started = sample_now() - begin;
	if (is_ok(e))
		e = domain_wait(domain, &status, &cause);
	*ended = sample_now() - begin;
	return e;
}

static bool measure_spawn(unsigned core)
{
	static struct samples runs;
	uint64_t started, ended;
	err_t e = OK;

	samples_begin(&samples);
	samples_begin(&runs);
	for (unsigned round = 0; round < spawns + WARM_UP && is_ok(e); round++) {
		e = spawn_once(core, &started, &ended);
		if (round >= WARM_UP) {
			samples_add(&samples, started, 1);
			samples_add(&runs, ended, 1);
		}
	}
	if (is_err(e))
		return failed("spawn", e);
	samples_print(&samples, lens, "spawn", domain_core(), core);
	samples_print(&runs, lens, "spawn.run", domain_core(), core);
	return true;
}

static bool measure_all(void)
{
	static struct core_info cores[MACHINE_CORES];
	unsigned count = 0;
	err_t e = core_list(cores, MACHINE_CORES, &count);
	bool ok;

	if (is_err(e))
		return failed("the cores", e);
	/* How long a loop is says nothing about memory. */
	ok = lens_is_instructions(lens) || measure_memories(cores, count);
	for (unsigned i = 0; i < count && ok; i++)
		if (cores[i].alive)
			ok = measure_spawn(cores[i].core);
	return ok;
}

int main(int argc, char **argv)
{
	struct lens own;
	const char *why;
	bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;

	if (argc == 2 && strcmp(argv[1], "--nothing") == 0) /* before anything that takes time */
		return EXIT_SUCCESS;
	why = lens_open(&own);
	if (why == NULL && argc > 1 && !quick)
		why = "its only option is --quick";
	if (why != NULL) {
		printf("placebench: %s\n", why);
		return EXIT_FAILURE;
	}
	lens = &own;
	rounds = quick ? QUICK_ROUNDS : ROUNDS;
	spawns = quick ? QUICK_SPAWNS : SPAWNS;
	return measure_all() ? EXIT_SUCCESS : EXIT_FAILURE;
}
