# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors

PROGRAMS += ipcbench capbench stubbench threadbench spanbench
ipcbench_SRCS := $(wildcard bench/ipcbench/*.c) bench/common/sample.c bench/common/stats.c
threadbench_SRCS := $(wildcard bench/threadbench/*.c) bench/common/sample.c bench/common/stats.c
spanbench_SRCS := $(wildcard bench/spanbench/*.c) bench/common/sample.c bench/common/stats.c
capbench_SRCS := $(wildcard bench/capbench/*.c) bench/common/sample.c bench/common/stats.c
stubbench_SRCS := bench/stubbench/main.c bench/stubbench/echo.capnp bench/common/sample.c bench/common/stats.c

include bench/trace/rules.mk
include bench/host/rules.mk
