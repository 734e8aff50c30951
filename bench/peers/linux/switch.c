/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/peers/linux/party.h"
#include "bench/peers/linux/peers.h"

enum { HERE = 0, PERCENT = 98 };

static struct samples samples;

/* In shared memory. */
struct turns {
	_Atomic bool over;
	_Atomic unsigned there; /* how often the other one has run */
};

static bool yield_for_ever(void *argument)
{
	struct turns *turns = argument;

	while (!turns->over) {
		turns->there++;
		sched_yield();
	}
	return true;
}

/* Each of our yields is one switch there and, by the other's, one back; that it was is counted. */
static bool measure(const struct plan *p, struct turns *turns, enum party_kind kind)
{
	struct party party;
	char id[32];
	unsigned before = 0;

	snprintf(id, sizeof(id), "switch.%s", party_kind_names[kind]);
	*turns = (struct turns){0};
	if (!party_start(&party, kind, HERE, yield_for_ever, turns))
		return failed_call(id, "the other one");
	while (turns->there == 0)
		sched_yield();
	samples_begin(&samples);
	for (unsigned round = 0; round < p->rounds + WARM_UP; round++) {
		uint64_t begin = sample_now();

		sched_yield();
		if (round >= WARM_UP)
			samples_add(&samples, sample_now() - begin, 2);
		else
			before = turns->there;
	}
	before = turns->there - before;
	turns->over = true;
	if (!party_join(&party))
		return failed(id, "the other one did not end well");
	if (before * 100 < p->rounds * PERCENT) {
		printf("%s: only %u of %u yields let the other one run, so there is no figure\n", id, before, p->rounds);
		return true;
	}
	samples_print(&samples, p->lens, id, HERE, HERE);
	return true;
}

/* musl's sched_setscheduler answers ENOSYS, because POSIX wants it to work on whole processes. */
static long sched_setscheduler_of_this(int policy, const struct sched_param *param)
{
	return syscall(SYS_sched_setscheduler, 0, policy, param);
}

/* Under the default policy a yield often is none: the kernel shares out the time fairly, and lets who has had less go on. */
static bool set_policy(int policy, int priority)
{
	return sched_setscheduler_of_this(policy, &(struct sched_param){.sched_priority = priority}) == 0;
}

bool switch_measure(const struct plan *p)
{
	struct turns *turns = shared_memory(sizeof(*turns));
	bool ok = true;

	if (turns == NULL || !set_policy(SCHED_FIFO, 1))
		return failed_call("switch", "shared memory, or the policy");
	for (enum party_kind kind = 0; kind < PARTY_KINDS && ok; kind++)
		ok = measure(p, turns, kind);
	return ok && set_policy(SCHED_OTHER, 0);
}
