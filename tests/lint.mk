# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Static analysis: every C file once, with the flags of the kind that it is compiled as. A file without findings is not looked
# at again until it or a header changes. A room that compiles files with flags of its own gives them to
# $(BUILD)/lint/KIND/path/file.ok too (EXTRA_CFLAGS).

find_c = $(shell find $(1) -name '*.c' $(2) 2>/dev/null)

LINT_KERNEL := $(call find_c,cpudriver)
LINT_BOOT   := $(call find_c,boot)
LINT_HOST   := $(call find_c,bench/host numa/plan tests/hosted tests/fuzz)
LINT_USER   := $(call find_c,channels libos monitor numa apps bench tests/programs,-not -path 'bench/host/*' -not -path 'numa/plan/*')
# Files include what is made of interface files.
LINT_STUBS  := $(patsubst %.capnp,$(BUILD)/gen/generated/%.h,$(shell find $(ROOMS) -name '*.capnp' -not -name atoll.capnp))
HEADERS     := $(shell find $(ROOMS) -name '*.h' -o -name '*.def' 2>/dev/null)

# clang-tidy brings clang's own headers; warnings of the compiler are findings as well.
lint_KERNEL = $(KERNEL_CFLAGS)
lint_BOOT   = $(BOOT_CFLAGS)
lint_HOST   = $(HOST_CFLAGS) -Wno-missing-prototypes -Ilibos/include $(call says,flags,$<)
lint_USER   = $(USER_FLAGS) -isystem $(shell clang -print-file-name=include)

# The analyzer does not know that cmocka's assertions end a test, and tests of faults mean their null pointers.
lint_checks = $(if $(filter tests/%,$<),--checks=-clang-analyzer-*)

ifneq ($(filter lint,$(MAKECMDGOALS)),)
$(acpi_SRCS:%.c=$(BUILD)/lint/USER/%.ok): EXTRA_CFLAGS += $(ACPICA_INCLUDES)
$(acpi_SRCS:%.c=$(BUILD)/lint/USER/%.ok): | $(ACPICA)/unpacked
endif

# Every file depends on every header: simple, and headers change seldom.
define linted
$$(BUILD)/lint/$(1)/%.ok: %.c $$(HEADERS) .clang-tidy | $$(DEPS) $$(LINT_STUBS)
	$$(call say,TIDY,$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)clang-tidy --quiet $$(lint_checks) $$< -- $$(lint_$(1)) $$(EXTRA_CFLAGS) >$$@.txt 2>$$@.log || { cat $$@.txt; exit 1; }
	@touch $$@
endef
$(foreach kind,KERNEL BOOT HOST USER,$(eval $(call linted,$(kind))))

.PHONY: lint format
lint: $(foreach kind,KERNEL BOOT HOST USER,$(LINT_$(kind):%.c=$(BUILD)/lint/$(kind)/%.ok))
	@echo "No findings in $(words $^) files."

format: | $(DEPS)
	$(Q)clang-format -i $(LINT_KERNEL) $(LINT_BOOT) $(LINT_HOST) $(LINT_USER) $(filter %.h,$(HEADERS))
