# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The loader: start.S and C, the code that lays out a core, the model of the machine, and the trampoline as one page of bytes.

LOADER_SRCS := boot/loader/start.S boot/loader/main.c boot/loader/boot_information.c boot/loader/command_line.c \
	boot/loader/fw_cfg.c boot/loader/memory.c boot/loader/processor.c boot/loader/ranges.c boot/loader/regions.c \
	boot/loader/report.c boot/loader/trampoline.c boot/loader/trampoline_image.S \
	cpudriver/image/core_image.c cpudriver/image/elf.c \
	numa/model/build.c numa/model/check.c numa/model/madt.c numa/model/mcfg.c numa/model/query.c numa/model/slit.c \
	numa/model/srat.c numa/model/tables.c numa/model/text.c numa/model/timers.c

$(BUILD)/boot/boot/trampoline.bin: $(BUILD)/boot/boot/trampoline/trampoline.o
	$(call say,LD,$@)
	$(Q)$(LD) -Ttext 0 -e trampoline --oformat binary -o $@ $<

$(BUILD)/boot/boot/loader/trampoline_image.o: $(BUILD)/boot/boot/trampoline.bin
$(BUILD)/boot/boot/loader/trampoline_image.o: EXTRA_CFLAGS += -I$(BUILD)/boot

$(BUILD)/loader.elf: $(call objects,boot,$(LOADER_SRCS)) $(BUILD)/boot/loader/loader.lds
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack -T $(lastword $^) $(filter %.o,$^) -o $@
