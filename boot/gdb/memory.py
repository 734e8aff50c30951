# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Memory: physical, through the window that every core has on it, and of any address space, by walking its page tables.

GDB itself sees virtual memory as the selected core maps it right now. The window (cpudriver/abi/memory_map.h) is the same on all cores
that have started, so one of them stays selected while a command looks around.
"""

import re
from pathlib import Path

import gdb

from paging import PAGE, pieces, translate


def memory_map() -> dict[str, int]:
    """The plain numbers of the one header that has them."""
    header = Path(__file__).resolve().parents[2] / "cpudriver/abi/memory_map.h"
    found = re.findall(r"^#define (\w+) +(0x[0-9a-f]+)", header.read_text(encoding="utf-8"), re.M)
    return {name: int(value, 16) for name, value in found}


MAP = memory_map()
WINDOW = MAP["WINDOW_BASE"]


def _symbol(name: str, file: str = "") -> gdb.Symbol:
    for symbols in ((gdb.lookup_global_symbol(name),), gdb.lookup_static_symbols(name)):
        for symbol in symbols:
            if symbol is not None and symbol.symtab.filename.endswith(file):
                return symbol
    raise gdb.GdbError(f"There is no variable {name}{' in ' + file if file else ''} among the symbols that are loaded.")


def variable(name: str, file: str = "") -> gdb.Value:
    """A variable outside functions, whatever the function that the selected core is in calls by the same name. `file`: the one that has it."""
    return _symbol(name, file).value()


def type_of(name: str, beside: str = "core") -> gdb.Type:
    """A type as the source file knows it that has the variable `beside`: a program may call another one by the same name."""
    return gdb.lookup_type(name, _symbol(beside).symtab.static_block())


def chain(first: gdb.Value, at, link: str):
    """(pointer, value) of each of a list; `at` follows a pointer. A list that bites its own tail, as memory is damaged, ends there."""
    seen, pointer = {0}, first
    while int(pointer) not in seen:
        seen.add(int(pointer))
        value = at(pointer)
        yield pointer, value
        pointer = value[link]


class Physical:
    """Physical memory as it is while the machine stands still, whole pages at a time."""

    def __init__(self):
        self._pages: dict[int, bytes] = {}

    def read(self, address: int, count: int) -> bytes:
        parts = []
        for start, length in pieces(address, count):
            offset = start % PAGE
            parts.append(self._page(start - offset)[offset:offset + length])
        return b"".join(parts)

    def _page(self, address: int) -> bytes:
        if address >= MAP["WINDOW_BYTES"]:  # as a damaged table may say
            raise gdb.MemoryError(f"There is no physical memory at {address:#x}.")
        if address not in self._pages:
            self._pages[address] = bytes(gdb.selected_inferior().read_memory(WINDOW + address, PAGE))
        return self._pages[address]

    def value(self, address: int, kind: gdb.Type) -> gdb.Value:
        return gdb.Value(self.read(address, kind.sizeof), kind)

    def at(self, pointer: gdb.Value) -> gdb.Value:
        """What a pointer of a CPU driver into the window points to."""
        return self.value(int(pointer) - WINDOW, pointer.type.strip_typedefs().target())


class Space:
    """The address space with that level-4 table. What is not mapped is a gdb.MemoryError."""

    def __init__(self, physical: Physical, root: int):
        self._physical, self.root = physical, root

    def read(self, address: int, count: int) -> bytes:
        return b"".join(self._physical.read(self._translate(start), length) for start, length in pieces(address, count))

    def _translate(self, address: int) -> int:
        found = translate(self._physical.read, self.root, address) if self.root else None
        if found is None:
            raise gdb.MemoryError(f"Nothing is mapped at {address:#x}.")
        return found

    def value(self, address: int, kind: gdb.Type) -> gdb.Value:
        return gdb.Value(self.read(address, kind.sizeof), kind)

    def at(self, pointer: gdb.Value) -> gdb.Value:
        """What a pointer of the domain points to."""
        return self.value(int(pointer), pointer.type.strip_typedefs().target())

    def as_touched(self, pointer: gdb.Value) -> gdb.Value:
        """The same; pages that the domain has never touched, and which therefore are not there yet, are zero."""
        kind = pointer.type.strip_typedefs().target()
        parts = []
        for start, length in pieces(int(pointer), kind.sizeof):
            at = translate(self._physical.read, self.root, start)
            parts.append(bytes(length) if at is None else self._physical.read(at, length))
        return gdb.Value(b"".join(parts), kind)

    def symbol(self, name: str, file: str = "") -> gdb.Value:
        """A variable of the program whose symbols are loaded."""
        found = variable(name, file)
        return self.value(int(found.address), found.type)

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 8), "little")
