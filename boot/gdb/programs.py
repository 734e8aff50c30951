# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Symbols of programs. All programs are linked for the same addresses, so only one program's symbols can be loaded at a time.

By itself GDB has those of the domain that runs on the selected core: they are exchanged when the machine stops, and before each prompt.
The commands load what they need and put back what was there. `atoll domain NAME` keeps one program's, so that breakpoints in it
last while the machine runs.
"""

import os
from contextlib import contextmanager

import gdb

import machine
from memory import Physical

_state = {"loaded": None, "kept": False, "stopped": None}


def directory() -> str:
    """Where the programs are: beside the file that the CPU driver's symbols came from."""
    for objfile in gdb.objfiles():
        if objfile.filename and objfile.filename.endswith("cpudriver.elf"):
            return os.path.join(os.path.dirname(objfile.filename), "programs")
    return os.path.join("build", "programs")


def names() -> list[str]:
    return sorted(os.listdir(directory())) if os.path.isdir(directory()) else []


def load(name: str | None) -> bool:
    """The symbols of that program, and no other's. False: there is no such program here, and nothing has changed."""
    if name == _state["loaded"]:
        return True
    path = os.path.join(directory(), name) if name else ""
    if name and ("/" in name or not os.path.isfile(path)):
        return False
    if _state["loaded"]:
        _forget_inlined()
        gdb.execute(f"remove-symbol-file '{os.path.join(directory(), _state['loaded'])}'", to_string=True)
        _state["loaded"] = None
    if name:
        gdb.execute(f"add-symbol-file '{path}'", to_string=True)
        _state["loaded"] = name
    return True


def _forget_inlined() -> None:
    """Of the core that stopped GDB keeps the inlined functions at whose very beginning it is, as symbols, and would use them when they are
    gone; GDB 13 ends then with an internal error. It drops them if the program counter is another one when it looks."""
    stopped, selected = _state["stopped"], gdb.selected_thread()
    if stopped is None or not stopped.is_valid():
        return
    try:
        stopped.switch()
        here = int(gdb.parse_and_eval("$pc")) & machine.WORD
        for counter in (here ^ 1, here):
            gdb.execute(f"set var $pc = {counter:#x}", to_string=True)
            gdb.newest_frame().type()
    finally:
        if selected is not None:
            selected.switch()


@contextmanager
def symbols_of(name: str):
    """Yields whether they are there."""
    before = _state["loaded"]
    try:
        yield load(name)
    finally:
        load(before)


def place(address: int) -> str:
    """The function that it is in, as far as symbols are loaded."""
    symbol = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return f"{address:#x}" if symbol.startswith("No symbol") else symbol.partition(" in section")[0]


def follow(*_event) -> None:
    """Loads the symbols of whoever runs on the selected core, unless the user has chosen."""
    import domains  # Here, because it uses this module.

    _state["stopped"] = _state["stopped"] or gdb.selected_thread()
    if _state["kept"]:
        return
    try:
        thread, frame = gdb.selected_thread(), gdb.selected_frame()
        core = machine.core_of(thread) if thread else None
        frame.select()
        if core and core.value is not None and int(core.value["current"]):
            dispatcher = machine.dispatcher_of(Physical(), core, core.value["current"])
            load(domains.program_of(dispatcher))
    except gdb.error:
        pass  # the machine is gone, or too early for that


class Domain(gdb.Command):
    """atoll domain NAME: keeps the symbols of a program, such as init or monitor. atoll domain auto: of whoever runs."""

    def __init__(self):
        super().__init__("atoll domain", gdb.COMMAND_FILES)

    def complete(self, _text: str, word: str):
        return [name for name in ["auto", *names()] if name.startswith(word)]

    def invoke(self, argument: str, _from_tty: bool):
        name = argument.strip()
        if not name:
            raise gdb.GdbError("atoll domain NAME: which program?")
        if name == "auto":
            _state["kept"] = False
            follow()
            return
        if not load(name):
            raise gdb.GdbError(f"atoll domain: there is no program {name} in {directory()}")
        _state["kept"] = True


def _stopped(_event) -> None:
    _state["stopped"] = gdb.selected_thread()
    follow()


def commands():
    Domain()
    gdb.events.stop.connect(_stopped)
    gdb.events.before_prompt.connect(follow)
