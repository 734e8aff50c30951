/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Several services of one domain (street.h), tried from inside: `street` starts such a domain on its own core and on another one, in each
 * kind of loop, and prints a `@test` fact for each check; `street serve NAME KIND` is the domain. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "generated/tests/programs/street/street.h"
#include "tests/programs/check.h"
#include "tests/programs/street/street.h"

#define ROUNDS   60
#define PATIENCE 5000
#define MOVES    5

enum { BANKS = 2, SHOPS = 2 };

/* Whoever has business in all houses of a street. */
struct street {
	uint32_t domain;
	char name[12];
	struct warden warden;
	struct bank bank[BANKS];
	struct ipc_connection *shop[SHOPS];
	uint64_t wardens, banks[BANKS], shops[SHOPS]; /* what must be there */
};

static unsigned core_count;

/* ---- A street ---- */

static const char *house(const struct street *s, const char *name)
{
	static char text[SERVICE_NAME_BYTES];

	snprintf(text, sizeof text, "%s.%s", s->name, name);
	return text;
}

static err_t bind(const struct street *s, const char *name, struct ipc_connection **out)
{
	return ipc_bind_with(house(s, name), &(struct ipc_binding){.deadline_tsc = in_ms(PATIENCE)}, out);
}

static bool is_there(const struct street *s, const char *name)
{
	uint32_t domain = 0;

	return is_ok(ipc_find(house(s, name), &(struct ipc_binding){.now = true}, &domain)) && domain == s->domain;
}

static err_t start(struct street *s, const char *kind, unsigned core)
{
	const char *const argv[] = {"street", "serve", s->name, kind, NULL};

	*s = (struct street){.domain = 0};
	snprintf(s->name, sizeof s->name, "%s.%u", kind, core);
	return domain_spawn(argv, NULL, core, 0, &s->domain);
}

static const char *enter(struct street *s)
{
	CHECK_OK(warden_open(house(s, "w"), &s->warden));
	CHECK_OK(bank_open(house(s, "b1"), &s->bank[0]));
	CHECK_OK(bank_open(house(s, "b2"), &s->bank[1]));
	CHECK_OK(bind(s, "s1", &s->shop[0]));
	CHECK_OK(bind(s, "s2", &s->shop[1]));
	return NULL;
}

/* ---- One call to each ---- */

static const char *use_bank(struct street *s, unsigned which, uint64_t amount)
{
	struct bank_put_results r;

	CHECK_OK(bank_call_put(&s->bank[which], &(struct bank_put_params){amount}, &r, in_ms(PATIENCE)));
	CHECK(r.total == (s->banks[which] += amount));
	return NULL;
}

static const char *use_shop(struct street *s, unsigned which, uint64_t amount)
{
	struct ipc_message m = {.word = {amount}, .label = SHOP_PUT};

	CHECK_OK(ipc_call(s->shop[which], &m, &m));
	CHECK(m.label == SHOP_PUT && m.word[0] == (s->shops[which] += amount) && m.word[1] == 2 + 2 * which);
	return NULL;
}

static const char *use_warden(struct street *s, uint64_t amount)
{
	struct warden_put_results r;

	CHECK_OK(warden_call_put(&s->warden, &(struct warden_put_params){amount}, &r, in_ms(PATIENCE)));
	CHECK(r.total == (s->wardens += amount) + 1);
	return NULL;
}

static const char *use_all(struct street *s)
{
	const char *why = NULL;

	for (unsigned i = 0; i < ROUNDS && why == NULL; i++) {
		why = use_warden(s, i);
		why = why == NULL ? use_bank(s, i & 1, 10 + i) : why;
		why = why == NULL ? use_shop(s, i >> 1 & 1, 100 + i) : why;
		why = why == NULL ? use_bank(s, ~i & 1, 7) : why;
		why = why == NULL ? use_shop(s, ~i >> 1 & 1, 3) : why;
	}
	return why;
}

/* ---- Checks ---- */

static const char *check_each_its_own(struct street *s)
{
	return use_all(s);
}

/* What does not fit a fast call, and what is not answered at once. */
static const char *check_messages(struct street *s)
{
	struct warden_sign_results from_warden;
	struct bank_sign_results from_bank;
	struct bank_slowly_ticket ticket[BANKS];
	struct bank_slowly_results late;
	struct stub_message room;
	const char *why = NULL;

	for (unsigned i = 0; i < BANKS; i++) {
		CHECK_OK(bank_call_sign(&s->bank[i], &(struct bank_sign_params){{"by", 2}}, &from_bank, &room, in_ms(PATIENCE)));
		CHECK(strncmp(from_bank.text.at, "by ", 3) == 0 && strcmp(from_bank.text.at + 3, house(s, i == 0 ? "b1" : "b2")) == 0);
		CHECK_OK(bank_begin_slowly(&s->bank[i], &(struct bank_slowly_params){500}, &ticket[i], in_ms(PATIENCE)));
	}
	CHECK_OK(warden_call_sign(&s->warden, &(struct warden_sign_params){{"his", 3}}, &from_warden, &room, in_ms(PATIENCE)));
	CHECK(strcmp(from_warden.text.at, "his") == 0);
	for (unsigned i = BANKS; i-- > 0 && why == NULL;) {
		why = use_bank(s, i, 1);
		CHECK_OK(bank_end_slowly(&ticket[i], &late, in_ms(PATIENCE)));
		CHECK(late.value == 500 + 1 + 2 * i);
	}
	return why;
}

static const char *check_streams(struct street *s)
{
	struct bank_count_stream stream[BANKS];
	struct bank_count_results item;

	for (unsigned i = 0; i < BANKS; i++)
		CHECK_OK(bank_open_count(&s->bank[i], &(struct bank_count_params){20}, &stream[i], in_ms(PATIENCE)));
	for (unsigned k = 0; k < 20; k++)
		for (unsigned i = 0; i < BANKS; i++) {
			CHECK_OK(bank_next_count(&stream[i], &item, in_ms(PATIENCE)));
			CHECK(item.value == --s->banks[i]);
		}
	for (unsigned i = 0; i < BANKS; i++)
		CHECK_ERROR(bank_next_count(&stream[i], &item, in_ms(PATIENCE)), END);
	return use_all(s);
}

static const char *check_interfaces(struct street *s)
{
	struct warden w;
	struct bank b;

	CHECK_ERROR(warden_open(house(s, "b1"), &w), INTERFACE);
	CHECK_ERROR(bank_open(house(s, "w"), &b), INTERFACE);
	CHECK_ERROR(bank_open(house(s, "s1"), &b), INTERFACE);
	return NULL;
}

static const char *check_limits(struct street *s)
{
	struct warden_open_results opened;
	struct warden_fill_results filled;

	for (unsigned i = 0; i < 3; i++) {
		CHECK_OK(warden_call_fill(&s->warden, &filled, in_ms(PATIENCE)));
		CHECK(filled.houses == IPC_SERVICES_MOST - 1 - BANKS - SHOPS && filled.error == ERR_NUMBER_LIMIT);
		CHECK(filled.shut == filled.houses);
	}
	for (unsigned typed = 0; typed < 2; typed++) {
		CHECK_OK(warden_call_open(&s->warden, &(struct warden_open_params){{"s2", 2}, typed}, &opened, in_ms(PATIENCE)));
		CHECK(opened.error == ERR_NUMBER_EXISTS);
		CHECK_OK(warden_call_open(&s->warden, &(struct warden_open_params){{"a-very-long-name-indeed", 23}, typed}, &opened,
		                          in_ms(PATIENCE)));
		CHECK(opened.error == ERR_NUMBER_EXISTS || opened.error == ERR_NUMBER_OK);
	}
	return use_all(s);
}

static const char *shut(struct street *s, const char *name, enum err_number expected)
{
	struct warden_shut_results r;
	const char *full = house(s, name);

	CHECK_OK(warden_call_shut(&s->warden, &(struct warden_shut_params){{full, (uint32_t)strlen(full)}}, &r, in_ms(PATIENCE)));
	CHECK(r.error == expected);
	return NULL;
}

static const char *reopen(struct street *s, const char *name, bool typed)
{
	struct warden_open_results r;

	CHECK_OK(warden_call_open(&s->warden, &(struct warden_open_params){{name, 2}, typed}, &r, in_ms(PATIENCE)));
	CHECK(r.error == ERR_NUMBER_OK);
	return NULL;
}

/* Who is inside stays and is served, nobody else comes in, and the neighbours notice nothing. Then the name is somebody else's. */
static const char *check_a_bank_shuts(struct street *s)
{
	const char *why = shut(s, "b1", ERR_NUMBER_OK);
	struct bank_put_results r;
	struct bank successor;

	why = why == NULL ? shut(s, "b1", ERR_NUMBER_NOT_FOUND) : why;
	CHECK(!is_there(s, "b1") && is_there(s, "b2") && is_there(s, "s1") && is_there(s, "w"));
	why = why == NULL ? use_all(s) : why;
	why = why == NULL ? reopen(s, "b1", true) : why;
	if (why != NULL)
		return why;
	CHECK_OK(bank_open(house(s, "b1"), &successor));
	CHECK_OK(bank_call_put(&successor, &(struct bank_put_params){5}, &r, in_ms(PATIENCE)));
	CHECK(r.total == 5);
	why = use_all(s);
	bank_close(&s->bank[0]);
	s->bank[0] = successor;
	s->banks[0] = 5;
	return why == NULL ? use_all(s) : why;
}

static const char *emptied(struct street *s, uint32_t expected)
{
	const uint64_t deadline = in_ms(PATIENCE);
	struct warden_emptied_results r;

	do
		CHECK_OK(warden_call_emptied(&s->warden, &r, in_ms(PATIENCE)));
	while (r.houses < expected && time_tsc() < deadline);
	CHECK(r.houses == expected);
	return NULL;
}

/* The program hears when the last customer of a shop that has shut has gone, and not before. */
static const char *check_a_shop_shuts(struct street *s)
{
	const char *why = shut(s, "s1", ERR_NUMBER_OK);
	struct ipc_message m = {.label = SHOP_PUT};

	CHECK(!is_there(s, "s1") && is_there(s, "s2"));
	why = why == NULL ? use_all(s) : why;
	why = why == NULL ? emptied(s, 0) : why;
	ipc_close(s->shop[0]);
	why = why == NULL ? emptied(s, 1) : why;
	why = why == NULL ? reopen(s, "s1", false) : why;
	CHECK_OK(bind(s, "s1", &s->shop[0]));
	CHECK_OK(ipc_call(s->shop[0], &m, &m));
	CHECK(m.word[0] == 0 && m.word[1] == 9);
	why = why == NULL ? shut(s, "s1", ERR_NUMBER_OK) : why;
	ipc_close(s->shop[0]);
	why = why == NULL ? emptied(s, 2) : why;
	return why;
}

/* ---- A street that moves ---- */

/* Calls become messages when it leaves, so a shop's customers may be anywhere; a typed service's on its own core hold it there. */
static const char *check_move(struct street *s)
{
	const char *why = NULL;

	for (unsigned i = 0; i < MOVES && why == NULL; i++) {
		const unsigned core = (domain_core() + 2 + i) % core_count;

		CHECK_OK(domain_move(s->domain, core));
		why = use_all(s);
		for (unsigned k = 0; k < SHOPS; k++) { /* and who comes there */
			ipc_close(s->shop[k]);
			CHECK_OK(bind(s, k == 0 ? "s1" : "s2", &s->shop[k]));
			CHECK(ipc_peer_core(s->shop[k]) == core);
		}
		if (core != domain_core()) {
			bank_close(&s->bank[i & 1]);
			CHECK_OK(bank_open(house(s, i & 1 ? "b2" : "b1"), &s->bank[i & 1]));
		}
		why = why == NULL ? use_all(s) : why;
	}
	return why;
}

/* ---- A connection that is given leads to the service that the giver had it with ---- */

static const char *check_gifts(struct street *here, struct street *guest)
{
	for (unsigned i = 0; i < SHOPS; i++) {
		const uint64_t deadline = in_ms(PATIENCE);
		struct ipc_message m;

		CHECK(ipc_is_local(here->shop[i]));
		CHECK_OK(ipc_give(guest->shop[i], ipc_endpoint(here->shop[i]), RIGHTS(RIGHT_WRITE), GUEST_TAG));
		here->shops[i] += GUEST_GIFT;
		guest->shops[i] = here->shops[i] << 8 | (2 + 2 * i);
		do {
			m = (struct ipc_message){.label = SHOP_HEARD};
			CHECK_OK(ipc_call(guest->shop[i], &m, &m));
		} while (m.word[0] != guest->shops[i] && time_tsc() < deadline);
		CHECK(m.word[0] == guest->shops[i]);
	}
	return use_all(here);
}

/* ---- All ---- */

static unsigned failures;

static void say(const char *name, const struct street *s, const char *why)
{
	printf("@test {\"name\":\"street.%s\",\"street\":\"%s\",\"ok\":%s}\n", name, s->name, why == NULL ? "true" : "false");
	if (why != NULL)
		printf("street.%s: %s\n", name, why);
	failures += why != NULL;
}

static const char *leave(struct street *s)
{
	enum end_cause cause;
	int64_t status;

	CHECK_OK(warden_send_end(&s->warden, in_ms(PATIENCE)));
	CHECK_OK(domain_wait(s->domain, &status, &cause));
	CHECK(cause == END_EXIT && status == EXIT_SUCCESS);
	CHECK(!is_there(s, "w") && !is_there(s, "b1") && !is_there(s, "b2") && !is_there(s, "s1") && !is_there(s, "s2"));
	warden_close(&s->warden);
	for (unsigned i = 0; i < BANKS; i++)
		bank_close(&s->bank[i]);
	ipc_close(s->shop[1]);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(struct street *s);
} checks[] = {
    {"each_its_own", check_each_its_own},
    {"messages", check_messages},
    {"streams", check_streams},
    {"interfaces", check_interfaces},
    {"limits", check_limits},
    {"a_bank_shuts", check_a_bank_shuts},
    {"a_shop_shuts", check_a_shop_shuts},
    {"leave", leave},
};

static const char *begin(struct street *s, const char *kind, unsigned core)
{
	CHECK_OK(start(s, kind, core));
	return enter(s);
}

static void check_street(const char *kind, unsigned core)
{
	struct street s, guest;
	const char *why = begin(&s, kind, core);

	say("begin", &s, why);
	if (why != NULL)
		return;
	if (core == domain_core()) {
		why = begin(&guest, "guest", (core + 1) % core_count);
		say("gifts", &s, why == NULL ? check_gifts(&s, &guest) : why);
		ipc_close(guest.shop[0]);
		say("guest", &guest, leave(&guest));
	}
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
		say(checks[i].name, &s, checks[i].run(&s));
}

static void check_moving_street(const char *kind)
{
	struct street s;
	const char *why = begin(&s, kind, (domain_core() + 1) % core_count);

	why = why == NULL ? check_move(&s) : why;
	say("move", &s, why);
	if (why != NULL)
		return;
	ipc_close(s.shop[0]);
	say("leave", &s, leave(&s));
}

int main(int argc, char **argv)
{
	static struct core_info cores[MACHINE_CORES];
	static const char *const kinds[] = {"warden", "once", "door"};

	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		return street_main(argv[2], argv[3]);
	if (is_err(core_list(cores, MACHINE_CORES, &core_count)))
		return EXIT_FAILURE;
	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		check_street(kinds[i], domain_core());
		if (core_count > 1) {
			check_street(kinds[i], (domain_core() + 1) % core_count);
			check_moving_street(kinds[i]);
		}
	}
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
