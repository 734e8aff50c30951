# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Tracing (cpudriver/abi/trace.h): the program that compares the cores' clocks, and the exporter, which `make trace` runs.

PROGRAMS += clocks
clocks_SRCS := bench/trace/clocks.c

# What a point costs.
PROGRAMS += tracebench
tracebench_SRCS := bench/tracebench/main.c bench/common/sample.c bench/common/stats.c
