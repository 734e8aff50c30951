# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The machine model, ACPICA, and the acpi domain.

# ---- The model: plain C without I/O, in every domain's library and in the loader --------------------------------------

MODEL_SRCS := $(addprefix numa/model/, build.c check.c hwloc_xml.c levels.c madt.c mcfg.c query.c receive.c slit.c srat.c tables.c text.c \
	timers.c topology_json.c tree.c)

LIBATOLL_SRCS += $(MODEL_SRCS)

# ---- ACPICA, out of Debian's Linux source package ---------------------------------------------------------------------
# Only its own directories are unpacked, once, and only into $(BUILD). The debugger and the dumper are left out; its
# environment is ours (numa/acpica/include). It is foreign code, so it is compiled with warnings off.

ACPICA := $(abspath $(BUILD))/acpica
ACPICA_SOURCE = $(lastword $(sort $(wildcard /usr/src/linux-source-*.tar.xz)))
ACPICA_OURS := $(shell find numa/acpica/include -name '*.h')
ACPICA_INCLUDES := -isystem $(CURDIR)/numa/acpica/include -isystem $(ACPICA)/include
ACPICA_FLAGS := -w -g0 -ffunction-sections -fdata-sections $(ACPICA_INCLUDES)

$(ACPICA)/unpacked: | $(DEPS)
	$(call say,UNPACK,ACPICA from $(ACPICA_SOURCE))
	$(Q)test -n "$(ACPICA_SOURCE)" || { echo "ACPICA's source is missing: /usr/src has no linux-source-*.tar.xz" >&2; exit 1; }
	$(Q)rm -rf $(ACPICA) && mkdir -p $(ACPICA)
	$(Q)tar xf $(ACPICA_SOURCE) -C $(ACPICA) --strip-components=1 --wildcards --exclude='*/acpica/db*.c' \
		--exclude='*/acpica/rsdump.c' '*/drivers/acpi/acpica/*.[ch]' '*/include/acpi/*.h'
	$(Q)touch $@

# $(call acpica_library,KIND,flags)
define acpica_library
$$(BUILD)/$(1)/libacpica.a: $$(ACPICA)/unpacked $$(ACPICA_OURS) $$(COMPILER)
	$$(call say,CC,ACPICA  [$(1)])
	$$(Q)mkdir -p $$(ACPICA)/$(1) && cd $$(ACPICA)/$(1) && \
		$$(CC) $(2) -std=gnu17 $$(ACPICA_FLAGS) -c $$(ACPICA)/drivers/acpi/acpica/*.c
	$$(Q)rm -f $$@; mkdir -p $$(@D); ar rcsD $$@ $$(ACPICA)/$(1)/*.o
endef
$(eval $(call acpica_library,user,$$(USER_CFLAGS)))
$(eval $(call acpica_library,host,-O1 -g))

# ---- The acpi domain --------------------------------------------------------------------------------------------------

ACPI_SRCS := $(addprefix numa/acpi/, discover.c osl.c osl_sync.c power.c routes.c)

acpi_SRCS := $(ACPI_SRCS) $(addprefix numa/acpi/, hardware.c leaves.c main.c)
acpi_OBJS := $(BUILD)/user/libacpica.a
acpi_LDFLAGS := --gc-sections

$(call objects,user,$(acpi_SRCS)): EXTRA_CFLAGS += $(ACPICA_INCLUDES)
$(call objects,user,$(acpi_SRCS)): | $(ACPICA)/unpacked

# ---- Hosted tests of the acpi domain, over the tables that QEMU's firmware makes --------------------------------------

FIRMWARE_TABLES := $(BUILD)/tables/q35.bin $(BUILD)/tables/pc.bin $(BUILD)/tables/odd.bin

$(BUILD)/tables/%.bin: tests/hosted/dump_tables.py | $(DEPS)
	$(call say,DUMP,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) $< $* $@

TABLES_FLAG := -DTABLES='"$(BUILD)/tables/"'

$(BUILD)/tests/hosted/test_acpi/run: $(BUILD)/host/libacpica.a | $(FIRMWARE_TABLES)

# Flags of a program's `run` hold for its objects too.
ACPI_TESTS := test_acpi test_acpi_osl
$(ACPI_TESTS:%=$(BUILD)/tests/hosted/%/run): TEST_CFLAGS += $(ACPICA_INCLUDES) $(TABLES_FLAG)
$(foreach t,$(ACPI_TESTS),$(patsubst %.c,$(BUILD)/tests/hosted/$t/%.o,$(ACPI_SRCS) tests/hosted/$t.c)): | $(ACPICA)/unpacked

$(ACPI_TESTS:%=$(BUILD)/lint/HOST/tests/hosted/%.ok): EXTRA_CFLAGS += $(ACPICA_INCLUDES) $(TABLES_FLAG)
$(ACPI_TESTS:%=$(BUILD)/lint/HOST/tests/hosted/%.ok): | $(ACPICA)/unpacked

include numa/plan/rules.mk
