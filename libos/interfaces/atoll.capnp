# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
#
# What an interface file may say beyond Cap'n Proto's own language (libos/stubs/generate.py):
#
#   using Atoll = import "/libos/interfaces/atoll.capnp";

@0xe4b1f2c7a9d05836;

annotation version(interface) :UInt8;
# The interface's version, 1 to 255; 1 if nothing is said. Client and server must have been built for the same one.

annotation oneway(method) :Void;
# Nobody waits for an answer, and there is none. The method has no results.

annotation idempotent(interface, method) :Void;
# A call that does no harm if it is made twice (of an interface: all its calls). If the server ends before it has answered, the client's stub finds
# whoever offers the service next, waits for it until the call's deadline if need be, and calls that one.

annotation stream(method) :Void;
# The results come again and again, as long as the caller gives credit, until the server ends the stream or the caller has enough.
# The other direction needs no annotation: `method (...) -> stream`.

annotation cap(field, param) :Capability;
# On a UInt32: a capability comes along, of this type, with these rights at most. The number on the wire is the tag by which the receiver
# takes it.

struct Capability {
  type @0 :CapabilityType;
  rights @1 :Text = "rw";  # letters of r, w, x
  move @2 :Bool;           # the giver's own goes
}

enum CapabilityType {
  any @0;
  ram @1;
  frame @2;
  deviceFrame @3;
}

annotation bulk(field, param) :Void;
# On a UInt64: a piece of a buffer that both sides have mapped; the bytes are not copied. On the wire: the buffer's number in bits 56 to 63,
# the piece's offset in bits 28 to 55, its length in bits 0 to 27.

annotation errors(enum) :Void;
# The enum's values are errors that the methods of this file's interfaces may answer. Value 0 is not used.

annotation sentence(enumerant) :Text;
# What an error says to people.
