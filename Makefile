# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The table of contents. Each room of the house has a rules.mk that names its sources; everything that is the same for
# all rooms (the flags, how a file is compiled, how a program is linked) is here, once. All outputs go to $(BUILD).
#
#   make run      build, boot and measure          make help     all targets and settings
#   make test     every test                       make V=1 ...  show the commands

# ---- Settings -------------------------------------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC := gcc
endif
BUILD     ?= build
HOSTCC    := $(CC)
LD        := ld
PYTHON    := /usr/bin/python3
AUTO_DEPS ?= 1
V         ?=

SHELL       := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
MAKEFLAGS   += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:

Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-8s%s\n' '$(1)' '$(2)')

.PHONY: all
all: image

# ---- Flags ----------------------------------------------------------------------------------------------------------
# The same source may be compiled in several kinds: $(BUILD)/KIND/path/file.o from path/file.c or path/file.S, with
#   kernel  the CPU driver, linked in the top 2 GiB, no floating point, nobody's library
#   boot    the loader's 64-bit part, linked low, freestanding
#   user    everything that runs in a domain, against musl's headers
#   host    tools and benchmarks that run on the machine that builds
# A single object's extra flags:  $(BUILD)/user/numa/x.o: EXTRA_CFLAGS += -Dsomething

WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef -Wvla
COMMON_CFLAGS := -std=c17 -O2 -g $(WARNINGS) -I. -I$(BUILD)/gen
FREESTANDING_CFLAGS := $(COMMON_CFLAGS) -ffreestanding -mno-red-zone -mgeneral-regs-only -fno-pic -fno-pie \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none

KERNEL_CFLAGS := $(FREESTANDING_CFLAGS) -mcmodel=kernel
BOOT_CFLAGS   := $(FREESTANDING_CFLAGS)
HOST_CFLAGS   := $(COMMON_CFLAGS) -D_GNU_SOURCE -pthread

MUSL := /usr/lib/x86_64-linux-musl
USER_FLAGS  := $(COMMON_CFLAGS) -D_GNU_SOURCE -Ilibos/include -nostdinc -isystem /usr/include/x86_64-linux-musl \
	-fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -mfsgsbase -mxsave
USER_CFLAGS  = $(USER_FLAGS) -isystem $(shell $(CC) -print-file-name=include)

KERNEL_LDFLAGS  := -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments
PROGRAM_LDFLAGS := -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack
PROGRAM_CRT     :=

# ---- Rooms ----------------------------------------------------------------------------------------------------------
# What a room's rules.mk may say:
#   CPUDRIVER_SRCS += ...     CPUDRIVER_LDS := cpudriver/image.lds.S      the CPU driver and its linker script
#   LIBATOLL_SRCS += ...                                                  files of $(BUILD)/libatoll.a
#   PROGRAMS += ipcbench      ipcbench_SRCS := bench/ipcbench/main.c ...  a program; also NAME_OBJS, NAME_LDFLAGS
#   ARCHIVE_FILES += path                                                 any other file for the boot archive
#   PROGRAM_CRT, PROGRAM_LDFLAGS, PROGRAM_LDS                             how every program starts and is linked (libos)

ROOMS := boot channels cpudriver libos monitor numa apps bench tests
MODULES := monitor acpi
PROGRAMS :=
ARCHIVE_FILES :=
CPUDRIVER_SRCS :=
LIBATOLL_SRCS :=

# $(call objects,KIND,SOURCES): the object files of SOURCES compiled as KIND. An interface file among them stands for its stubs, whose
# header must be there before anything is compiled that includes it.
objects = $(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(filter-out %.capnp,$(2)) $(foreach s,$(filter %.capnp,$(2)),$(s:%.capnp=generated/%.c) $(s:%.capnp=generated/%_calls.c))))
stub_headers = $(patsubst %.capnp,$(BUILD)/gen/generated/%.h,$(filter %.capnp,$(1)))

# Everything that runs a tool waits for the packages, everything compiled also depends on the compiler and its flags.
DEPS     := $(BUILD)/packages.ok
COMPILER := $(BUILD)/compiler

include $(wildcard $(ROOMS:%=%/rules.mk))

# Programs from elsewhere (docs/first-program.md): a directory with a rules.mk.
MORE ?=
ifneq ($(MORE),)
ifeq ($(wildcard $(MORE)/rules.mk),)
$(error MORE=$(MORE) has no rules.mk: see docs/first-program.md)
endif
include $(MORE)/rules.mk
endif

# ---- How a file is compiled -----------------------------------------------------------------------------------------

compile = $(call say,CC,$<  [$(1)])$(if $(V),,;) mkdir -p $(@D); \
	$(CC) $($(2)_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c $< -o $@

define kind
$$(BUILD)/$(1)/%.o: %.c $$(COMPILER) | $$(DEPS)
	$$(call compile,$(1),$(2))
$$(BUILD)/$(1)/%.o: %.S $$(COMPILER) | $$(DEPS)
	$$(call compile,$(1),$(2))
$$(BUILD)/$(1)/%.o: $$(BUILD)/gen/%.c $$(COMPILER) | $$(DEPS)
	$$(call compile,$(1),$(2))
endef
$(eval $(call kind,kernel,KERNEL))
$(eval $(call kind,boot,BOOT))
$(eval $(call kind,user,USER))
$(eval $(call kind,host,HOST))

$(BUILD)/%.lds: %.lds.S $(COMPILER) | $(DEPS)
	$(call say,LDS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -E -P -I. -I$(BUILD)/gen -D__ASSEMBLER__ -MMD -MP -MF $@.d -MT $@ -x assembler-with-cpp $< -o $@

# Changes only when the compiler or the flags change, so that `make CC=clang` after `make` compiles everything anew.
.PHONY: FORCE
FORCE:
$(COMPILER): FORCE
	@mkdir -p $(@D); new='$(CC) | $(KERNEL_CFLAGS) | $(BOOT_CFLAGS) | $(USER_FLAGS) | $(HOST_CFLAGS) | $(PROGRAM_LDFLAGS)'; \
	if [ "$$new" != "$$(cat $@ 2>/dev/null)" ]; then printf '%s\n' "$$new" >$@; fi

$(DEPS): boot/packages boot/deps.sh
	@mkdir -p $(@D)
	@AUTO_DEPS=$(AUTO_DEPS) boot/deps.sh
	@touch $@

# Stubs of an interface file, in $(BUILD)/gen/generated.
STUB_GENERATOR := $(wildcard libos/stubs/*.py) libos/interfaces/atoll.capnp
$(BUILD)/gen/generated/%.h $(BUILD)/gen/generated/%.c $(BUILD)/gen/generated/%_calls.c: %.capnp $(STUB_GENERATOR) | $(DEPS)
	$(call say,CAPNP,$<)
	$(Q)capnp compile --no-standard-import -I. -I/usr/include -o- $< | $(PYTHON) libos/stubs/generate.py $(BUILD)/gen

# ---- What is linked -------------------------------------------------------------------------------------------------

$(BUILD)/cpudriver.elf: $(call objects,kernel,$(CPUDRIVER_SRCS)) $(patsubst %.S,$(BUILD)/%,$(CPUDRIVER_LDS))
	$(call say,LD,$@)
	$(Q)$(LD) $(KERNEL_LDFLAGS) -T $(lastword $^) $(filter %.o,$^) -o $@
	$(Q)objdump -d --no-show-raw-insn $@ >$(@:.elf=.asm)
	$(Q)nm -n $@ >$(@:.elf=.sym)

$(BUILD)/libatoll.a: $(call objects,user,$(LIBATOLL_SRCS))
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcsD $@ $^

define program
$$(call objects,user,$$($(1)_SRCS)): | $$(call stub_headers,$$($(1)_SRCS))
$$(BUILD)/programs/$(1): $$(PROGRAM_CRT) $$(call objects,user,$$($(1)_SRCS)) $$($(1)_OBJS) $$(BUILD)/libatoll.a \
		$$(patsubst %.S,$$(BUILD)/%,$$(PROGRAM_LDS))
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(LD) $$(PROGRAM_LDFLAGS) $$($(1)_LDFLAGS) -T $$(filter %.lds,$$^) -o $$@ $$(MUSL)/crt1.o $$(MUSL)/crti.o $$(filter %.o,$$^) \
		--start-group $$(filter %.a,$$^) $$(MUSL)/libc.a $$$$($$(CC) -print-libgcc-file-name) --end-group $$(MUSL)/crtn.o
endef
$(foreach p,$(sort $(PROGRAMS) $(MODULES)),$(eval $(call program,$p)))

include boot/image.mk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(BUILD)
