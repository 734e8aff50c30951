# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The library OS, and how every program starts and is linked with it.

LIBOS_SRCS := \
	libos/upcall/entry.S libos/upcall/door.S libos/upcall/guarded.S libos/upcall/upcall.c libos/upcall/report.c \
	libos/start/start.c libos/start/stack.c \
	libos/memory/slots.c libos/memory/blocks.c libos/memory/capability.c libos/memory/memory.c libos/memory/store.c \
	libos/memory/agreement.c \
	libos/address_space/regions.c libos/address_space/tables.c libos/address_space/piece.c libos/address_space/slabs.c libos/address_space/supply.c \
	libos/address_space/map.c libos/address_space/range.c libos/address_space/frame.c libos/address_space/pager.c \
	libos/address_space/remote.c libos/address_space/home.c libos/address_space/change.c libos/address_space/users.c \
	libos/address_space/others.c libos/address_space/place.c libos/address_space/view.c \
	libos/address_space/paged.c libos/address_space/parting.c \
	libos/heap/heap.c libos/heap/malloc.c \
	libos/thread/queue.c libos/thread/futex.c libos/thread/scheduler.c libos/thread/threads.c libos/thread/create.c libos/thread/sync.c libos/thread/word.c \
	libos/thread/policy_stealing.c libos/thread/policy_shares.c \
	libos/tasks/graph.c libos/tasks/run.c \
	libos/ipc/wait.c libos/ipc/events.c libos/ipc/connection.c libos/ipc/client.c libos/ipc/stream.c libos/ipc/notice.c \
	libos/ipc/server.c libos/ipc/door.c libos/ipc/late.c libos/ipc/device.c libos/ipc/gift.c \
	libos/stubs/wire.c libos/stubs/client.c libos/stubs/again.c libos/stubs/stream.c libos/stubs/carry.c libos/stubs/server.c libos/stubs/later.c \
	libos/stubs/source.c libos/stubs/receive.c libos/stubs/calls.c \
	libos/domain/domain.c libos/domain/command.c libos/domain/options.c libos/domain/spawn.c libos/domain/leave.c libos/domain/await.c \
	libos/revocation/revocation.c libos/trace/trace.c libos/trace/threads.c \
	libos/linux/table.c libos/linux/memory.c libos/linux/files.c libos/linux/time.c libos/linux/process.c libos/linux/threads.c \
	libos/linux/console.c \
	libos/span/messages.c libos/span/link.c libos/span/span.c libos/span/work.c libos/span/move.c libos/span/words.c

LIBATOLL_SRCS += $(LIBOS_SRCS) cpudriver/abi/errors.c

# Upcalls and foreign calls run in the middle of the program's own functions, whose vector registers and red zone they must leave alone
# (libos/upcall/entry.S). That also goes for what they call.
INSIDE_UPCALLS := -mgeneral-regs-only -mno-red-zone
$(BUILD)/user/libos/%.o: EXTRA_CFLAGS += $(INSIDE_UPCALLS)
$(BUILD)/user/channels/%.o: EXTRA_CFLAGS += $(INSIDE_UPCALLS)
$(BUILD)/user/cpudriver/%.o: EXTRA_CFLAGS += $(INSIDE_UPCALLS)

# Programs lie at USER_PROGRAM (cpudriver/abi/memory_map.h) and are entered through the library OS, which goes on to the C library's _start.
PROGRAM_CRT := $(BUILD)/user/libos/start/entry.o
PROGRAM_LDS := libos/program.lds.S
