# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll domains, and what a DOMAIN is in other commands.

A domain knows its number and its program from its start page (monitor/abi/start.h), which it can't write to; so that works whatever has
become of it or of its monitor. A monitor has another page there, and no number.
"""

from dataclasses import dataclass

import gdb

import programs
from command import Command
from machine import Dispatcher, Machine, text
from memory import MAP, type_of

MAGIC = int.from_bytes(b"domstart", "little")
_types: dict[str, gdb.Type] = {}


@dataclass
class Domain:
    """One member of a domain: what its dispatcher, and its start page, say."""

    dispatcher: Dispatcher
    program: str
    start: gdb.Value | None  # None: a monitor, or one that has not got so far

    @property
    def number(self) -> int | None:
        return int(self.start["domain"]) if self.start else None

    @property
    def member(self) -> int:
        return int(self.start["member"]) if self.start else 0

    @property
    def label(self) -> str:
        """Names it in commands, without doubt."""
        return str(self.number) if self.start else f"{self.program}@{self.dispatcher.core.id}"


def domain_of(dispatcher: Dispatcher) -> Domain:
    try:
        start = dispatcher.space.value(MAP["USER_START_PAGE"], _start_type())
    except gdb.MemoryError:
        start = None
    if start is None or int(start["magic"]) != MAGIC:
        return Domain(dispatcher, dispatcher.name, None)
    return Domain(dispatcher, text(start["name"]), start)


def program_of(dispatcher: Dispatcher) -> str:
    return domain_of(dispatcher).program


def _start_type() -> gdb.Type:
    if "start" not in _types:
        with programs.symbols_of("monitor") as there:
            if not there:
                raise gdb.GdbError(f"There are no programs in {programs.directory()}, so there is nothing to know of domains.")
            _types["start"] = type_of("struct domain_start", beside="monitor_here")
    return _types["start"]


def every(machine: Machine) -> list[Domain]:
    found = [domain_of(dispatcher) for dispatcher in machine.dispatchers()]
    return sorted(found, key=lambda domain: (domain.dispatcher.core.id, domain.number or 0))


def named(machine: Machine, name: str) -> Domain:
    """The one that the user means by a number, NAME or NAME@CORE."""
    everyone = every(machine)
    program, at, core = name.partition("@")
    if name.isdigit():
        fits = [domain for domain in everyone if domain.number == int(name)]
    else:
        fits = [domain for domain in everyone if domain.program == program and (not at or str(domain.dispatcher.core.id) == core)]
    if not fits:
        raise gdb.GdbError(f"There is no domain {name}: `atoll domains` lists them.")
    if len(fits) > 1:
        raise gdb.GdbError(f"{name} is several domains: say which one, {' or '.join(domain.label for domain in fits)}.")
    return fits[0]


class Domains(Command):
    """atoll domains: every domain of every core. A domain on several cores has a line for each of its members."""

    def __init__(self):
        super().__init__("domains")

    def run(self, _argument: str) -> None:
        print("domain      core  member  state          memory      program")
        with Machine() as machine:
            for domain in every(machine):
                self._show(domain)

    @staticmethod
    def _show(domain: Domain):
        if domain.start is None:
            member, memory = "-", "-"
        else:
            member = str(domain.member) + (f" of {int(domain.start['span'])}" if domain.member else "")
            memory = f"{int(domain.start['ram_bytes']) >> 10} KiB"
        state = "RUNNING" if domain.dispatcher.runs else domain.dispatcher.state
        print(f"{domain.label:<10}  {domain.dispatcher.core.id:>4}  {member:<6}  {state:<13}  {memory:<10}  {domain.program}")


def commands():
    Domains()
