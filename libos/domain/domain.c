/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* This domain and others, by requests to the monitor. */

#include <string.h>

#include <atoll/domain.h>
#include <atoll/thread.h>

#include "libos/domain/start.h"
#include "libos/ipc/endpoint.h"
#include "libos/ipc/events.h"
#include "libos/linux/console.h"
#include "libos/upcall/dispatcher.h"

const struct domain_start *start_page;
const struct core_boot *start_boot;
struct program program;

const struct domain_start *domain_self(void)
{
	return start_page;
}

unsigned domain_core(void)
{
	return DISPATCHER->core;
}

struct dispatcher_shared *domain_dispatcher(void)
{
	return DISPATCHER;
}

const struct machine *domain_machine(void)
{
	return start_page != NULL && start_page->model_bytes != 0 ? (const struct machine *)USER_MACHINE : NULL;
}

uint64_t time_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

uint64_t time_tsc_hz(void)
{
	return DISPATCHER->tsc_hz;
}

/* ---- Requests ---- */

/* The set timer would end a call that takes long, so it is put off. */
struct monitor_reply monitor_request(enum monitor_request request, uint64_t tag_or_flags, uint64_t word1, uint64_t word2, uint64_t word3)
{
	struct endpoint_message words = {{(uint64_t)request | tag_or_flags << 16, word1, word2, word3}};
	bool inside = dispatcher_enter();
	err_t e;

	threads_stop_timer();
	e = endpoint_call(CAP_MONITOR, &words);
	threads_set_timer();
	dispatcher_leave(inside);
	if (is_err(e))
		return (struct monitor_reply){e, {0, 0, 0}};
	return (struct monitor_reply){{(uint32_t)words.word[0]}, {words.word[1], words.word[2], words.word[3]}};
}

/* The request buffer serves one request at a time. */
static struct mutex buffer_lock; /* of the buffer */
static char *const buffer = (char *)DOMAIN_REQUEST_BUFFER;

err_t request_and_wait(enum monitor_request request, uint64_t word1, uint64_t word2, uint64_t word3, struct event_wait *w)
{
	struct monitor_reply reply;

	events_expect(w);
	reply = monitor_request(request, w->tag, word1, word2, word3);
	if (is_err(reply.error)) {
		events_forget(w);
		return reply.error;
	}
	events_wait(w, THREAD_FOREVER);
	return (err_t){(uint32_t)w->word[1]};
}

err_t service_request(enum monitor_request request, uint64_t tag_and_flags, const char *name, uint64_t interface, uint64_t word1)
{
	struct service_request service = {.interface = interface};
	size_t length = strlen(name);
	err_t e;

	if (length == 0 || length >= sizeof service.name)
		return ERR(ARGUMENT);
	memcpy(service.name, name, length);
	mutex_lock(&buffer_lock);
	memcpy(buffer, &service, sizeof service);
	e = monitor_request(request, tag_and_flags, word1, 0, 0).error;
	mutex_unlock(&buffer_lock);
	return e;
}

char *domain_lock_buffer(void)
{
	mutex_lock(&buffer_lock);
	return buffer;
}

void domain_unlock_buffer(void)
{
	mutex_unlock(&buffer_lock);
}

err_t domain_wait(uint32_t domain, int64_t *status, enum end_cause *cause)
{
	struct event_wait w;
	err_t e = request_and_wait(REQUEST_wait, domain, 0, 0, &w);

	if (is_err(e))
		return e;
	*status = (int64_t)w.word[3];
	*cause = (enum end_cause)w.word[4];
	return OK;
}

err_t domain_kill(uint32_t domain)
{
	struct event_wait w;

	return request_and_wait(REQUEST_kill, domain, 0, 0, &w);
}

/* Copies a list out of the request buffer, which the monitor can write: the count is not believed. */
static void take_list(void *out, size_t each, unsigned capacity, uint64_t listed, unsigned *count)
{
	uint64_t most = PAGE_BYTES / each;

	if (listed > most)
		listed = most;
	*count = (unsigned)(listed < capacity ? listed : capacity);
	memcpy(out, buffer, *count * each);
}

err_t domain_list(uint64_t core, struct domain_info *out, unsigned capacity, unsigned *count)
{
	struct event_wait w;
	err_t e;

	mutex_lock(&buffer_lock);
	e = request_and_wait(REQUEST_list_domains, core, 0, 0, &w);
	if (is_ok(e))
		take_list(out, sizeof *out, capacity, w.word[2], count);
	mutex_unlock(&buffer_lock);
	return e;
}

err_t service_list(struct service_info *out, unsigned capacity, unsigned *count)
{
	struct event_wait w;
	uint64_t next = 0;
	unsigned page;
	err_t e;

	*count = 0;
	mutex_lock(&buffer_lock);
	do {
		e = request_and_wait(REQUEST_list_services, next, 0, 0, &w);
		if (is_err(e))
			break;
		take_list(out + *count, sizeof *out, capacity - *count, w.word[2], &page);
		*count += page;
		next = w.word[3];
	} while (next != 0 && *count < capacity);
	mutex_unlock(&buffer_lock);
	return e;
}

err_t agreement_list(uint64_t core, uint32_t first, struct agreement_info *out, unsigned capacity, unsigned *count, uint64_t *total)
{
	struct event_wait w;
	err_t e;

	mutex_lock(&buffer_lock);
	e = request_and_wait(REQUEST_list_agreement, core, first, 0, &w);
	if (is_ok(e)) {
		take_list(out, sizeof *out, capacity, w.word[2], count);
		*total = w.word[3];
	}
	mutex_unlock(&buffer_lock);
	return e;
}

static void take_load(struct core_activity *load, const struct agreement_info *r)
{
	if (r->kind == AGREEMENT_INFO_BALANCE) {
		load->memory = r->size;
		load->free_memory = r->base;
	} else if (r->kind == AGREEMENT_INFO_LOAD) {
		load->time = time_tsc();
		load->busy = r->word[0];
		load->wake_ups = r->word[1];
		load->faults = r->word[2];
		load->calls = r->word[3];
		load->sent = r->base;
		load->received = r->size;
	}
}

/* Both records stand among the first ones. */
err_t core_activity(uint64_t core, struct core_activity *out)
{
	static struct agreement_info records[AGREEMENT_PAGE];
	static struct mutex lock;
	unsigned count = 0;
	uint64_t total;
	err_t e;

	*out = (struct core_activity){0};
	mutex_lock(&lock);
	e = agreement_list(core, 0, records, AGREEMENT_PAGE, &count, &total);
	for (unsigned i = 0; is_ok(e) && i < count; i++)
		take_load(out, &records[i]);
	mutex_unlock(&lock);
	if (is_ok(e) && out->time == 0)
		e = ERR(FORMAT);
	return e;
}

err_t core_list(struct core_info *out, unsigned capacity, unsigned *count)
{
	struct monitor_reply reply;
	unsigned sum = 0, page;

	mutex_lock(&buffer_lock);
	do {
		reply = monitor_request(REQUEST_list_cores, 0, sum, 0, 0);
		page = 0;
		if (is_ok(reply.error) && sum < capacity)
			take_list(out + sum, sizeof *out, capacity - sum, reply.word[0], &page);
		sum += page;
	} while (page > 0);
	mutex_unlock(&buffer_lock);
	*count = sum;
	return reply.error;
}

/* Word 1 of a good answer is how many bytes the buffer has; it is not believed. */
static err_t read_piece(const char *name, uint64_t offset, char *out, size_t capacity, size_t *bytes, uint64_t *size)
{
	struct monitor_reply reply;

	mutex_lock(&buffer_lock);
	strcpy(buffer, name);
	reply = monitor_request(REQUEST_file, 0, offset, 0, 0);
	*bytes = reply.word[0] < capacity ? reply.word[0] : capacity;
	*size = reply.word[1];
	if (*bytes > PAGE_BYTES)
		*bytes = PAGE_BYTES;
	if (is_ok(reply.error))
		memcpy(out, buffer, *bytes);
	mutex_unlock(&buffer_lock);
	return reply.error;
}

err_t archive_read(const char *name, void *out, size_t capacity, size_t *size)
{
	size_t done = 0, bytes = 0;
	uint64_t whole = 0;
	err_t e;

	if (strlen(name) >= 256)
		return ERR(ARGUMENT);
	do {
		e = read_piece(name, done, (char *)out + done, capacity - done, &bytes, &whole);
		done += bytes;
	} while (is_ok(e) && bytes > 0 && done < whole && done < capacity);
	*size = done;
	return is_ok(e) && done < whole ? ERR(LIMIT) : e;
}

err_t core_start(uint64_t core)
{
	struct event_wait w;

	return request_and_wait(REQUEST_start_core, core, 0, 0, &w);
}

err_t system_power_off(int64_t status)
{
	/* The end of this domain, which comes with it, is no exit: what it has said must be on its way. */
	console_flush();
	return monitor_request(REQUEST_power_off, 0, (uint64_t)status, 0, 0).error;
}

/* ---- The end ---- */

/* A monitor has nobody to tell: it is silent from then on. */
void domain_exit_now(int64_t status)
{
	domain_exit_now_because(END_EXIT, status);
}

void domain_exit_now_because(enum end_cause cause, int64_t status)
{
	atomic_store_explicit(&DISPATCHER->disabled, 1, memory_order_relaxed);
	for (;;) {
		if (start_page != NULL)
			(void)monitor_request(REQUEST_exit, 0, (uint64_t)status, cause, 0);
		(void)!is_ok(endpoint_yield(CAP_NULL, YIELD_WAIT));
	}
}

void domain_exit(int64_t status)
{
	console_flush();
	domain_exit_now(status);
}
