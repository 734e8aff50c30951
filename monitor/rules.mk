# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The monitor: one per core, linked like any program, started by the CPU driver.

monitor_SRCS := $(addprefix monitor/, main.c archive.c arrive.c arrive_objects.c arrive_slots.c balance.c bind.c block.c \
	capability.c clear.c core_start.c depart.c discovery.c domain.c ends.c estate.c fence.c foreign_frame.c gift.c heartbeat.c \
	listing.c loss.c manifest.c membership.c memory.c mesh.c messages.c modules.c move.c names.c patience.c platform.c power.c \
	rebind.c report.c requests.c revocation.c shares.c space.c span.c spawn.c spawn_text.c tickets.c trace.c trampoline.c voice.c \
	whereabouts.c) \
	$(addprefix monitor/agreement/, agreement.c anchors.c copy.c course.c delete.c members.c messages.c retype.c revoke.c shared.c \
	sweep.c transfer.c) \
	cpudriver/image/core_image.c cpudriver/image/elf.c

ARCHIVE_FILES += monitor/manifest
