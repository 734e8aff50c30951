# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The boot archive and the boot image. Included last, when all rooms have named their programs.

# Nothing on the image needs debug information; build/programs and build/cpudriver.elf keep it for the debugger.
IMAGE_FILES = $(BUILD)/image/boot/loader $(BUILD)/image/boot/cpudriver $(BUILD)/image/boot/archive.cpio \
	$(MODULES:%=$(BUILD)/image/boot/%) $(BUILD)/image/boot/grub/grub.cfg

define stripped
	@mkdir -p $(@D)
	$(Q)objcopy --strip-debug $< $@
endef
$(BUILD)/image/boot/loader: $(BUILD)/loader.elf
	$(stripped)
$(BUILD)/image/boot/cpudriver: $(BUILD)/cpudriver.elf
	$(stripped)
$(MODULES:%=$(BUILD)/image/boot/%): $(BUILD)/image/boot/%: $(BUILD)/programs/%
	$(stripped)
$(BUILD)/archive/%: $(BUILD)/programs/%
	$(stripped)

define copied
	@mkdir -p $(@D)
	$(Q)cp $< $@
endef
$(BUILD)/image/boot/grub/grub.cfg: boot/grub.cfg
	$(copied)
$(BUILD)/image/boot/archive.cpio: $(BUILD)/archive.cpio
	$(copied)

# The archive is the same, byte for byte, whenever its files are: sorted names, no times, no inode numbers.
ARCHIVED = $(filter-out $(MODULES),$(sort $(PROGRAMS)))
$(BUILD)/archive.cpio: $(ARCHIVED:%=$(BUILD)/archive/%) $(ARCHIVE_FILES) | $(DEPS)
	$(call say,CPIO,$@)
	@mkdir -p $(@D)
	$(Q)rm -rf $(BUILD)/archive.root && mkdir $(BUILD)/archive.root
	$(Q)$(if $^,cp $^ $(BUILD)/archive.root/ && touch -d @0 $(BUILD)/archive.root/*)
	$(Q)cd $(BUILD)/archive.root && find . -type f -printf '%P\n' | LC_ALL=C sort | \
		cpio --quiet --reproducible -o -H newc -R 0:0 >$(abspath $@)

$(BUILD)/atoll.iso: $(IMAGE_FILES) boot/make-iso.sh | $(DEPS)
	$(call say,ISO,$@)
	$(Q)boot/make-iso.sh $@ $(BUILD)/image

.PHONY: image
image: $(BUILD)/atoll.iso
