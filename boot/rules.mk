# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# The loader (its own rules) and what starts QEMU.

include $(wildcard boot/loader/rules.mk)
