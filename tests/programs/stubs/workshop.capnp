# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# A service with a method of every kind.

@0xc8e1f5a3b7d20946;

using Atoll = import "/libos/interfaces/atoll.capnp";

enum Trouble $Atoll.errors {
  none @0;
  divided @1 $Atoll.sentence("nothing can be divided by 0");
}

struct Place {
  x @0 :Int32;
  y @1 :Int32 = -7;
  weight @2 :Float64 = 0.5;
  name @3 :Text = "nowhere";
}

interface Workshop $Atoll.version(2) {
  # In registers, or in a line of a channel.
  add @0 (a :UInt32, b :UInt32 = 7, negative :Bool) -> (sum :Int64);
  divide @1 (a :UInt32, by :UInt32) -> (quotient :UInt32);
  wide @2 (a :UInt64, b :UInt64, c :UInt64, d :UInt64, e :UInt64) -> (sum :UInt64, product :UInt64, xor :UInt64, and :UInt64);

  # Messages with pointers.
  describe @3 (place :Place, list :List(UInt16), data :Data) -> (text :Text, place :Place, sum :UInt64);
  message @4 (place :Place, list :List(UInt16)) -> (words :Data);

  # One way, and streams.
  note @5 (value :UInt32) -> () $Atoll.oneway;
  noted @6 () -> (count :UInt32, last :UInt32);
  pour @7 (value :UInt64) -> stream;
  poured @8 () -> (sum :UInt64);
  numbers @9 (from :UInt64, count :UInt32) -> (value :UInt64) $Atoll.stream;
  texts @10 (count :UInt32) -> (text :Text) $Atoll.stream;

  # Answered when somebody releases them.
  wait @11 (key :UInt32) -> (key :UInt32);
  waitLong @12 (key :UInt32, text :Text) -> (text :Text);
  release @13 (key :UInt32, fail :Bool) -> (found :Bool);
  cancelled @14 () -> (calls :UInt32, streams :UInt32);

  # Capabilities and buffers.
  take @15 (frame :UInt32 $Atoll.cap(type = frame, rights = "rw")) -> (first :UInt64);
  give @16 (value :UInt64) -> (frame :UInt32 $Atoll.cap(type = frame, rights = "r"));
  sum @17 (piece :UInt64 $Atoll.bulk) -> (sum :UInt64);
  fill @18 (piece :UInt64 $Atoll.bulk, value :UInt8) -> (piece :UInt64 $Atoll.bulk);

  refused @19 () -> (version :UInt32, method :UInt32, length :UInt32, format :UInt32, capability :UInt32);
  clients @20 () -> (opened :UInt32, closed :UInt32);
  end @21 () -> ();
}
