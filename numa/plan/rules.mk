# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The planner, a program of the host's.

PLANNER_SRCS := $(addprefix numa/plan/, main.c host.c read.c plan.c deal.c share.c pick.c shape.c finish.c json.c bind.c validate.c)

$(BUILD)/planner: $(call objects,host,$(PLANNER_SRCS))
	$(call say,LD,$@)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -o $@ $^ -lhwloc
