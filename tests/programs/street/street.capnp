# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Two interfaces that a domain offers side by side. Their methods have the same numbers and shapes, so that one that is taken for the other
# would be answered.

@0xd1b6a83f50c7e294;

using Atoll = import "/libos/interfaces/atoll.capnp";

interface Bank {
  put @0 (amount :UInt64) -> (total :UInt64);
  sign @1 (word :Text) -> (text :Text);
  count @2 (to :UInt32) -> (value :UInt64) $Atoll.stream;
  slowly @3 (value :UInt64) -> (value :UInt64);
}

# The one who has the keys to all houses.
interface Warden {
  put @0 (amount :UInt64) -> (total :UInt64);
  sign @1 (word :Text) -> (text :Text);
  open @2 (name :Text, typed :Bool) -> (error :UInt32);
  shut @3 (name :Text) -> (error :UInt32);
  # Opens houses until no more can be, and shuts them again.
  fill @4 () -> (houses :UInt32, error :UInt32, shut :UInt32);
  emptied @5 () -> (houses :UInt32);
  end @6 () -> () $Atoll.oneway;
}
