# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The channel files on two bare cores of this machine; $(BUILD)/bench-host takes --cpus A,B and --rounds N.

BENCH_HOST_SRCS := bench/host/main.c bench/host/pair.c bench/host/contenders.c bench/common/stats.c $(CHANNEL_SRCS)

$(BUILD)/bench-host: $(call objects,host,$(BENCH_HOST_SRCS))
	$(call say,LD,$@)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -o $@ $^ -lhwloc

.PHONY: bench-host
bench-host: $(BUILD)/bench-host
	@$(LAUNCH) host $(SET) $(call quoted,BUILD=$(BUILD))
