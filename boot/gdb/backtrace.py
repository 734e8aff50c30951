# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll bt: a backtrace of whatever has a stack.

GDB walks up the stack of the selected core. For a thread that does not run, a core is lent its registers and its page tables for as
long as that takes; the machine stands still meanwhile and gets everything back.
"""

from contextlib import contextmanager

import gdb

import domains
import programs
import threads
from command import Command, executed
from domains import Domain
from machine import WORD, Core, Machine
from memory import Space


class Backtrace(Command):
    """atoll bt CORE|THREAD [what `backtrace` understands]: of a core (2), a thread (shell.1), or the thread of a domain that ran last."""

    def __init__(self):
        super().__init__("bt", gdb.COMMAND_STACK)

    def run(self, argument: str) -> None:
        where, _, options = argument.partition(" ")
        if not where:
            raise gdb.GdbError("atoll bt CORE|THREAD: of what?")
        with Machine() as machine:
            if where.isdigit():
                self._core(machine, machine.core(int(where)), options)
            else:
                self._thread(machine, where, options)

    @staticmethod
    def _core(machine: Machine, core: Core, options: str):
        running = [domain for domain in domains.every(machine) if domain.dispatcher.core is core and domain.dispatcher.runs]
        core.thread.switch()
        if running:
            _running(running[0], options)
        else:
            executed(f"backtrace {options}")

    @staticmethod
    def _thread(machine: Machine, where: str, options: str):
        domain_name, _, thread_name = where.partition(".")
        domain = domains.named(machine, domain_name)
        with programs.symbols_of(domain.program) as there:
            if not there:
                raise gdb.GdbError(f"atoll bt: there are no symbols of {domain.program} in {programs.directory()}")
            thread = threads.named(domain, thread_name)
            if thread.current and domain.dispatcher.runs:
                domain.dispatcher.core.thread.switch()
                _running(domain, options)
            else:
                registers = thread.registers()
                if registers is None:
                    raise gdb.GdbError(f"{domain.label}.{thread.label} has no stack: it is just being made.")
                with lent(domain.dispatcher.core, registers, domain.dispatcher.space):
                    executed(f"backtrace {options}")


def _running(domain: Domain, options: str) -> None:
    """The selected core runs it. If it is in a call, its registers are not on the CPU driver's stack: this has two parts then."""
    with programs.symbols_of(domain.program):
        executed(f"backtrace {options}")
        oldest = gdb.newest_frame()
        while oldest.older():
            oldest = oldest.older()
        if not oldest.pc() >> 63:
            return
        kept = {name: int(oldest.read_register(name)) & WORD for name in threads.SAVED}
        print(f"Called by {domain.program}:")
        with lent(domain.dispatcher.core, kept | domain.dispatcher.goes_on()[1], domain.dispatcher.space):
            executed(f"backtrace {options}")


@contextmanager
def lent(core: Core, registers: dict[str, int], space: Space):
    """The core looks as if it ran there."""
    core.thread.switch()
    values = {"cr3": space.root, **registers}
    before = {name: _register(name) for name in values}
    try:
        _load(values)
        yield
    finally:
        core.thread.switch()
        _load(before)


def _register(name: str) -> int:
    # Not by its value: CR3 is a set of flags to GDB, and not a number.
    return int(gdb.execute(f"info registers {name}", to_string=True).split()[1], 16)


def _load(values: dict[str, int]) -> None:
    for name, value in values.items():
        kind = gdb.parse_and_eval(f"${name}").type
        gdb.set_convenience_variable("atoll_register", gdb.Value(value.to_bytes(kind.sizeof, "little"), kind))
        gdb.execute(f"set var ${name} = $atoll_register", to_string=True)


def commands():
    Backtrace()
