# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Linux beside Atoll. Debian's kernel is fetched and unpacked, never installed; its only program is ours, linked against the same C library
# as Atoll's programs.

PEERS := $(BUILD)/peers
PEERS_LINUX_SRCS := $(wildcard bench/peers/linux/*.c) bench/common/sample.c bench/common/stats.c $(CHANNEL_SRCS)

$(PEERS)/init: $(call objects,user,$(PEERS_LINUX_SRCS))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LD) -nostdlib -static --build-id=none -z noexecstack -o $@ $(MUSL)/crt1.o $(MUSL)/crti.o $^ --start-group $(MUSL)/libc.a \
		$$($(CC) -print-libgcc-file-name) --end-group $(MUSL)/crtn.o

# The kernel's own /dev/console is in its built-in archive already.
$(PEERS)/initramfs.cpio: $(PEERS)/init | $(DEPS)
	$(call say,CPIO,$@)
	$(Q)rm -rf $(PEERS)/root && mkdir -p $(PEERS)/root && objcopy --strip-debug $< $(PEERS)/root/init && touch -d @0 $(PEERS)/root/init
	$(Q)cd $(PEERS)/root && echo init | cpio --quiet --reproducible -o -H newc -R 0:0 >$(abspath $@)

$(PEERS)/vmlinuz: | $(DEPS)
	$(call say,FETCH,linux-image-cloud-amd64)
	@AUTO_DEPS=$(AUTO_DEPS) boot/unpack.sh linux-image-cloud-amd64 './boot/vmlinuz-*' $@

PEERS_SET = $(SET) $(foreach s,REPEAT OUT,$(if $(filter command environment,$(call origin_of,$s)),$(call quoted,$s=$($s)))) \
	$(call quoted,BUILD=$(BUILD))

.PHONY: peers
peers:
	@[ -x $(PYTHON) ] || AUTO_DEPS=$(AUTO_DEPS) boot/deps.sh python3
	@$(PYTHON) bench/peers/peers.py check $(PEERS_SET)
	@$(MAKE) --no-print-directory image $(PEERS)/vmlinuz $(PEERS)/initramfs.cpio
	@$(PYTHON) bench/peers/peers.py run $(PEERS_SET)
