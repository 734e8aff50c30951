/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* The leader of a round. */

#include "tests/programs/soak/picture.h"

#define WORK_US     2000000
#define IDLE_US     15000000 /* for the operations under way to end */
#define SETTLE_US   15000000 /* for what other cores still do after they have answered */
#define CUT_ROUNDS  4        /* one in so many ends with the workers killed */

static struct member {
	unsigned core;
	uint32_t domain;
	struct ipc_connection *c;
	bool dead; /* its core has died */
} member[WORKERS_MAX];
static unsigned members;
static struct random dice;
static struct progress {
	unsigned busy; /* workers with threads at work */
	uint64_t operations, refused;
	bool wrong; /* somebody has found something */
} progress;
static unsigned deaths;

static bool complain(const char *what)
{
	printf("soak: seed %llu, round %u: %s\n", (unsigned long long)soak_seed, soak_round, what);
	return false;
}

/* Whether its worker, which has ended or is about to, did so with its core. On an overloaded host a core may be taken for a dead one and be
 * started again, and nothing is wrong with that. In its second life it knows nothing of what was there in the first. */
static bool has_died(struct member *w)
{
	enum end_cause cause = END_EXIT;
	int64_t status;
	err_t e = w->dead ? OK : domain_wait(w->domain, &status, &cause);

	w->dead |= cause == END_CORE || err_is(e, ERR_NUMBER_CORE_DEAD) || err_is(e, ERR_NUMBER_NOT_FOUND);
	return w->dead;
}

/* Who is dead has nothing. */
static bool ask(struct member *w, enum label label, uint64_t word, struct ipc_message *reply)
{
	const struct ipc_message m = {.label = (uint16_t)label, .word = {word}};
	err_t e = w->dead ? OK : ipc_call(w->c, &m, reply);

	if (w->dead || (err_is(e, ERR_NUMBER_PEER_GONE) && has_died(w))) {
		*reply = (struct ipc_message){.label = 0};
		return true;
	}
	if (is_err(e))
		printf("soak: seed %llu, round %u: the worker on core %u does not answer: %s\n", (unsigned long long)soak_seed, soak_round, w->core,
		       err_sentence(e));
	return is_ok(e);
}

/* False: a worker is gone, or says that it has found something wrong. */
static bool ask_all(enum label label)
{
	struct ipc_message reply;
	bool ok = true;

	for (unsigned i = 0; i < members; i++)
		ok = ask(&member[i], label, 0, &reply) && reply.word[3] == 0 && ok;
	return ok;
}

/* ---- Begin ---- */

static bool start_worker(unsigned core, struct picture *p)
{
	struct member *w = &member[members];
	char number[12], round[12], seed[24], name[SERVICE_NAME_BYTES];
	const char *const argv[] = {PROGRAM, "worker", round, number, seed, NULL};
	struct ipc_message reply;

	*w = (struct member){.core = core};
	snprintf(round, sizeof(round), "%u", soak_round);
	snprintf(number, sizeof(number), "%u", members);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)soak_seed);
	snprintf(name, sizeof(name), SERVICE, soak_round, members);
	if (is_err(domain_spawn(argv, NULL, core, 0, &w->domain)) || is_err(ipc_bind(name, false, &w->c)) || !ask(w, SOAK_HELLO, 0, &reply))
		return false;
	p->arena[members++] = reply.word[0];
	return true;
}

static bool start(struct picture *p)
{
	static struct core_info cores[MACHINE_CORES];
	struct ipc_message reply;
	unsigned count;

	if (is_err(core_list(cores, MACHINE_CORES, &count)))
		return complain("the cores can't be listed");
	for (unsigned i = 0; i < count && members < WORKERS_MAX; i++)
		if (cores[i].alive && !start_worker(cores[i].core, p))
			return complain("a worker can't be started");
	for (unsigned i = 0; i < members; i++)
		for (unsigned other = 0; other < members; other++)
			if (i != other && !ask(&member[i], SOAK_CONNECT, other, &reply))
				return complain("two workers can't be connected");
	return ask_all(SOAK_RUN);
}

/* ---- How far they are ---- */

/* Asks all. False: one does not answer. */
static bool survey(void)
{
	struct ipc_message reply;

	progress = (struct progress){0};
	for (unsigned i = 0; i < members; i++) {
		if (!ask(&member[i], SOAK_STATUS, 0, &reply))
			return false;
		progress.busy += reply.word[0] > 0;
		progress.operations += reply.word[1];
		progress.refused += reply.word[2];
		progress.wrong |= reply.word[3] != 0;
	}
	return true;
}

static bool idle(void)
{
	const uint64_t end = in_us(IDLE_US);
	bool ok;

	while ((ok = survey()) && progress.busy > 0 && time_tsc() < end)
		sleep_us(2000);
	return ok && progress.busy == 0;
}

/* ---- The quiet point ---- */

static bool note_held(struct picture *p, struct member *w)
{
	struct ipc_message reply;

	for (unsigned i = 0; i < HELD_MAX; i++) {
		if (!ask(w, SOAK_HELD, i, &reply))
			return false;
		if (reply.word[0] != 0)
			p->cap[p->held++] = (struct seen){
			    .type = (enum cap_type)(reply.word[0] & 0xff),
			    .base = reply.word[1],
			    .size = reply.word[2],
			    .core = w->core,
			    .owner = (unsigned)(reply.word[0] >> 32),
			    .rights = reply.word[0] >> 8 & 0xff,
			    .flags = reply.word[0] >> 16 & 0xffff,
			};
	}
	return true;
}

static void note_record(struct picture *p, unsigned core, const struct agreement_info *r)
{
	if (r->kind == AGREEMENT_INFO_OPERATION && p->operations++ < OPERATIONS_SEEN)
		p->operation[p->operations - 1] = (struct under_way){core, *r};
	if (r->kind == AGREEMENT_INFO_OBJECT && picture_concerns(p, r->base) && p->accounts < SEEN_MAX)
		p->account[p->accounts++] = (struct seen){
		    .type = (enum cap_type)r->type,
		    .base = r->base,
		    .size = r->size,
		    .core = core,
		    .owner = r->core,
		    .anchored = r->detail & AGREEMENT_ANCHORED,
		    .holders = r->word[0],
		};
}

static bool note_accounts(struct picture *p, unsigned core)
{
	static struct agreement_info records[AGREEMENT_PAGE];
	uint64_t total = 1;
	unsigned count;

	for (uint32_t first = 0; first < total; first += count) {
		if (is_err(agreement_list(core, first, records, AGREEMENT_PAGE, &count, &total)))
			return false;
		if (count == 0)
			break;
		for (unsigned i = 0; i < count; i++)
			note_record(p, core, &records[i]);
	}
	return true;
}

static bool take_picture(struct picture *p, bool held)
{
	p->operations = p->held = p->accounts = 0;
	for (unsigned i = 0; i < members; i++) {
		struct member *w = &member[i];

		if ((held && !note_held(p, w)) || (!w->dead && !note_accounts(p, w->core)))
			return false;
	}
	return true;
}

/* What others still have to do after they have answered takes its time. `held`: the workers are there and can be asked. */
static bool right(struct picture *p, bool held)
{
	const uint64_t end = in_us(SETTLE_US);
	struct seen about = {.type = CAP_Null};
	const char *why;

	do {
		why = take_picture(p, held) ? picture_wrong(p, &about) : "what a core has can't be listed";
		if (why == NULL && !held && p->accounts > 0)
			why = "nobody has anything any more, but a monitor still keeps account of something";
		if (why != NULL)
			sleep_us(5000);
	} while (why != NULL && time_tsc() < end);
	if (why == NULL)
		return true;
	(void)complain(why);
	printf("soak: %s 0x%llx+0x%llx, core %u, owner %u\n", cap_type_name(about.type), (unsigned long long)about.base,
	       (unsigned long long)about.size, about.core, about.owner);
	picture_print(p, &about);
	return false;
}

/* What there is when something has gone wrong. */
static void tell(struct picture *p)
{
	(void)ask_all(SOAK_STOP);
	if (take_picture(p, idle()))
		picture_print(p, &(const struct seen){.type = CAP_Null});
}

/* The operations under way end. */
static bool all_idle(struct picture *p)
{
	if (idle())
		return true;
	tell(p);
	return complain("an operation does not end");
}

/* ---- Deaths ---- */

static bool kill_a_core(void)
{
	struct member *w = &member[1 + draw(&dice, members - 1)];
	enum end_cause cause;
	int64_t status;
	err_t e;

	if (w->dead)
		return true;
	w->dead = true;
	deaths++;
	if (is_err(monitor_request(REQUEST_crash, 0, w->core, CRASH_SILENT, 0).error) || is_err(domain_wait(w->domain, &status, &cause)) || cause != END_CORE)
		return complain("a core that was killed did not die");
	/* STATE: one that was only silent is started without being asked for. */
	e = core_start(w->core);
	return is_ok(e) || err_is(e, ERR_NUMBER_STATE) || complain("a core can't be started again");
}

/* ---- End ---- */

static bool end_workers(void)
{
	bool ok = ask_all(SOAK_END);

	for (unsigned i = 0; i < members; i++) {
		enum end_cause cause = END_EXIT;
		int64_t status = 0;

		ipc_close(member[i].c);
		if (!has_died(&member[i]) && (is_err(domain_wait(member[i].domain, &status, &cause)) || cause != END_EXIT || status != 0))
			ok = complain("a worker did not end well");
	}
	return ok;
}

static bool kill_workers(void)
{
	bool ok = true;

	for (unsigned i = 0; i < members; i++)
		if (!member[i].dead)
			ok = (is_ok(domain_kill(member[i].domain)) || has_died(&member[i])) && ok;
	for (unsigned i = 0; i < members; i++) {
		enum end_cause cause;
		int64_t status;

		ipc_close(member[i].c);
		if (!member[i].dead)
			ok = (is_ok(domain_wait(member[i].domain, &status, &cause)) || has_died(&member[i])) && ok;
	}
	return ok || complain("a worker can't be killed");
}

/* They work for a while. */
static bool let_work(bool with_deaths)
{
	const uint64_t end = in_us(WORK_US), death = with_deaths && members > 1 ? in_us(200000 + draw(&dice, WORK_US / 2)) : UINT64_MAX;
	bool ok = true;

	while (ok && (time_tsc() < end || (death != UINT64_MAX && deaths == 0))) {
		sleep_us(20000);
		ok = survey() && !progress.wrong;
		if (ok && deaths == 0 && time_tsc() >= death)
			ok = kill_a_core();
	}
	return ok;
}

/* All stop, what there is is looked at, and everything is given back. */
static bool end_well(struct picture *p, unsigned *held)
{
	bool ok = ask_all(SOAK_STOP) && all_idle(p) && right(p, true);

	*held = p->held;
	return ok && ask_all(SOAK_GIVE_BACK) && all_idle(p) && end_workers();
}

int lead_round(bool with_deaths)
{
	static struct picture picture;
	const uint64_t begun = time_tsc();
	unsigned held = 0;
	bool cut, ok;

	dice = random_from(soak_seed ^ (uint64_t)soak_round << 32);
	cut = draw(&dice, CUT_ROUNDS) == 0;
	ok = start(&picture) && let_work(with_deaths);
	if (ok)
		ok = (cut ? kill_workers() : end_well(&picture, &held)) && right(&picture, false);
	else
		tell(&picture);
	printf("@soak {\"seed\":%llu,\"round\":%u,\"workers\":%u,\"cut\":%s,\"deaths\":%u,\"operations\":%llu,\"refused\":%llu,\"held\":%u,\"ms\":%llu}\n",
	       (unsigned long long)soak_seed, soak_round, members, cut ? "true" : "false", deaths, (unsigned long long)progress.operations,
	       (unsigned long long)progress.refused, held, (unsigned long long)((time_tsc() - begun) / (time_tsc_hz() / 1000)));
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
