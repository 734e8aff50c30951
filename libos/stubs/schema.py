# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Reads what the Cap'n Proto compiler writes for its plug-ins: a CodeGeneratorRequest.

That is itself a Cap'n Proto message, so this is a small reader of the encoding (https://capnproto.org/encoding.html), and the layout of
those structs of /usr/include/capnp/schema.capnp that a generator needs. `capnp compile -ocapnp` prints the offsets.
"""

import struct
from dataclasses import dataclass, field

INLINE_COMPOSITE = 7
ELEMENT_BITS = (0, 1, 8, 16, 32, 64, 64)


class Malformed(Exception):
    """This is no CodeGeneratorRequest."""


# ---- The encoding -----------------------------------------------------------------------------------------------------

class Message:
    """Segments of words; `root()` is the struct that the first word points to."""

    def __init__(self, data: bytes):
        if len(data) < 8:
            raise Malformed("it is too short")
        count = struct.unpack_from("<I", data)[0] + 1
        if count > 512 or len(data) < 4 + 4 * count:
            raise Malformed("the segment table is damaged")
        sizes = struct.unpack_from(f"<{count}I", data, 4)
        at = (4 + 4 * count + 7) // 8 * 8
        self.segments = []
        for size in sizes:
            self.segments.append(data[at:at + 8 * size])
            at += 8 * size
        if at > len(data):
            raise Malformed("the message is cut short")

    def root(self) -> "Struct":
        return self.struct_at(0, 0)

    def word(self, segment: int, index: int) -> int:
        try:
            return struct.unpack_from("<Q", self.segments[segment], 8 * index)[0]
        except (IndexError, struct.error):
            raise Malformed("a pointer leads out of the message") from None

    def target(self, segment: int, index: int) -> tuple[int, int, int]:
        """The segment and index of what the pointer there leads to, and the word that says what it is; the word is 0 for null."""
        pointer = self.word(segment, index)
        if pointer & 3 != 2:
            return segment, index + 1 + _signed(pointer), pointer
        pad_segment, pad = pointer >> 32, (pointer & 0xffffffff) >> 3
        if not pointer & 4:
            return self.target(pad_segment, pad)
        far, tag = self.word(pad_segment, pad), self.word(pad_segment, pad + 1)
        return far >> 32, (far & 0xffffffff) >> 3, tag

    def struct_at(self, segment: int, index: int) -> "Struct":
        where, at, pointer = self.target(segment, index)
        if pointer and pointer & 3 != 0:
            raise Malformed("a list is where a struct should be")
        return Struct(self, where, at, pointer >> 32 & 0xffff, pointer >> 48)

    def list_at(self, segment: int, index: int) -> list:
        """Of structs, or of the numbers of bits that stand there."""
        where, at, pointer = self.target(segment, index)
        if not pointer:
            return []
        if pointer & 3 != 1:
            raise Malformed("a struct is where a list should be")
        size, count = pointer >> 32 & 7, pointer >> 35
        if size == INLINE_COMPOSITE:
            tag = self.word(where, at)
            data, pointers = tag >> 32 & 0xffff, tag >> 48
            return [Struct(self, where, at + 1 + i * (data + pointers), data, pointers) for i in range((tag & 0xffffffff) >> 2)]
        whole = Struct(self, where, at, (count * ELEMENT_BITS[size] + 63) // 64, 0)
        return [whole.bits(i * ELEMENT_BITS[size], ELEMENT_BITS[size]) for i in range(count)]


def _signed(pointer: int) -> int:
    offset = (pointer & 0xffffffff) >> 2
    return offset - (1 << 30) if offset >> 29 else offset


@dataclass(frozen=True)
class Struct:
    message: Message
    segment: int
    at: int
    data_words: int
    pointers: int

    def bits(self, offset: int, width: int) -> int:
        if width == 0 or offset + width > 64 * self.data_words:
            return 0
        return self.message.word(self.segment, self.at + offset // 64) >> offset % 64 & (1 << width) - 1

    def struct(self, pointer: int) -> "Struct":
        if pointer >= self.pointers:
            return Struct(self.message, 0, 0, 0, 0)
        return self.message.struct_at(self.segment, self.at + self.data_words + pointer)

    def list(self, pointer: int) -> list:
        return [] if pointer >= self.pointers else self.message.list_at(self.segment, self.at + self.data_words + pointer)

    def data(self, pointer: int) -> bytes:
        return bytes(self.list(pointer))

    def text(self, pointer: int) -> str:
        return self.data(pointer).removesuffix(b"\0").decode("utf-8")


# ---- The schema -------------------------------------------------------------------------------------------------------

SCALARS = ("void", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
KINDS = SCALARS + ("text", "data", "list", "enum", "struct", "interface", "anyPointer")
WIDTH = {"void": 0, "bool": 1, "int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64,
         "float32": 32, "float64": 64, "enum": 16}


@dataclass(frozen=True)
class Type:
    kind: str
    of: "Type | None" = None  # a list's elements
    id: int = 0               # of an enum, struct or interface

    @staticmethod
    def read(s: Struct) -> "Type":
        kind = _kind(s.bits(0, 16))
        return Type(kind, Type.read(s.struct(0)) if kind == "list" else None, s.bits(64, 64))

    @property
    def is_pointer(self) -> bool:
        return self.kind not in WIDTH


def _kind(number: int) -> str:
    return KINDS[number] if number < len(KINDS) else f"type number {number}"


@dataclass(frozen=True)
class Value:
    """Of a scalar: `bits` as they stand on the wire; of a text or data: `data`; of a struct: `struct`."""
    kind: str
    bits: int = 0
    data: bytes = b""
    struct: Struct | None = None
    is_null: bool = True

    @staticmethod
    def read(s: Struct) -> "Value":
        kind = _kind(s.bits(0, 16))
        if kind in WIDTH:
            width = WIDTH[kind]
            return Value(kind, s.bits(16 if width < 32 else width, width))
        null = s.pointers == 0 or s.message.word(s.segment, s.at + s.data_words) == 0
        if kind in ("text", "data"):
            return Value(kind, data=s.data(0), is_null=null)
        return Value(kind, struct=s.struct(0) if kind == "struct" else None, is_null=null)


@dataclass(frozen=True)
class Field:
    name: str
    type: Type | None  # None: a group
    offset: int        # in units of its own size, or number of its pointer
    default: Value
    has_default: bool
    in_union: bool
    annotations: dict[int, Value]


@dataclass(frozen=True)
class Enumerant:
    name: str
    annotations: dict[int, Value]


@dataclass(frozen=True)
class Method:
    name: str
    params: int
    results: int
    is_generic: bool
    annotations: dict[int, Value]


@dataclass
class Node:
    id: int
    full_name: str  # FILE:Outer.Inner
    name: str
    scope: int
    kind: str
    is_generic: bool
    annotations: dict[int, Value]
    data_words: int = 0
    pointers: int = 0
    has_union: bool = False
    fields: list[Field] = field(default_factory=list)
    enumerants: list[Enumerant] = field(default_factory=list)
    methods: list[Method] = field(default_factory=list)
    extends: bool = False
    nested: list[int] = field(default_factory=list)


NODE_KINDS = ("file", "struct", "enum", "interface", "const", "annotation")
NO_DISCRIMINANT = 0xffff


def _annotations(structs: list[Struct]) -> dict[int, Value]:
    return {s.bits(0, 64): Value.read(s.struct(0)) for s in structs}


def _in_code_order(structs: list[Struct]) -> list[Struct]:
    return sorted(structs, key=lambda s: s.bits(0, 16))


def _field(s: Struct) -> Field:
    is_group = s.bits(64, 16) == 1
    # A default is stored as its difference to the default's default: discriminantValue is 65535 unless it is in a union.
    discriminant = s.bits(16, 16) ^ NO_DISCRIMINANT
    return Field(s.text(0), None if is_group else Type.read(s.struct(2)), s.bits(32, 32), Value.read(s.struct(3)), bool(s.bits(128, 1)),
                 discriminant != NO_DISCRIMINANT, _annotations(s.list(1)))


def _method(s: Struct) -> Method:
    return Method(s.text(0), s.bits(64, 64), s.bits(128, 64), bool(s.list(4)), _annotations(s.list(1)))


def _node(s: Struct) -> Node:
    kind = s.bits(96, 16)
    full = s.text(0)
    n = Node(s.bits(0, 64), full, full[s.bits(64, 32):], s.bits(128, 64), NODE_KINDS[kind] if kind < len(NODE_KINDS) else "unknown",
             bool(s.bits(288, 1)), _annotations(s.list(2)))
    n.nested = [nested.bits(0, 64) for nested in s.list(1)]
    if n.kind == "struct":
        n.data_words, n.pointers, n.has_union = s.bits(112, 16), s.bits(192, 16), s.bits(240, 16) != 0
        n.fields = [_field(f) for f in _in_code_order(s.list(3))]
    elif n.kind == "enum":
        n.enumerants = [Enumerant(e.text(0), _annotations(e.list(1))) for e in s.list(3)]  # by value
    elif n.kind == "interface":
        n.methods = [_method(m) for m in s.list(3)]  # by ordinal
        n.extends = bool(s.list(4))
    return n


@dataclass(frozen=True)
class Request:
    nodes: dict[int, Node]
    files: list[tuple[int, str]]  # those that were asked for: id and name

    @staticmethod
    def read(data: bytes) -> "Request":
        root = Message(data).root()
        nodes = [_node(s) for s in root.list(0)]
        return Request({n.id: n for n in nodes}, [(f.bits(0, 64), f.text(0)) for f in root.list(1)])
