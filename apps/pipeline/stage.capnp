# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# One stage of a pipeline.

@0xb1d9c5e07a4f3826;

interface Stage {
  # Numbers to work on. It is a stream with credit: the sender may be some messages ahead, then it waits for an answer. So a stage that is
  # slow holds up the one before it, and that one the one before, up to the source; nothing is ever lost or piled up.
  put @0 (numbers :List(UInt64)) -> stream;

  # No more will come. The answer is what has reached the end of the pipeline.
  finish @1 () -> (count :UInt64, sum :UInt64);

  where @2 () -> (core :UInt32, node :UInt32);
}
