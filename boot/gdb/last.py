# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll last NUMBER: a replay stops at that instruction, each time that it comes there. `make replay` says so of one near the end.

At its very end QEMU could not go back any more. Its own breakpoint for instruction numbers lasts until it stops, wherever that is, so it is
set again at each stop; of one that is over it says so, and the replay goes on to its end.
"""

import gdb


class Last(gdb.Command):
    """atoll last NUMBER: where a replay stops, so that it can go back from there."""

    def __init__(self):
        super().__init__("atoll last", gdb.COMMAND_RUNNING)
        self._number: int | None = None

    def invoke(self, argument: str, _from_tty: bool):
        if not argument.strip().isdigit():
            raise gdb.GdbError("atoll last NUMBER: at which instruction?")
        if self._number is None:
            gdb.events.stop.connect(self._set)
        self._number = int(argument)
        self._set()

    def _set(self, _event=None) -> None:
        try:
            gdb.execute(f"monitor replay_break {self._number}", to_string=True)
        except gdb.error:
            pass  # the machine is gone


def commands():
    Last()
