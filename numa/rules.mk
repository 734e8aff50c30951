# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The machine model: plain C without I/O, in every domain's library and (with what it needs of it) in the loader.

MODEL_SRCS := $(addprefix numa/model/, build.c check.c madt.c mcfg.c query.c receive.c slit.c srat.c tables.c text.c \
	timers.c topology_json.c tree.c)

LIBATOLL_SRCS += $(MODEL_SRCS)
