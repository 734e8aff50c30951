# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# What is tried through a door.

@0xb7a1c05e93d8f264;

interface Gate {
  add @0 (a :UInt64, b :UInt64) -> (sum :UInt64);
  computed @1 () -> (count :UInt64);
  sleep @2 (ms :UInt32) -> ();
  compute @3 (ms :UInt32) -> ();
  through @4 (depth :UInt32) -> (gates :UInt32);
  untilCancelled @5 () -> ();
  cancelled @6 () -> (count :UInt32, waiting :UInt32);
  twice @7 () -> (first :UInt32, second :UInt32, foreign :UInt32);
  fault @8 () -> ();
  itself @9 () -> (error :UInt32);
}
