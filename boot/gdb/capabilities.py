# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll caps DOMAIN: what a domain may do, read from its CNodes (cpudriver/capability/capability.h)."""

import gdb

import domains
from command import Command
from machine import Machine, name_of
from memory import type_of

SLOTS = 256
LINE = 15 << 60  # LINE_MASK: objects that are no memory lie on lines of their own
RIGHTS = "rwxc"  # RIGHT_READ ... RIGHT_CONTROL, from bit 0 on
FLAGS = ((1, "remote"), (2, "foreign"), (4, "mapped"))  # CAP_FLAG_*
TABLE_ENTRY_COUNT = 48  # `extra` of what is mapped: the entry, and how many of them in the bits above


class Slots:
    """The slots of CNodes, read at once."""

    def __init__(self, machine: Machine):
        self._physical = machine.physical
        self._type = type_of("struct slot")

    def of(self, base: int):
        """(index, slot) of those that are not empty."""
        offset = next(field.bitpos // 8 for field in self._type.fields() if field.name == "type")
        content, size = self._physical.read(base, SLOTS * self._type.sizeof), self._type.sizeof
        for index in range(SLOTS):
            if content[index * size + offset]:
                yield index, gdb.Value(content[index * size:(index + 1) * size], self._type)


def rights(mask: int) -> str:
    return "".join(letter if mask >> bit & 1 else "-" for bit, letter in enumerate(RIGHTS))


def kind(slot: gdb.Value) -> str:
    """Also of what is being taken apart, whose types user space doesn't see."""
    number, names = int(slot["type"]), type_of("enum cap_type").fields()
    return name_of("enum cap_type", number) if any(field.enumval == number for field in names if field.name != "CAP_TYPES") else "(ending)"


def where(slot: gdb.Value) -> str:
    """The object, and how this copy is used."""
    base, extra, what = int(slot["base"]), int(slot["extra"]), kind(slot)
    use = ""
    if int(slot["flags"]) & 4:
        use = f"  in the table at {(extra & (1 << TABLE_ENTRY_COUNT) - 1) & -4096:#x}"
    elif extra and what == "Endpoint":
        use = f"  badge {extra:#x}"
    return f"{base & ~LINE if base & LINE else base:#014x}  {int(slot['size']):#12x}{use}"


class Capabilities(Command):
    """atoll caps DOMAIN: its capabilities: address (slot of the root CNode, slot), type, object, rights."""

    def __init__(self):
        super().__init__("caps")

    def run(self, argument: str) -> None:
        if not argument:
            raise gdb.GdbError("atoll caps DOMAIN: of which domain?")
        with Machine() as machine:
            self._show(machine, domains.named(machine, argument))

    @staticmethod
    def _show(machine: Machine, domain: domains.Domain):
        root = domain.dispatcher.value["root_cnode"]
        if not int(root["type"]):
            raise gdb.GdbError(f"{domain.label} has no capability space.")
        slots, count = Slots(machine), 0
        print("address  type         rights  owner  object          size          flags")
        for outer, cnode in slots.of(int(root["base"])):
            if kind(cnode) != "CNode" or (outer and int(cnode["base"]) == int(root["base"])):
                continue
            for inner, slot in slots.of(int(cnode["base"])):
                flags = " ".join(name for bit, name in FLAGS if int(slot["flags"]) & bit)
                print(f"{outer:>3}/{inner:<3}  {kind(slot):<11}  {rights(int(slot['rights'])):<6}  {int(slot['owner']):>5}  {where(slot)}"
                      f"{'  ' + flags if flags else ''}")
                count += 1
        print(f"{domain.label} ({domain.program}) has {count} capabilities.")


def commands():
    Capabilities()
