# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Tests are found by wildcard; tests/run.py runs them all and counts.
#
#   tests/structure/test_*.py   rules about the tree and about the CPU driver's image
#   tests/hosted/test_*.c       cmocka, under ASan and UBSan, or under TSan if the name ends in _tsan
#   tests/explore               every schedule of small scenarios of several cores, and random walks: a slice of `make explore`
#   tests/compile/*.c           files that must not compile
#   tests/fuzz/fuzz_*.c         libFuzzer targets
#   tests/launcher/test_*.py    the launcher, with a QEMU that replays a serial log
#   tests/suite/test_*.py       `make scale` and its report, with made-up runs, and one short sweep of the system
#   tests/boot/test_*.py        the system in QEMU
#
# The first lines of a hosted test and of a fuzz target may say what else belongs to it:
#   // sources: numa/model/build.c numa/model/madt.c      the real files that it tests
#   // flags: -DSMALL    // libs: -lck

says = $(shell sed -n '1,12s|^// $(1): *||p' $(2))

TEST_CFLAGS := -std=c17 -D_GNU_SOURCE -g $(WARNINGS) -Wno-missing-prototypes -I. -I$(BUILD)/gen -Ilibos/include -pthread \
	-fno-omit-frame-pointer -mfsgsbase -mxsave
ASAN := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN := -O2 -fsanitize=thread
FUZZ := -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

# $(call test_program,PATH of the test without .c,compiler,sanitizer,libraries): $(BUILD)/PATH/run
define test_program
$$(BUILD)/$(1)/%.o: %.c $$(COMPILER) | $$(DEPS)
	$$(call say,CC,$$<  [$(notdir $(1))])
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $$(TEST_CFLAGS) $(3) $(call says,flags,$(1).c) -MMD -MP -c $$< -o $$@
$$(BUILD)/$(1)/%.o: $$(BUILD)/gen/%.c $$(COMPILER) | $$(DEPS)
	$$(call say,CC,$$<  [$(notdir $(1))])
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(2) $$(TEST_CFLAGS) $(3) $(call says,flags,$(1).c) -MMD -MP -c $$< -o $$@
$$(BUILD)/$(1)/$(1).o: | $(patsubst %.c,$$(BUILD)/gen/%.h,$(filter generated/%,$(call says,sources,$(1).c)))
$$(BUILD)/$(1)/run: $(patsubst %.c,$$(BUILD)/$(1)/%.o,$(1).c $(call says,sources,$(1).c))
	$$(call say,LD,$$@)
	$$(Q)$(2) $(3) -pthread -o $$@ $$^ $(4) $(call says,libs,$(1).c)
endef

HOSTED := $(basename $(wildcard tests/hosted/test_*.c))
FUZZED := $(basename $(wildcard tests/fuzz/fuzz_*.c))

# Reading the tests' first lines costs a moment that only these goals are worth.
ifneq ($(filter hosted-programs fuzz-programs $(BUILD)/tests/%,$(MAKECMDGOALS)),)
$(foreach t,$(filter-out %_tsan,$(HOSTED)),$(eval $(call test_program,$t,$(CC),$(ASAN),-lcmocka)))
$(foreach t,$(filter %_tsan,$(HOSTED)),$(eval $(call test_program,$t,$(CC),$(TSAN),-lcmocka)))
$(foreach t,$(FUZZED),$(eval $(call test_program,$t,clang,$(FUZZ),)))
endif

.PHONY: hosted-programs fuzz-programs
hosted-programs: $(HOSTED:%=$(BUILD)/%/run)
fuzz-programs: $(FUZZED:%=$(BUILD)/%/run)

# ONLY names kinds of tests (ONLY='hosted compile'), SECONDS_EACH is a fuzzer's time.
RUN_TESTS = $(PYTHON) tests/run.py --build $(call quoted,$(BUILD)) --cc $(call quoted,$(CC))
.PHONY: test fuzz
test: $(DEPS)
	@$(RUN_TESTS) $(ONLY)
fuzz: $(DEPS)
	@$(RUN_TESTS) --seconds $(or $(SECONDS_EACH),60) fuzz

# Programs that the boot tests run inside the system.
PROGRAMS += selftest
selftest_SRCS := $(addprefix tests/programs/selftest/, main.c own.c domains.c)
PROGRAMS += crash
crash_SRCS := tests/programs/crash.c
PROGRAMS += share
share_SRCS := tests/programs/share.c
ARCHIVE_FILES += tests/programs/files/notes tests/programs/files/supervised.services tests/programs/files/bad.services
PROGRAMS += supervised
supervised_SRCS := tests/programs/supervised/main.c tests/programs/supervised/counter.capnp
PROGRAMS += spawn
spawn_SRCS := tests/programs/spawn.c
PROGRAMS += services
services_SRCS := tests/programs/services.c
PROGRAMS += threads
threads_SRCS := tests/programs/threads/main.c tests/programs/threads/turns.c
PROGRAMS += agreement
agreement_SRCS := $(addprefix tests/programs/agreement/, main.c peer.c things.c operations.c groups.c races.c attacks.c)
PROGRAMS += memory
memory_SRCS := $(addprefix tests/programs/memory/, main.c sharing.c changes.c places.c large.c huge.c races.c heap.c pagers.c)
PROGRAMS += span
span_SRCS := $(addprefix tests/programs/span/, main.c ends.c losses.c)
PROGRAMS += revoke
revoke_SRCS := $(addprefix tests/programs/revoke/, main.c children.c)
PROGRAMS += stubs
stubs_SRCS := $(addprefix tests/programs/stubs/, main.c workshop.c calls.c streams.c carries.c bad.c workshop.capnp)
PROGRAMS += street
street_SRCS := $(addprefix tests/programs/street/, main.c houses.c street.capnp)
PROGRAMS += spoil
spoil_SRCS := tests/programs/spoil.c
PROGRAMS += roam
roam_SRCS := tests/programs/roam.c
PROGRAMS += doors
doors_SRCS := $(addprefix tests/programs/doors/, main.c gate.c gate.capnp)
PROGRAMS += soak
soak_SRCS := $(addprefix tests/programs/soak/, main.c lead.c picture.c worker.c things.c operations.c contents.c)

# Random operations in the system for TIME seconds; with DEATHS=1 cores die meanwhile. Without SEED each run is another one.
.PHONY: soak
soak:
	@[[ '$(DEATHS)' =~ ^[01]?$$ ]] || { echo 'DEATHS is 0 or 1.'; exit 2; }
	@$(MAKE) --no-print-directory run TIMEOUT=$$(( $(or $(TIME),60) + 120 )) \
		APP="soak $(or $(SEED),$$(date +%s)) $(or $(TIME),60)$(if $(filter 1,$(DEATHS)), deaths)"

include tests/explore/rules.mk
include tests/lint.mk
