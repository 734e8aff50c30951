# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The loader (its own rules) and what starts QEMU.

include $(wildcard boot/loader/rules.mk)

# What the user set, on make's command line or in the environment, is handed to the launcher word by word. It knows the
# defaults, and refuses what makes no sense before anything is built.
SETTINGS := CORES NODES MEM FIRMWARE MACHINE ACCEL CPU LENS APP CMDLINE PIN SOCKETS DIES THREADS TOPOLOGY QEMU_EXTRA TIMEOUT NAME RESULTS
origin_of = $(firstword $(origin $(1)))
quoted    = '$(subst ','\'',$(1))'
GIVEN    := $(foreach s,$(SETTINGS),$(if $(filter command environment,$(call origin_of,$s)),$s))
SET      := $(foreach s,$(GIVEN),$(call quoted,$s=$($s)))
LAUNCH   := $(PYTHON) boot/launch/run.py

# A misspelt setting would otherwise be ignored without a word.
UNKNOWN := $(filter-out $(SETTINGS) BUILD CC V AUTO_DEPS EXTRA_CFLAGS ONLY MORE SECONDS_EACH SEED TIME DEATHS DUMP \
	BENCH REPEAT BY HOSTS FRESH OUT A B TRACE,\
	$(foreach v,$(.VARIABLES),$(if $(filter command,$(call origin_of,$v)),$v)))
ifneq ($(strip $(UNKNOWN)),)
$(error $(strip $(UNKNOWN)) is not a setting: `make help` lists the settings)
endif

.PHONY: run bench shell gdb trace
run bench shell gdb trace:
	@[ -x $(PYTHON) ] || AUTO_DEPS=$(AUTO_DEPS) boot/deps.sh python3
	@$(if $(filter on 1,$(PIN))$(TOPOLOGY),$(MAKE) --no-print-directory $(BUILD)/planner)
	@$(LAUNCH) check $(SET) $(call quoted,BUILD=$(BUILD))
	@$(MAKE) --no-print-directory image
	@$(LAUNCH) $@ $(SET) $(call quoted,BUILD=$(BUILD))

# A recording that is there is replayed on the image that is there.
.PHONY: replay
replay: $(DEPS)
	@$(LAUNCH) check $(SET) $(call quoted,BUILD=$(BUILD))
	@$(if $(filter-out NAME RESULTS,$(GIVEN)),$(MAKE) --no-print-directory image)
	@$(LAUNCH) $@ $(SET) $(call quoted,BUILD=$(BUILD))

# The machine as the system found it, with what runs on it: an XML file for hwloc's tools, and a picture.
.PHONY: topology
topology: $(BUILD)/planner
	@$(LAUNCH) check $(SET) $(call quoted,BUILD=$(BUILD))
	@$(MAKE) --no-print-directory image
	@$(LAUNCH) topology $(SET) $(call quoted,BUILD=$(BUILD))

# Where the virtual machine of these settings would go on this host, or on the one that TOPOLOGY describes.
.PHONY: plan
plan: $(BUILD)/planner
	@$(LAUNCH) plan $(SET) $(call quoted,BUILD=$(BUILD))

# Nothing is built for it: what failed is what is to be looked at.
.PHONY: postmortem
postmortem: $(DEPS)
	@$(PYTHON) boot/launch/postmortem.py $(call quoted,$(BUILD)) $(call quoted,$(DUMP))

# The reference of the public headers; a warning is an error.
.PHONY: docs
docs: $(DEPS)
	@mkdir -p $(BUILD)/docs
	@{ cat docs/Doxyfile; printf 'OUTPUT_DIRECTORY = "%s"\nWARN_AS_ERROR = FAIL_ON_WARNINGS\n' $(call quoted,$(BUILD)/docs); } | doxygen -
	@echo "The reference of the public headers begins at $(BUILD)/docs/html/index.html."

.PHONY: help
help:
	@cat boot/help.txt
