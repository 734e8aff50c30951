/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

#include "tests/programs/street/street.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atoll/domain.h>
#include <atoll/ipc.h>

#include "generated/tests/programs/street/street.h"
#include "tests/programs/check.h"

#define HOUSES 16

struct house {
	char name[SERVICE_NAME_BYTES];
	unsigned number;
	_Atomic uint64_t account;
	struct ipc_service *service; /* of a shop */
	struct bank_service bank;
	bool waits; /* a call that was put off, with that answer */
	uint64_t value;
	struct stub_later later;
};

static struct house houses[HOUSES];
static unsigned built;
static atomic_uint emptied;
static atomic_bool ended;

/* ---- Banks ---- */

static err_t bank_put(void *context, struct stub_call *call, const struct bank_put_params *p, struct bank_put_results *r)
{
	struct house *h = context;

	(void)call;
	r->total = atomic_fetch_add(&h->account, p->amount) + p->amount;
	if (h->waits)
		(void)!is_ok(bank_reply_slowly(h->later, &(struct bank_slowly_results){h->value}));
	h->waits = false;
	return OK;
}

static err_t bank_sign(void *context, struct stub_call *call, const struct bank_sign_params *p, struct bank_sign_results *r)
{
	static char text[64];
	const struct house *h = context;

	(void)call;
	r->text.bytes = (uint32_t)snprintf(text, sizeof text, "%.*s %s", (int)p->word.bytes, p->word.at, h->name);
	r->text.at = text;
	return OK;
}

/* Each item takes something from the account. */
static err_t bank_count(void *context, struct stub_call *call, const struct bank_count_params *p, struct stub_source *source)
{
	(void)context, (void)call;
	source->data = (void *)(uintptr_t)(p->to + 1);
	return OK;
}

static err_t bank_count_next(void *context, struct stub_source *source, struct bank_count_results *item)
{
	struct house *h = context;
	uintptr_t left = (uintptr_t)source->data;

	if (left == 1)
		return ERR(END);
	source->data = (void *)(left - 1);
	item->value = atomic_fetch_sub(&h->account, 1) - 1;
	return OK;
}

/* Answered by the next one who puts something here. */
static err_t bank_slowly(void *context, struct stub_call *call, const struct bank_slowly_params *p, struct bank_slowly_results *r)
{
	struct house *h = context;
	err_t e = h->waits ? ERR(LIMIT) : stub_put_off(call, &h->later);

	(void)r;
	if (is_err(e))
		return e;
	h->waits = true;
	h->value = p->value + h->number;
	return STUB_LATER;
}

static err_t open_bank(struct house *h)
{
	h->bank = (struct bank_service){
	    .put = bank_put,
	    .sign = bank_sign,
	    .count = bank_count,
	    .count_next = bank_count_next,
	    .slowly = bank_slowly,
	    .events = {.context = h},
	};
	return bank_offer(h->name, &h->bank);
}

/* ---- Shops ---- */

static void shop_call(void *context, struct ipc_connection *c, const struct ipc_message *request, struct ipc_message *reply)
{
	struct house *h = context;

	(void)c;
	if (request->label == SHOP_PUT)
		h->account += request->word[0];
	*reply = (struct ipc_message){.word = {h->account, h->number}, .label = request->label};
}

static void shop_given(void *context, struct ipc_connection *c, uint32_t tag, cap_t cap, struct ipc_connection *connection)
{
	const struct ipc_message gift = {.word = {GUEST_GIFT}, .label = SHOP_PUT};
	struct house *h = context;
	struct ipc_message m;

	(void)c, (void)cap;
	if (tag != GUEST_TAG || connection == NULL)
		return;
	if (is_ok(ipc_call(connection, &gift, &m)))
		h->account = m.word[0] << 8 | m.word[1];
	ipc_close(connection);
}

static void shop_over(void *context)
{
	struct house *h = context;

	h->service = NULL;
	emptied++;
}

static err_t open_shop(struct house *h)
{
	const struct ipc_server server = {.call = shop_call, .given = shop_given, .over = shop_over, .context = h};

	return ipc_offer(h->name, &server, &h->service);
}

/* ---- Houses ---- */

static err_t build(const char *street, const char *name, unsigned number, bool typed)
{
	struct house *h = &houses[built];
	err_t e;

	if (built == HOUSES)
		return ERR(LIMIT);
	snprintf(h->name, sizeof h->name, "%s.%s", street, name);
	h->number = number;
	h->account = 0;
	e = typed ? open_bank(h) : open_shop(h);
	built += is_ok(e);
	return e;
}

static err_t shut_down(const char *name)
{
	for (struct house *h = houses; h < houses + built; h++)
		if (strcmp(h->name, name) == 0 && h->service != NULL)
			return ipc_withdraw(h->service);
	return stub_withdraw(name);
}

/* ---- The warden ---- */

static const char *street;
static bool endless; /* the loop is the warden's */
static _Atomic uint64_t wardens;

static err_t put(void *context, struct stub_call *call, const struct warden_put_params *p, struct warden_put_results *r)
{
	(void)context, (void)call;
	r->total = atomic_fetch_add(&wardens, p->amount) + p->amount + 1;
	return OK;
}

static err_t sign(void *context, struct stub_call *call, const struct warden_sign_params *p, struct warden_sign_results *r)
{
	(void)context, (void)call;
	r->text = p->word;
	return OK;
}

static void copy_text(char to[SERVICE_NAME_BYTES], struct stub_text text)
{
	snprintf(to, SERVICE_NAME_BYTES, "%.*s", (int)text.bytes, text.at);
}

static err_t open_house(void *context, struct stub_call *call, const struct warden_open_params *p, struct warden_open_results *r)
{
	char name[SERVICE_NAME_BYTES];

	(void)context, (void)call;
	copy_text(name, p->name);
	r->error = build(street, name, 9, p->typed).number;
	return OK;
}

static err_t shut(void *context, struct stub_call *call, const struct warden_shut_params *p, struct warden_shut_results *r)
{
	char name[SERVICE_NAME_BYTES];

	(void)context, (void)call;
	copy_text(name, p->name);
	r->error = shut_down(name).number;
	return OK;
}

static err_t fill(void *context, struct stub_call *call, struct warden_fill_results *r)
{
	const struct ipc_server server = {.call = shop_call};
	struct ipc_service *service[IPC_SERVICES_MOST + 1];
	char name[SERVICE_NAME_BYTES];
	err_t e = OK;

	(void)context, (void)call;
	while (is_ok(e) && r->houses <= IPC_SERVICES_MOST) {
		snprintf(name, sizeof name, "%s.x%u", street, r->houses);
		e = ipc_offer(name, &server, &service[r->houses]);
		r->houses += is_ok(e);
	}
	r->error = e.number;
	for (unsigned i = 0; i < r->houses; i++)
		r->shut += is_ok(ipc_withdraw(service[i]));
	return OK;
}

static err_t tell_emptied(void *context, struct stub_call *call, struct warden_emptied_results *r)
{
	(void)context, (void)call;
	r->houses = emptied;
	return OK;
}

static err_t end(void *context, struct stub_call *call)
{
	(void)context, (void)call;
	ended = true;
	if (endless)
		exit(EXIT_SUCCESS);
	return OK;
}

int street_main(const char *name, const char *kind)
{
	static const struct warden_service warden = {
	    .put = put, .sign = sign, .open = open_house, .shut = shut, .fill = fill, .emptied = tell_emptied, .end = end};
	static const struct warden_service with_door = {.put = put,
	                                                .sign = sign,
	                                                .open = open_house,
	                                                .shut = shut,
	                                                .fill = fill,
	                                                .emptied = tell_emptied,
	                                                .end = end,
	                                                .events = {.shuttles = 3}};
	char wardens_name[SERVICE_NAME_BYTES];
	err_t e = build(name, "b1", 1, true);

	street = name;
	endless = strcmp(kind, "warden") == 0;
	snprintf(wardens_name, sizeof wardens_name, "%s.w", name);
	e = is_ok(e) ? build(name, "s1", 2, false) : e;
	e = is_ok(e) ? build(name, "b2", 3, true) : e;
	e = is_ok(e) ? build(name, "s2", 4, false) : e;
	if (is_ok(e) && endless)
		e = warden_serve(wardens_name, &warden);
	else if (is_ok(e))
		e = warden_offer(wardens_name, strcmp(kind, "door") == 0 ? &with_door : &warden);
	if (is_err(e)) {
		printf("street: %s has no houses: %s\n", name, err_sentence(e));
		return EXIT_FAILURE;
	}
	while (!ended)
		ipc_serve_once(in_ms(5)); /* a shuttle may have been told */
	return EXIT_SUCCESS;
}
