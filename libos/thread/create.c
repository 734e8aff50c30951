/* SPDX-License-Identifier: MIT
 * Copyright 2026 The Atoll authors */

/* Threads of programs. The C library sets them up, because printf, errno and the like need its thread-local storage; what it asks for in
 * turn (memory for the stack, clone) the Linux personality answers. All that costs tens of thousands of instructions, so a thread that has
 * ended and was joined is kept as a *spare* one: the next function runs on it, with thread-local storage as new. */

#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <atoll/domain.h>

#include "libos/domain/start.h"
#include "libos/span/span.h"
#include "libos/thread/word.h"
#include "libos/upcall/dispatcher.h"

#define SPARE_MOST     64
#define SPARE_VISITORS 4 /* as many at most if one was born elsewhere: its stack is memory of that member, which goes on making more */

/* The C library's: what keys of the thread need done at its end; there if the program has keys at all. */
extern void __pthread_tsd_run_dtors(void) __attribute__((weak)); /* NOLINT(bugprone-reserved-identifier): the name is given */

static struct queue spares;
static unsigned spare_count;

/* ---- Thread-local storage ---- */

/* The program's, as new: it ends where FS points to (ELF Handling for Thread-Local Storage, variant II), at a distance that keeps the
 * alignment of its image. */
static void renew_storage(void)
{
	const Elf64_Phdr *header = (const Elf64_Phdr *)program.phdr;
	uint8_t *block = (uint8_t *)__builtin_ia32_rdfsbase64();

	errno = 0;
	for (uint64_t i = 0; i < program.phdr_count; i++) {
		const Elf64_Phdr *h = &header[i];

		if (h->p_type != PT_TLS)
			continue;
		block -= h->p_memsz + (-(h->p_memsz + h->p_vaddr) & (h->p_align - 1));
		memcpy(block, (const void *)h->p_vaddr, h->p_filesz);
		memset(block + h->p_filesz, 0, h->p_memsz - h->p_filesz);
	}
}

/* ---- A thread's life ---- */

static void again_at(struct thread *t, void (*function)(void *), void *argument, uint64_t base)
{
	thread_set(t, &(struct registers){.rip = (uint64_t)thread_again,
	                                  .rsp = base - sizeof(uint64_t), /* as if it had been called */
	                                  .rdi = (uint64_t)function,
	                                  .rsi = (uint64_t)argument,
	                                  .rdx = base,
	                                  .fs_base = __builtin_ia32_rdfsbase64(),
	                                  .gs_base = __builtin_ia32_rdgsbase64()});
}

/* Ended, until there is something else to do: then it begins again at `base` of its stack, and what is below that now is gone. Who waits
 * for it may be at another member; then nobody joins it here. */
static _Noreturn void rest(uint64_t base)
{
	bool inside = dispatcher_enter();
	struct thread *self = thread_current;
	bool moved = self->origin != NULL;

	if (moved && spare_count >= SPARE_VISITORS) { /* for good; who waits for it hears of it when the C library is through */
		dispatcher_leave(inside);
		pthread_exit(NULL);
	}
	if (thread_is_last()) {
		dispatcher_leave(inside);
		domain_exit(0);
	}
	thread_uncount(self);
	self->ended = true;
	self->origin = NULL;
	again_at(self, NULL, NULL, base);
	if (moved) {
		self->kept = false;
		thread_put_spare(self);
	}
	thread_joiners_ready(self);
	thread_leave_for_next();
}

static _Noreturn void run(void (*function)(void *), void *argument, uint64_t base)
{
	function(argument);
	if (__pthread_tsd_run_dtors != NULL)
		__pthread_tsd_run_dtors();
	rest(base);
}

void thread_again(void (*function)(void *), void *argument, uint64_t base)
{
	if (function == NULL)
		pthread_exit(NULL);
	renew_storage();
	run(function, argument, base);
}

struct beginning {
	void (*function)(void *);
	void *argument;
	_Atomic uint32_t begun; /* the new one has all that it needs, and this may go */
};

static void *live(void *argument)
{
	struct beginning *shared = argument;
	void (*function)(void *) = shared->function;
	void *its_argument = shared->argument;

	shared->begun = 1;
	word_wake((uint64_t)&shared->begun, 1, WORD_ANYBODY);
	run(function, its_argument, (uint64_t)__builtin_frame_address(0) & ~UINT64_C(15));
}

static struct thread *take_spare(uint64_t members, void (*function)(void *), void *argument)
{
	bool inside = dispatcher_enter();
	struct thread *t = spare_count > 0 && thread_count() ? thread_of(queue_take(&spares)) : NULL;

	if (t != NULL) {
		spare_count--;
		t->birth = (uint8_t)span_member();
		t->frame.rdi = (uint64_t)function;
		t->frame.rsi = (uint64_t)argument;
		t->ended = false;
		t->kept = true;
		t->run.members = members;
		thread_ready(t);
	}
	dispatcher_leave(inside);
	return t;
}

/* Inside a section. Beyond a few it really ends. */
void thread_put_spare(struct thread *t)
{
	t->run.priority = PRIORITY_DEFAULT;
	t->run.share = SHARE_USUAL;
	t->run.members = MEMBERS_ALL;
	if (spare_count < SPARE_MOST) {
		spare_count++;
		queue_put(&spares, &t->run.entry);
		return;
	}
	if (!thread_count())
		return;
	t->birth = (uint8_t)span_member();
	t->ended = false;
	thread_ready(t);
}

/* The new thread may be at another member as soon as it can run, so clone says which one it is. */
static err_t create(uint64_t members, struct beginning *beginning, uint64_t stack_bytes, struct thread **out)
{
	pthread_attr_t attributes;
	struct thread *self;
	pthread_t id;
	bool failed;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (stack_bytes != 0 && pthread_attr_setstacksize(&attributes, stack_bytes))
		return ERR(ARGUMENT);
	program_enter();
	self = thread_self();
	self->creates = true;
	self->created_members = members;
	failed = pthread_create(&id, &attributes, live, beginning) != 0;
	self->creates = false;
	*out = self->created;
	program_leave();
	return failed ? ERR(NO_MEMORY) : OK;
}

err_t thread_create_among(uint64_t members, void (*function)(void *), void *argument, uint64_t stack_bytes, struct thread **out)
{
	struct beginning beginning = {.function = function, .argument = argument};
	err_t e;

	if (function == NULL || members == 0)
		return ERR(ARGUMENT);
	*out = stack_bytes == 0 ? take_spare(members, function, argument) : NULL;
	if (*out != NULL)
		return OK;
	e = create(members, &beginning, stack_bytes, out);
	while (is_ok(e) && beginning.begun == 0)
		(void)!is_ok(word_wait((uint64_t)&beginning.begun, 0, THREAD_FOREVER, WORD_ANYBODY));
	return e;
}

err_t thread_create(void (*function)(void *), void *argument, uint64_t stack_bytes, struct thread **out)
{
	return thread_create_among(MEMBERS_ALL, function, argument, stack_bytes, out);
}

void thread_exit(void)
{
	thread_self()->spare = false;
	pthread_exit(NULL);
}
