# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# Everything that a struct may have.

@0x9e1d4b7c2f83a605;

enum Colour { red @0; green @1; seaBlue @2; }

struct Inner {
  count @0 :Int16 = -3;
  flag @1 :Bool = true;
  label @2 :Text = "unnamed \"inner\"";
}

struct Plain {
  value @0 :UInt64;
}

struct Sample {
  yes @0 :Bool;
  no @1 :Bool = true;
  i8 @2 :Int8 = -1;
  i16 @3 :Int16 = 1000;
  i32 @4 :Int32 = -70000;
  i64 @5 :Int64 = 5000000000;
  u8 @6 :UInt8 = 255;
  u16 @7 :UInt16;
  u32 @8 :UInt32 = 4000000000;
  u64 @9 :UInt64 = 0xfedcba9876543210;
  f32 @10 :Float32 = 1.5;
  f64 @11 :Float64 = -0.1;
  colour @12 :Colour = seaBlue;
  text @13 :Text;
  data @14 :Data;
  inner @15 :Inner;
  plain @16 :Plain;
  int @17 :Int32;
  bytes @18 :List(UInt8);
  shorts @19 :List(Int16);
  words @20 :List(UInt32);
  longs @21 :List(Int64);
  floats @22 :List(Float32);
  doubles @23 :List(Float64);
}

interface Samples {
  put @0 Sample -> Sample;
}
