/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */
// sources: numa/plan/host.c numa/plan/plan.c numa/plan/deal.c numa/plan/share.c numa/plan/pick.c numa/plan/shape.c numa/plan/finish.c

/* Random machines, also such as nobody builds, and random wishes: a plan keeps its promises, a refusal has a sentence, and what is refused
 * really does not fit, by a search through all deals of a small machine. */

#include "tests/hosted/plan_check.h"

#include "tests/hosted/random.h"

enum { MACHINES = 4000, WISHES = 12, SEED = 20261121 };

static struct host host;
static struct plan plan;

static unsigned up_to(unsigned most)
{
	return (unsigned)(random_number() % (most + 1));
}

/* One package to a few nodes, one to three caches in each, cores of one or two threads and kinds. */
static void random_host(void)
{
	unsigned nodes = 1 + up_to(3), cores = 0;

	memset(&host, 0, sizeof(host));
	strcpy(host.name, "it");
	host.nodes = nodes;
	host.kinds = 1 + up_to(1);
	for (unsigned n = 0; n < nodes; n++) {
		host.node[n] = (struct host_node){.os = n, .memory_mib = 64 * up_to(8)};
		host.packages += n == 0 || up_to(1);
		for (unsigned cache = 1 + up_to(2); cache > 0; cache--) {
			for (unsigned core = 1 + up_to(2); core > 0; core--, cores++) {
				uint16_t kind = (uint16_t)up_to(host.kinds - 1);

				for (unsigned thread = 1 + up_to(1); thread > 0; thread--, host.processors++)
					host.processor[host.processors] = (struct host_processor){.os = host.processors,
					                                                          .core = (uint16_t)cores,
					                                                          .cache = (uint16_t)host.caches,
					                                                          .package = (uint16_t)(host.packages - 1),
					                                                          .node = (uint16_t)n,
					                                                          .kind = kind};
			}
			host.caches++;
		}
		for (unsigned m = 0; m < nodes; m++)
			host.distance[n][m] = (uint8_t)(n == m ? 10 : 11 + up_to(30));
	}
	host_group_cores(&host);
}

/* ---- The search ---- */

/* Whether virtual nodes of these sizes, from `v` on, find places. */
static bool deals(const unsigned *sizes, unsigned v, unsigned nodes, unsigned *cores, uint64_t *memory, uint64_t each)
{
	if (v == nodes)
		return true;
	for (unsigned n = 0; n < host.nodes; n++) {
		bool found;

		if (cores[n] < sizes[v] || memory[n] < each)
			continue;
		cores[n] -= sizes[v];
		memory[n] -= each;
		found = deals(sizes, v + 1, nodes, cores, memory, each);
		cores[n] += sizes[v];
		memory[n] += each;
		if (found)
			return true;
	}
	return false;
}

/* Whether the wish, which says nothing of sockets and dies, fits with so many threads and cores of this kind (ANY_KIND: of any). */
static bool fits(const struct wish *wish, unsigned threads, unsigned kind)
{
	unsigned sizes[16], cores[HOST_NODES] = {0}, virtual = wish->cpus / threads;
	uint64_t memory[HOST_NODES];

	if (wish->cpus % threads != 0 || virtual < wish->nodes)
		return false;
	for (unsigned v = 0; v < wish->nodes; v++)
		sizes[v] = virtual / wish->nodes + (v < virtual % wish->nodes);
	for (unsigned n = 0; n < host.nodes; n++)
		memory[n] = host.node[n].memory_mib;
	for (unsigned c = 0; c < host.cores; c++)
		if (host.core[c].threads >= threads && (kind == ANY_KIND || host.core[c].kind == kind))
			cores[host.core[c].node]++;
	return deals(sizes, 0, wish->nodes, cores, memory, (wish->memory_mib + wish->nodes - 1) / wish->nodes);
}

/* The plan is of the first attempt that can succeed: whole cores of one kind, then threads, then mixtures. */
static void check_choice(const struct wish *wish, bool made)
{
	for (unsigned mixed = 0; mixed < 2; mixed++) {
		for (unsigned threads = wish->threads != 0 ? wish->threads : 1; threads <= (wish->threads != 0 ? wish->threads : 2);
		     threads++) {
			for (unsigned kind = mixed ? 1 : host.kinds; kind-- > 0;) {
				if (!fits(wish, threads, mixed ? ANY_KIND : kind))
					continue;
				assert_true(made);
				assert_int_equal(plan.threads, threads);
				for (unsigned i = 0; !mixed && i < plan.cpus; i++)
					assert_int_equal(host.processor[plan.cpu[i].processor].kind, kind);
				return;
			}
		}
	}
	assert_false(made);
}

static struct wish random_wish(void)
{
	struct wish wish = {.cpus = 1 + up_to(11), .memory_mib = 64 * up_to(12)};

	wish.nodes = 1 + up_to(wish.cpus < 5 ? wish.cpus - 1 : 4);
	wish.threads = up_to(2);
	return wish;
}

static void test_random_machines(void **state)
{
	unsigned made_plans = 0;

	(void)state;
	random_state = SEED;
	for (unsigned i = 0; i < MACHINES; i++) {
		random_host();
		for (unsigned j = 0; j < WISHES; j++) {
			struct wish wish = random_wish();
			bool made = plan_make(&host, &wish, &plan);

			if (made)
				check_plan(&host, &wish, &plan);
			else
				assert_true(strlen(plan.refusal) > 20 && plan.refusal[strlen(plan.refusal) - 1] == '.');
			check_choice(&wish, made);
			made_plans += made;
		}
	}
	assert_in_range(made_plans, MACHINES, MACHINES * WISHES);
}

/* With sockets and dies a refusal may be too many, but a plan never breaks a promise. */
static void check_sockets_and_dies(void)
{
	unsigned in_socket = plan.cpus / plan.sockets, in_die = in_socket / plan.dies;

	for (unsigned i = 1; i < plan.cpus; i++) {
		const struct host_processor *a = &host.processor[plan.cpu[i - 1].processor], *b = &host.processor[plan.cpu[i].processor];

		assert_true(i % in_socket == 0 || a->package == b->package);
		assert_true(plan.dies == 1 || i % in_die == 0 || a->cache == b->cache);
	}
}

static void test_random_sockets_and_dies(void **state)
{
	unsigned made_plans = 0;

	(void)state;
	random_state = SEED;
	for (unsigned i = 0; i < MACHINES; i++) {
		random_host();
		for (unsigned j = 0; j < WISHES; j++) {
			struct wish wish = random_wish();

			wish.sockets = 1 + up_to(2);
			wish.dies = 1 + up_to(2);
			if (!plan_make(&host, &wish, &plan))
				continue;
			check_plan(&host, &wish, &plan);
			check_sockets_and_dies();
			made_plans++;
		}
	}
	assert_in_range(made_plans, MACHINES / 4, MACHINES * WISHES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_machines), cmocka_unit_test(test_random_sockets_and_dies)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
