# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# A service that can be told to die.

@0xb7f3a1d29c5e8064;

using Atoll = import "/libos/interfaces/atoll.capnp";

interface Counter {
  next @0 () -> (count :UInt32, domain :UInt32);
  die @1 (status :UInt32) $Atoll.oneway;
  follow @2 () -> (domain :UInt32) $Atoll.idempotent;
  echo @3 (text :Text) -> (text :Text) $Atoll.idempotent;
}
