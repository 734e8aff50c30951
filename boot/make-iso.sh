#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# make-iso.sh IMAGE DIRECTORY: a bootable image of the directory, for BIOS and for UEFI.
#
# Only the GRUB modules that the menu needs, and the partition tables that GRUB's own start asks for: the image stays small.

set -eu
partitions=$(printf 'part_%s ' acorn amiga apple bsd dfly dvh gpt msdos plan sun sunpc)

grub-mkrescue --install-modules="multiboot2 normal iso9660 fat all_video $partitions" --fonts= --locales= --themes= -o "$1" "$2" \
    >"$1.log" 2>&1 || { cat "$1.log" >&2; exit 1; }
