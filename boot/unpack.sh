#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Takes a file out of a Debian package that is downloaded, but never installed:
#
#   unpack.sh PACKAGE PATTERN TARGET
#
# PACKAGE is one of those in boot/packages that begin with a plus. It may be empty itself and only depend on the newest of its kind; then
# it is that one's file. AUTO_DEPS=0 downloads nothing.

list=$(dirname "$0")/packages
package=$1 pattern=$2 target=$3

fail() {
    [ -s "$work/log" ] && tail -n 3 "$work/log" >&2
    echo "$1; needed for: $(sed -n "s/^+$package  *//p" "$list")." >&2
    rm -rf "$work"
    exit 1
}

work=$(mktemp -d) || exit 1
chmod 755 "$work"
if [ "$AUTO_DEPS" = 0 ]; then
    fail "AUTO_DEPS=0, so the package $package was not downloaded (by hand: its $pattern belongs at $target)"
fi
command -v apt-get >/dev/null || fail "This is not a Debian system, so the package $package can't be downloaded"

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo

# The package lists of a fresh system may be empty or old.
download() {
    newest=$(apt-cache depends "$package" 2>>"$work/log" | sed -n 's/^ *Depends: //p' | head -n 1)
    (cd "$work" && apt-get -qq download "${newest:-$package}") >>"$work/log" 2>&1
}
echo "Downloading $package ..." >&2
download || { $as_root apt-get -qq update >>"$work/log" 2>&1 && download; } || fail "The package $package could not be downloaded"

mkdir -p "$(dirname "$target")"
dpkg-deb --fsys-tarfile "$work"/*.deb 2>>"$work/log" | tar xO --wildcards "$pattern" >"$target.new" 2>>"$work/log"
[ -s "$target.new" ] || { rm -f "$target.new"; fail "The package $package has no $pattern"; }
mv "$target.new" "$target"
rm -rf "$work"
