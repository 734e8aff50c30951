# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll last NUMBER: a replay stops at that instruction, each time that it comes there. `make replay` says so of one near the end.

At its very end QEMU could not go back any more. Its own breakpoint for instruction numbers lasts until it stops, wherever that is, so it is
set again at each stop; of one that is over it says so, and the replay goes on to its end.
"""

import re

import gdb


def instruction() -> int | None:
    """How many instructions of the recording have been replayed; None: this is no replay."""
    try:
        said = gdb.execute("monitor info replay", to_string=True)
    except gdb.error:
        return None  # the machine is gone, or is no emulator
    found = re.search(r"instruction count = (\d+)", said)
    return int(found[1]) if found else None


class Last(gdb.Command):
    """atoll last NUMBER: where a replay stops, so that it can go back from there."""

    def __init__(self):
        super().__init__("atoll last", gdb.COMMAND_RUNNING)
        self._number: int | None = None

    def invoke(self, argument: str, _from_tty: bool):
        if not argument.strip().isdigit():
            raise gdb.GdbError("atoll last NUMBER: at which instruction?")
        if self._number is None:
            gdb.events.stop.connect(self._stopped)
        self._number = int(argument)
        self._set()

    def _stopped(self, event) -> None:
        if isinstance(event, gdb.SignalEvent) and event.stop_signal == "SIGQUIT":
            print("The recording is at its very end, from which QEMU can't go back: `make replay` begins anew.")
            return
        if isinstance(event, gdb.SignalEvent) and instruction() == self._number:
            print("The recording ends shortly behind this; `continue` would go to where there is no way back.")
        self._set()

    def _set(self) -> None:
        try:
            gdb.execute(f"monitor replay_break {self._number}", to_string=True)
        except gdb.error:
            pass  # the machine is gone


def commands():
    Last()
