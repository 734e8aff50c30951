# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# What a typed call costs is measured with.

@0xd3b0f4c7a2e85916;

interface Echo {
  add @0 (a :UInt64, b :UInt32, c :UInt32) -> (sum :UInt64);
  polling @1 (iterations :UInt32) -> ();
}
