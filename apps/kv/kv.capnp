# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# One shard of the key-value service.

@0xd10f8a1505d4aab0;

using Atoll = import "/libos/interfaces/atoll.capnp";

enum Trouble $Atoll.errors {
  none @0;
  full @1 $Atoll.sentence("the shard has no room for another key");
  size @2 $Atoll.sentence("a batch must consist of whole operations, and not of too many");
}

interface Shard {
  # Several operations with one message, done one after the other. The batch lies in a buffer of the client's, as pairs of a key and a value:
  # a value that is not 0 is stored, 0 asks for what is stored. In its place comes what the key has then; 0 if it has nothing.
  apply @0 (batch :UInt64 $Atoll.bulk) -> ();
}
