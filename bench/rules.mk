# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors

PROGRAMS += ipcbench capbench stubbench threadbench spanbench groupbench placebench
ipcbench_SRCS := $(wildcard bench/ipcbench/*.c) bench/common/sample.c bench/common/stats.c
threadbench_SRCS := $(wildcard bench/threadbench/*.c) bench/common/sample.c bench/common/stats.c
spanbench_SRCS := $(wildcard bench/spanbench/*.c) bench/common/sample.c bench/common/stats.c
capbench_SRCS := $(wildcard bench/capbench/*.c) bench/common/sample.c bench/common/stats.c
groupbench_SRCS := $(wildcard bench/groupbench/*.c) bench/common/sample.c bench/common/stats.c
placebench_SRCS := bench/placebench/main.c bench/common/sample.c bench/common/stats.c
stubbench_SRCS := bench/stubbench/main.c bench/stubbench/echo.capnp bench/common/sample.c bench/common/stats.c

include bench/trace/rules.mk
include bench/host/rules.mk
include bench/peers/rules.mk

# The suite: `make scale` takes lists (CORES="1 2 4 8"), bench/suite/scale.py knows the defaults and checks what was set.
SUITE_SETTINGS := CORES NODES LENS BENCH REPEAT MEM PIN BY HOSTS FRESH OUT
SUITE_SET := $(foreach s,$(SUITE_SETTINGS),$(if $(filter command environment,$(call origin_of,$s)),$(call quoted,$s=$($s))))
OUT ?= $(BUILD)/bench

.PHONY: scale report compare
scale:
	@[ -x $(PYTHON) ] || AUTO_DEPS=$(AUTO_DEPS) boot/deps.sh python3
	@$(if $(filter on 1,$(PIN)),$(MAKE) --no-print-directory $(BUILD)/planner)
	@$(PYTHON) bench/suite/scale.py check $(SUITE_SET) $(call quoted,BUILD=$(BUILD))
	@$(MAKE) --no-print-directory image $(BUILD)/bench-host
	@$(PYTHON) bench/suite/scale.py run $(SUITE_SET) $(call quoted,BUILD=$(BUILD))

# Anew from what was measured.
report:
	@$(PYTHON) bench/suite/report.py $(call quoted,$(OUT))

# Of two sweeps: directories, or results.json files.
compare:
	@$(PYTHON) bench/suite/compare.py $(call quoted,$(A)) $(call quoted,$(B))

# Of machines that we don't have: MACHINE names a file (bench/machines), TRACE what `make trace` has left.
.PHONY: model
model:
	@[ -x $(PYTHON) ] || AUTO_DEPS=$(AUTO_DEPS) boot/deps.sh python3
	@$(PYTHON) bench/suite/model.py $(call quoted,$(BUILD)) $(call quoted,$(OUT)) $(call quoted,$(MACHINE)) $(call quoted,$(TRACE))
