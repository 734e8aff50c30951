# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The CPU driver: one exokernel instance per core.

CPUDRIVER_LDS := cpudriver/image.lds.S

CPUDRIVER_SRCS += \
	cpudriver/entry/start.S cpudriver/entry/syscall.S cpudriver/entry/traps.S \
	$(sort $(wildcard cpudriver/*.c $(patsubst %,cpudriver/%/*.c,capability devices dispatch entry operations processor)))

# What the compiler would make of these loops is a call to the very functions that they are.
# (clang has no such flag; what is freestanding it leaves alone.)
$(BUILD)/kernel/cpudriver/memory.o: EXTRA_CFLAGS += $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)
