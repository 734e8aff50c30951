# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What our commands have in common. The machine may have stopped anywhere, also amid a change: what then points nowhere is a sentence."""

import gdb


class Command(gdb.Command):
    """`atoll NAME`; the class's own documentation is what `help` says."""

    def __init__(self, name: str, kind: int = gdb.COMMAND_STATUS):
        super().__init__(f"atoll {name}", kind)
        self.name = name

    def invoke(self, argument: str, _from_tty: bool):
        try:
            self.run(argument.strip())
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"atoll {self.name}: what it looks at is damaged, or is just being changed: {error}") from None

    def run(self, argument: str) -> None:
        raise NotImplementedError


def evaluated(expression: str) -> gdb.Value:
    """What the user has written, in the frame that he has selected."""
    return _said(lambda: gdb.parse_and_eval(expression))


def executed(command: str) -> None:
    _said(lambda: gdb.execute(command))


def _said(action):
    """GDB's own refusal is for the user as it is; else GDB would call it an error in Python."""
    try:
        return action()
    except gdb.error as error:
        raise gdb.GdbError(str(error)) from None
