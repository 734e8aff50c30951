#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Installs the Debian packages of boot/packages that are missing. With arguments, looks only at those packages.
# AUTO_DEPS=0 installs nothing and only says what is missing. The exit code is 0 if nothing is missing at the end.

list=$(dirname "$0")/packages

needed_by() { sed -n "s/^$1  *//p" "$list"; }

if ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system, so nothing is installed: what $list names has to be there already." >&2
    exit 0
fi

wanted=${*:-$(sed -n 's/^\([a-z][^ ]*\).*/\1/p' "$list")}
installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | tr '\n' ' ')"
missing=
for package in $wanted; do
    case $installed in *" $package "*) ;; *) missing="$missing $package" ;; esac
done
[ -z "$missing" ] && exit 0

for package in $missing; do
    echo "The package $package is missing; needed for: $(needed_by "$package")." >&2
done
if [ "$AUTO_DEPS" = 0 ]; then
    echo "AUTO_DEPS=0, so nothing was installed. By hand: apt-get install$missing" >&2
    exit 1
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null; then
        echo "Neither root nor sudo is at hand. As root: apt-get install$missing" >&2
        exit 1
    fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends "$@" >"$log" 2>&1 </dev/null; }

echo "Installing$missing ..." >&2
# The package lists of a fresh system may be empty or old: they are fetched only if the first try fails.
apt install $missing && exit 0
apt update && apt install $missing && exit 0

# Together they failed: one by one, the culprit shows itself.
status=0
for package in $missing; do
    if ! apt install "$package"; then
        tail -n 3 "$log" >&2
        echo "The package $package could not be installed; needed for: $(needed_by "$package")." >&2
        status=1
    fi
done
exit $status
