# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll wrote EXPRESSION: back to the instruction that wrote there last (`make replay`).

GDB's own way is a watchpoint and reverse-continue, but QEMU stops behind the instruction and does not say why it has stopped, so GDB calls
it a SIGTRAP and heeds no condition. Here the machine goes to the instruction itself, and past those of other domains: all programs are
linked for the same addresses, so theirs write elsewhere. What is written by another address of the same memory is not found: a monitor
fills a program's memory by its own mapping, a CPU driver by its window.
"""

from contextlib import contextmanager

import gdb

from command import evaluated
from last import instruction

KERNEL = 1 << 63  # addresses from here on mean the same in all domains of a core


class Wrote(gdb.Command):
    """atoll wrote EXPRESSION: in a replay, back to the instruction that wrote last to what EXPRESSION, such as core.current, is the name of."""

    def __init__(self):
        super().__init__("atoll wrote", gdb.COMMAND_RUNNING)

    def complete(self, text: str, word: str):
        return gdb.COMPLETE_EXPRESSION

    def invoke(self, argument: str, _from_tty: bool):
        address, size = _place(argument)
        if instruction() is None:
            raise gdb.GdbError("atoll wrote: this machine is no replay, and does not go back. `make replay` makes one.")
        space = None if address >= KERNEL else _space()
        with _only_watched(address, size):
            while True:
                gdb.execute("with suppress-cli-notifications on -- reverse-continue", to_string=True)
                if not instruction():
                    raise gdb.GdbError(f"Nothing has written to {argument.strip()} since the recording began.")
                if space in (None, _space()):
                    break
        gdb.execute("reverse-stepi")


def _place(argument: str) -> tuple[int, int]:
    if not argument.strip():
        raise gdb.GdbError("atoll wrote EXPRESSION: to what?")
    value = evaluated(argument)
    if value.address is None:
        raise gdb.GdbError(f"{argument.strip()} is not in memory.")
    return int(value.address) & (1 << 64) - 1, value.type.sizeof


def _space() -> int:
    """The level-4 table of the selected core. Not by its value: CR3 is a set of flags to GDB, and not a number."""
    return int(gdb.execute("info registers cr3", to_string=True).split()[1], 16)


@contextmanager
def _only_watched(address: int, size: int):
    """Nothing else stops the machine."""
    others = [breakpoint for breakpoint in gdb.breakpoints() if breakpoint.enabled]
    for breakpoint in others:
        breakpoint.enabled = False
    watchpoint = gdb.Breakpoint(f"*(char (*)[{size}]) {address:#x}", gdb.BP_WATCHPOINT, gdb.WP_WRITE, internal=True)
    try:
        yield
    finally:
        watchpoint.delete()
        for breakpoint in others:
            if breakpoint.is_valid():
                breakpoint.enabled = True


def commands():
    Wrote()
