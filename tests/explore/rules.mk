# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The explorer: several cores' agreement and capability code in one process (tests/explore/world.h). Each program has the real
# files and its own limits:
#
#   search      every schedule of small scenarios        walk        long random schedules of many cores
#   checked     the search under ASan and UBSan          mutant-M    the search with fault M (monitor/agreement/mutants.def)

EXPLORE_COMMON := $(wildcard monitor/agreement/*.c cpudriver/capability/*.c) cpudriver/abi/errors.c \
	$(addprefix tests/explore/, world.c platform.c network.c surroundings.c translations.c users.c state.c schedule.c diagram.c \
	objects.c invariants.c endings.c forged.c)
EXPLORE_SEARCH := $(EXPLORE_COMMON) $(addprefix tests/explore/, scenarios.c scenario.c seen.c circle.c sleep.c search.c main.c)
EXPLORE_WALK   := $(EXPLORE_COMMON) $(addprefix tests/explore/, seen.c script.c shrink.c walk.c)

# Where the simulated memory is mapped, and the size of the agreement's tables.
EXPLORE_SMALL := -DWINDOW_START=0x200000000000 -DSHARED_MAX=8 -DOPERATIONS_MAX=24
EXPLORE_LARGE := -DWINDOW_START=0x200000000000 -DSHARED_MAX=128 -DOPERATIONS_MAX=256 -DWORLD_CORES=16 -DMONITOR_SLOTS=240 \
	-DUSER_SLOTS=64 -DQUEUE_MAX=120 -DTASKS_MAX=64

EXPLORE_CFLAGS := -std=c17 -D_GNU_SOURCE -g $(WARNINGS) -I. -I$(BUILD)/gen -Ilibos/include -mfsgsbase

# $(call explorer,NAME,SOURCES,FLAGS): $(BUILD)/explore/NAME/run
define explorer
$$(BUILD)/explore/$(1)/%.o: %.c $$(COMPILER) | $$(DEPS)
	$$(call say,CC,$$<  [explore/$(1)])
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(EXPLORE_CFLAGS) $(3) $$(if $$(filter cpudriver/%,$$<),-Dcap_retype=driver_retype) -MMD -MP -c $$< -o $$@
$$(BUILD)/explore/$(1)/run: $(patsubst %.c,$$(BUILD)/explore/$(1)/%.o,$(2))
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $(3) -o $$@ $$^ -lm
endef

$(eval $(call explorer,search,$(EXPLORE_SEARCH),-O2 $(EXPLORE_SMALL)))
$(eval $(call explorer,checked,$(EXPLORE_SEARCH),$(ASAN) $(EXPLORE_SMALL)))
$(eval $(call explorer,walk,$(EXPLORE_WALK),-O2 $(EXPLORE_LARGE)))

# Of a mutant only the agreement is compiled anew.
MUTANTS := $(shell sed -n "s/^MUTANT.\([a-z_0-9]*\),.*/\1/p" monitor/agreement/mutants.def)
mutant_objects = $(patsubst $(BUILD)/explore/$(1)/monitor/agreement/%,$(BUILD)/explore/$(1)-$(2)/monitor/agreement/%, \
	$(patsubst %.c,$(BUILD)/explore/$(1)/%.o,$(3)))

# $(call mutant,NAME,search or walk,SOURCES,FLAGS)
define mutant
$$(BUILD)/explore/$(2)-$(1)/monitor/agreement/%.o: monitor/agreement/%.c $$(COMPILER) | $$(DEPS)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(EXPLORE_CFLAGS) $(4) -Wno-unused -DMUTANT_SELECTED=$(1) -MMD -MP -c $$< -o $$@
$$(BUILD)/explore/$(2)-$(1)/run: $(call mutant_objects,$(2),$(1),$(3))
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $(4) -o $$@ $$^ -lm
endef
ifneq ($(filter $(BUILD)/explore/%,$(MAKECMDGOALS)),)
$(foreach m,$(MUTANTS),$(eval $(call mutant,$(m),search,$(EXPLORE_SEARCH),-O2 $(EXPLORE_SMALL))))
$(foreach m,$(MUTANTS),$(eval $(call mutant,$(m),walk,$(EXPLORE_WALK),-O2 $(EXPLORE_LARGE))))
endif

EXPLORERS := search walk checked

.PHONY: explore explore-programs explore-mutants
explore-programs: $(EXPLORERS:%=$(BUILD)/explore/%/run)

# SEED replays one scenario or walk; TIME is in seconds, a tenth of it for the walks; WORKERS is how many processes search.
TIME ?= 600
WORKERS ?= $(shell n=$$(nproc); echo $$((n < 16 ? n : 16)))
explore: $(BUILD)/explore/search/run $(BUILD)/explore/walk/run
ifneq ($(SEED),)
	@$(BUILD)/explore/$(if $(filter walk:%,$(SEED)),walk,search)/run $(call quoted,$(SEED))
else
	@code=0; $(BUILD)/explore/search/run --workers $(WORKERS) --seconds $$(($(TIME) * 9 / 10)) || code=1; \
	$(BUILD)/explore/walk/run --seconds $$(($(TIME) / 10)) || code=1; exit $$code
endif

explore-mutants: $(DEPS)
	@$(PYTHON) tests/explore/mutants.py $(call quoted,$(BUILD)) $(call quoted,$(CC))
