# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What is to be generated: the compiler's request in terms of C, after everything that stubs don't support has been refused.

A refusal is a `Problem`: the file, the line and a sentence. All of a file's problems are found before any is reported.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import locate
from schema import Field, Method, Node, Request, Value, WIDTH

# libos/interfaces/atoll.capnp, by name.
ANNOTATIONS = ("version", "oneway", "idempotent", "stream", "cap", "bulk", "errors", "sentence")
CAPABILITY_TYPES = ("STUB_ANY_CAPABILITY", "CAP_RAM", "CAP_Frame", "CAP_DeviceFrame")
STREAM_RESULT = 0x995F9A3377C0B16E  # /usr/include/capnp/stream.capnp: what `-> stream` means
LINE_WORDS = 6      # libos/include/atoll/stubs.h: STUB_LINE_WORDS
REGISTER_WORDS = 3  # STUB_REGISTER_WORDS
MESSAGE_WORDS = 83  # STUB_MESSAGE_WORDS
METHODS_MOST = 256
LIST_SIZES = {8: "WIRE_BYTE", 16: "WIRE_TWO_BYTES", 32: "WIRE_FOUR_BYTES", 64: "WIRE_EIGHT_BYTES"}
C_WORDS = frozenset("""auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool true false asm""".split())


@dataclass(frozen=True, order=True)
class Problem:
    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: error: {self.sentence}"


def snake(name: str) -> str:
    """camelCase and CamelCase to snake_case, also with abbreviations: readIOPort is read_io_port."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def member_name(name: str) -> str:
    name = snake(name)
    return name + "_" if name in C_WORDS else name


# ---- C ----------------------------------------------------------------------------------------------------------------

@dataclass
class Member:
    """A field of a struct. `role`: number, float, bool, enum, cap, bulk (in the data section), text, data, list, struct (pointers)."""
    name: str
    role: str
    c_type: str
    width: int = 0         # bits in the data section
    offset: int = 0        # first bit there, or the pointer's number
    default: int = 0       # its bits
    signed: bool = False
    text: bytes | None = None     # a text's default
    list_size: str = ""
    struct: "StructType | None" = None
    cap: tuple[str, str, bool] | None = None  # type, rights, whether it moves

    @property
    def is_pointer(self) -> bool:
        return self.role in ("text", "data", "list", "struct")


@dataclass
class StructType:
    name: str
    what: str  # for a comment
    data_words: int
    pointers: int
    members: list[Member] = field(default_factory=list)

    @property
    def carried(self) -> list[Member]:
        """Members that the run-time part has to do something for."""
        return [m for m in self.members if m.role in ("cap", "bulk")]

    @property
    def has_caps(self) -> bool:
        return any(m.role == "cap" for m in self.members)

    @property
    def is_flat(self) -> bool:
        """Whether as a message of its own it needs more than one line of bare data."""
        return self.pointers > 0 or self.data_words > LINE_WORDS


@dataclass
class EnumType:
    name: str
    what: str
    values: list[tuple[str, int]]
    errors: list[tuple[int, str]] | None = None  # value and sentence


@dataclass
class MethodType:
    name: str
    ordinal: int
    what: str
    kind: str  # call, oneway, stream (results), upstream (params)
    params: StructType
    results: StructType
    idempotent: bool

    @property
    def is_fast(self) -> bool:
        """In registers, both ways."""
        return (self.kind == "call" and not self.params.is_flat and not self.results.is_flat and not self.params.has_caps
                and not self.results.has_caps and self.params.data_words <= REGISTER_WORDS and self.results.data_words <= REGISTER_WORDS)


@dataclass
class InterfaceType:
    name: str
    what: str
    id: int
    version: int
    methods: list[MethodType] = field(default_factory=list)

    @property
    def tag(self) -> int:
        """Eight bits of the identifier, for every message."""
        tag = 0
        for byte in self.id.to_bytes(8, "little"):
            tag ^= byte
        return tag


@dataclass
class Unit:
    """All that one file declares, each struct behind those that it contains."""
    file: str
    enums: list[EnumType] = field(default_factory=list)
    structs: list[StructType] = field(default_factory=list)
    interfaces: list[InterfaceType] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)


# ---- From the request -------------------------------------------------------------------------------------------------

class Builder:
    def __init__(self, request: Request, file_id: int, file: str):
        self.request, self.file_id, self.file = request, file_id, file
        self.unit = Unit(file)
        self.problems: list[Problem] = []
        self.lines = locate.lines(Path(file).read_text(encoding="utf-8"))
        self.annotation = {name: self._annotation_id(name) for name in ANNOTATIONS}
        self.structs: dict[int, StructType] = {}
        self.open: list[int] = []  # structs under way, to find one that contains itself

    def build(self) -> Unit:
        for node in self._declared(self.request.nodes[self.file_id]):
            if node.is_generic:
                self._refuse(self._path(node), f"{node.name} is generic: stubs have one type each")
            elif node.kind == "enum":
                self._enum(node)
            elif node.kind == "struct":
                self._struct(node.id, self._path(node))
            elif node.kind == "interface":
                self._interface(node)
        self._no_name_twice()
        return self.unit

    def _declared(self, scope: Node) -> list[Node]:
        found = []
        for identifier in scope.nested:
            node = self.request.nodes.get(identifier)
            if node:
                found += [node, *self._declared(node)]
        return found

    def _refuse(self, path: str, sentence: str) -> None:
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        self.problems.append(Problem(self.file, self.lines.get(path, 1), sentence))

    def _path(self, node: Node) -> str:
        return node.full_name.partition(":")[2]

    def _c_name(self, node: Node) -> str:
        return "_".join(snake(part) for part in self._path(node).split("."))

    def _annotation_id(self, name: str) -> int:
        """0 if the file does not use our annotations at all."""
        return next((n.id for n in self.request.nodes.values()
                     if n.kind == "annotation" and n.name == name and n.full_name.endswith(f"atoll.capnp:{name}")), 0)

    def _said(self, annotations: dict[int, Value], name: str) -> Value | None:
        return annotations.get(self.annotation[name]) if self.annotation[name] else None

    def _no_name_twice(self) -> None:
        """`fooBar` and `FooBar` are two names in the file, but one in C."""
        seen = set()
        for thing in [*self.unit.enums, *self.unit.structs, *self.unit.interfaces]:
            if thing.name in seen:
                self._refuse(thing.what, f"two declarations would both be called {thing.name} in C")
            seen.add(thing.name)

    # ---- Enums ----

    def _enum(self, node: Node) -> None:
        name = self._c_name(node)
        enum = EnumType(name, self._path(node), [(f"{name}_{snake(e.name)}".upper(), i) for i, e in enumerate(node.enumerants)])
        if self._said(node.annotations, "errors") is not None:
            enum.errors = self._errors(node)
        self.unit.enums.append(enum)

    def _errors(self, node: Node) -> list[tuple[int, str]]:
        found = []
        for value, enumerant in enumerate(node.enumerants):
            said = self._said(enumerant.annotations, "sentence")
            if value and said is None:
                self._refuse(f"{self._path(node)}.{enumerant.name}",
                             f"the error {enumerant.name} has no sentence: say $Atoll.sentence(\"...\")")
            elif value:
                found.append((value, said.data.removesuffix(b"\0").decode("utf-8")))
        return found

    # ---- Structs ----

    def _struct(self, identifier: int, path: str, name: str = "", top: bool = False) -> StructType | None:
        """None: refused. `top`: it is a method's parameters or results."""
        node = self.request.nodes[identifier]
        if identifier in self.open:
            self._refuse(path, f"{node.name} contains itself: a message's size would have no bound")
            return None
        if identifier in self.structs:
            struct = self.structs[identifier]
            if struct.carried and not top:
                self._refuse(path, f"{node.name} carries a capability or a buffer: only parameters and results themselves may")
            return struct
        if node.has_union:
            self._refuse(path, f"{node.name} has a union: stubs don't support unions")
            return None
        if node.scope != 0:
            path = self._path(node)
        struct = StructType(name or self._c_name(node), path, node.data_words, node.pointers)
        self.open.append(identifier)
        for f in node.fields:
            member = self._member(f, f"{path}.{f.name}", top)
            if member:
                struct.members.append(member)
        self.open.pop()
        if struct.data_words + struct.pointers + 1 > MESSAGE_WORDS:
            self._refuse(path, f"{node.name} has {struct.data_words + struct.pointers} words, but a message has {MESSAGE_WORDS - 1} at most: "
                               "use a buffer ($Atoll.bulk)")
        self.structs[identifier] = struct
        self.unit.structs.append(struct)
        return struct

    def _member(self, f: Field, path: str, top: bool) -> Member | None:
        name = member_name(f.name)
        if f.type is None:
            self._refuse(path, f"{f.name} is a group: stubs don't support groups")
            return None
        carried = [word for word in ("cap", "bulk") if self._said(f.annotations, word) is not None]
        if carried:
            return self._carried(f, path, name, carried[0], top)
        kind = f.type.kind
        if kind in ("enum", "struct") and self._is_foreign(f, path):
            return None
        if kind in WIDTH and kind != "void":
            return self._scalar(f, name)
        if kind == "text":
            text = None if f.default.is_null else f.default.data.removesuffix(b"\0")
            return Member(name, "text", "struct stub_text", offset=f.offset, text=text)
        if f.has_default and not f.default.is_null:
            self._refuse(path, f"{f.name} has a default value: only numbers, enums and texts may")
            return None
        if kind == "data":
            return Member(name, "data", "struct stub_data", offset=f.offset)
        if kind == "list":
            return self._list(f, path, name)
        if kind == "struct":
            inner = self._struct_of_field(f, path)
            return inner and Member(name, "struct", f"struct {inner.name}", offset=f.offset, struct=inner)
        what = {"void": "has no value", "interface": "is an interface: give a capability ($Atoll.cap)",
                "anyPointer": "may be anything"}.get(kind, f"is of {kind}")
        self._refuse(path, f"{f.name} {what}: stubs don't support that")
        return None

    def _is_foreign(self, f: Field, path: str) -> bool:
        node = self.request.nodes[f.type.id]
        if node.full_name.partition(":")[0] == self.request.nodes[self.file_id].full_name:
            return False
        self._refuse(path, f"{f.name} is of {node.name}, which another file declares: stubs of one file use types of that file")
        return True

    def _struct_of_field(self, f: Field, path: str) -> StructType | None:
        node = self.request.nodes[f.type.id]
        inner = self._struct(f.type.id, path)
        if inner and not node.fields:
            self._refuse(path, f"{f.name} is of {node.name}, which has no fields")
            return None
        return inner

    def _scalar(self, f: Field, name: str) -> Member:
        kind, width = f.type.kind, WIDTH[f.type.kind]
        common = {"width": width, "offset": f.offset * width, "default": f.default.bits}
        if kind == "bool":
            return Member(name, "bool", "bool", **common)
        if kind.startswith("float"):
            return Member(name, "float", "float" if width == 32 else "double", **common)
        if kind == "enum":
            return Member(name, "enum", f"enum {self._c_name(self.request.nodes[f.type.id])}", **common)
        return Member(name, "number", f"{kind}_t", signed=kind.startswith("int"), **common)

    def _list(self, f: Field, path: str, name: str) -> Member | None:
        element = f.type.of.kind
        width = WIDTH.get(element, 0)
        if width < 8 or element == "enum":
            self._refuse(path, f"{f.name} is a list of {element}: stubs support lists of numbers")
            return None
        return Member(name, "list", f"struct stub_list_{element}", offset=f.offset, list_size=LIST_SIZES[width])

    def _carried(self, f: Field, path: str, name: str, word: str, top: bool) -> Member | None:
        wanted = {"cap": "uint32", "bulk": "uint64"}[word]
        if f.type.kind != wanted or f.default.bits:
            self._refuse(path, f"{f.name} has ${word}, so its type must be {wanted.replace('ui', 'UI')}, without a default")
            return None
        if not top:
            self._refuse(path, f"{f.name} has ${word}: only parameters and results themselves may, not what they contain")
            return None
        width = WIDTH[f.type.kind]
        member = Member(name, word, f"struct stub_{word}", width=width, offset=f.offset * width)
        if word == "cap":
            member.cap = self._capability(f, path)
        return member

    def _capability(self, f: Field, path: str) -> tuple[str, str, bool]:
        said = self._said(f.annotations, "cap").struct
        number, move = said.bits(0, 16), bool(said.bits(16, 1))
        rights = said.text(0) if said.pointers and said.text(0) else "rw"
        if set(rights) - set("rwx"):
            self._refuse(path, f"{f.name} has the rights \"{rights}\": they are letters of r, w, x")
            rights = "r"
        bits = " | ".join({"r": "RIGHT_READ", "w": "RIGHT_WRITE", "x": "RIGHT_EXECUTE"}[letter] for letter in rights)
        return CAPABILITY_TYPES[number], bits, move

    # ---- Interfaces ----

    def _interface(self, node: Node) -> None:
        path = self._path(node)
        if node.extends:
            self._refuse(path, f"{node.name} extends another interface: stubs don't support that")
        said = self._said(node.annotations, "version")
        version = 1 if said is None else said.bits
        if version == 0:
            self._refuse(path, f"{node.name} has version 0: versions begin with 1")
        if len(node.methods) > METHODS_MOST:
            self._refuse(path, f"{node.name} has {len(node.methods)} methods, but there may be {METHODS_MOST}")
        if not node.methods:
            self._refuse(path, f"{node.name} has no methods")
        interface = InterfaceType(self._c_name(node), path, node.id, version)
        whole = self._said(node.annotations, "idempotent") is not None
        for ordinal, method in enumerate(node.methods):
            built = self._method(method, ordinal, interface.name, f"{path}.{method.name}", whole)
            if built:
                interface.methods.append(built)
        self.unit.interfaces.append(interface)

    def _method(self, m: Method, ordinal: int, interface: str, path: str, whole: bool) -> MethodType | None:
        name = member_name(m.name)
        if m.is_generic:
            self._refuse(path, f"{m.name} is generic: stubs have one type each")
            return None
        kind = self._kind(m, path)
        params = self._of_method(m.params, f"{interface}_{snake(m.name)}_params", path)
        results = self._of_method(m.results, f"{interface}_{snake(m.name)}_results", path)
        if not params or not results:
            return None
        if kind == "oneway" and results.members:
            self._refuse(path, f"{m.name} is one-way, so it can't have results")
        if kind == "stream" and not results.members:
            self._refuse(path, f"{m.name} is a stream of results, but it has none")
        if kind == "stream" and results.carried:
            self._refuse(path, f"{m.name} is a stream: what it carries may not contain capabilities or buffers")
        said = self._said(m.annotations, "idempotent") is not None
        moves = any(member.cap and member.cap[2] for member in params.carried)
        if said and kind != "call":
            self._refuse(path, f"{m.name} is not a call that waits for its results, so it can't be idempotent")
        if said and moves:
            self._refuse(path, f"{m.name} moves a capability to the server, so it can't be idempotent")
        return MethodType(name, ordinal, m.name, kind, params, results, (said or whole) and kind == "call" and not moves)

    def _kind(self, m: Method, path: str) -> str:
        said = [word for word in ("oneway", "stream") if self._said(m.annotations, word) is not None]
        if m.results == STREAM_RESULT:
            said.append("upstream")
        if len(said) > 1:
            self._refuse(path, f"{m.name} can't be one-way and a stream, nor a stream both ways")
        return said[0] if said else "call"

    def _of_method(self, identifier: int, name: str, path: str) -> StructType | None:
        """The compiler makes a struct of a list of parameters, which has no scope; or the file names one; or it is `stream`."""
        if identifier == STREAM_RESULT:
            return StructType(name, path, 0, 0)
        node = self.request.nodes[identifier]
        if node.scope == 0:
            return self._struct(identifier, path, name, top=True)
        return self._struct(identifier, path, top=True)


def build(request: Request, file_id: int, file: str) -> tuple[Unit, list[Problem]]:
    builder = Builder(request, file_id, file)
    unit = builder.build()
    return unit, sorted(set(builder.problems))
