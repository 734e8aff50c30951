# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll threads: the user-level threads of a domain, which no CPU driver knows of (libos/thread/thread.h).

One that is not running was interrupted, and its registers are kept, or it has switched by itself, and what a function call keeps lies on
its stack. The one that ran last is where the domain's dispatcher is.
"""

from dataclasses import dataclass

import gdb

import domains
import programs
from command import Command
from domains import Domain
from machine import Machine
from memory import Space, chain

NUMBER_BITS = 24  # THREAD_NUMBER_BITS in libos/thread/thread.h: of a number, below the member where the thread began
# What SAVE_CALLEE (libos/upcall/save.h) pushes, the last one first; the return address is above them.
SAVED = ("r15", "r14", "r13", "r12", "rbx", "rbp")
# What GDB needs to walk up a stack.
WALKED = (*SAVED, "rip", "rsp")


@dataclass
class Thread:
    domain: Domain
    value: gdb.Value
    current: bool  # the one that ran last
    address: int

    @property
    def label(self) -> str:
        number, birth = int(self.value["number"]), int(self.value["birth"])
        low = str(number & (1 << NUMBER_BITS) - 1)
        return low if birth == self.domain.member else f"{low}@{birth}"

    def state(self, idle: bool) -> str:
        flags = [name for name in ("lost", "ended", "ready", "waiting") if int(self.value[name])]
        if int(self.value["away"]):
            return f"at member {int(self.value['away']) - 1}"
        if "ended" in flags and int(self.value["spare"]):
            return "spare"
        if self.current and not idle and "ended" not in flags:
            return "runs" if self.domain.dispatcher.runs else "ran last"
        if "waiting" in flags and int(self.value["sleeper"]["asleep"]):
            return "sleeps"
        return {"lost": "lost", "ended": "ended", "ready": "ready", "waiting": "waits"}.get(flags[0] if flags else "", "?")

    def registers(self) -> dict[str, int] | None:
        """Those that a backtrace needs. None: it has no stack, as it is just being made."""
        if self.current:
            known = self.domain.dispatcher.goes_on()[1]
        elif int(self.value["interrupted"]):
            known = {name: int(self.value["frame"][name]) for name in WALKED}
        else:
            known = self._saved(self.domain.dispatcher.space, int(self.value["sp"]))
            if known is None:
                return None
        return {name: known.get(name, 0) for name in WALKED}

    @staticmethod
    def _saved(space: Space, sp: int) -> dict[str, int] | None:
        try:
            known = {name: space.word(sp + 8 * i) for i, name in enumerate(SAVED)}
            return known | {"rip": space.word(sp + 8 * len(SAVED)), "rsp": sp + 8 * (len(SAVED) + 1)}
        except gdb.MemoryError:
            return None


def of(domain: Domain) -> list[Thread]:
    """In the order in which they began. The program's symbols are loaded."""
    space = domain.dispatcher.space
    try:
        current = int(space.symbol("thread_current"))
        left = bool(int(space.symbol("threads_left")))
        found = [Thread(domain, value, int(pointer) == current and not left, int(pointer))
                 for pointer, value in chain(space.symbol("threads_known"), space.at, "known_next") if int(value["number"])]
    except gdb.MemoryError:
        raise gdb.GdbError(f"The threads of {domain.label} can't be listed: its library OS has not begun, or what it knows is damaged.") from None
    return sorted(found, key=lambda thread: int(thread.value["number"]))


def is_idle(domain: Domain) -> bool:
    return bool(int(domain.dispatcher.space.symbol("threads_idle")))


def named(domain: Domain, name: str) -> Thread:
    """NUMBER or NUMBER@MEMBER; an empty name is the one that ran last."""
    everyone = of(domain)
    fits = [thread for thread in everyone if (thread.label == name if name else thread.current)]
    if not fits:
        labels = ", ".join(thread.label for thread in everyone)
        raise gdb.GdbError(f"There is no thread {name or 'that ran last'} in {domain.label}: its threads are {labels or 'none'}.")
    return fits[0]


class Threads(Command):
    """atoll threads [DOMAIN]: user-level threads, of all domains or of one."""

    def __init__(self):
        super().__init__("threads")

    def run(self, argument: str) -> None:
        with Machine() as machine:
            wanted = [domains.named(machine, argument)] if argument else domains.every(machine)
            print("thread          core  state       priority  goes on at")
            for domain in wanted:
                with programs.symbols_of(domain.program) as there:
                    if there:
                        self._show(domain)
                    else:
                        print(f"{domain.label}: there are no symbols of {domain.program} in {programs.directory()}")

    @staticmethod
    def _show(domain: Domain):
        try:
            everyone, idle = of(domain), is_idle(domain)
        except gdb.GdbError as error:
            print(error)
            return
        for thread in everyone:
            label = f"{domain.label}.{thread.label}"
            registers = thread.registers()
            place = programs.place(registers["rip"]) if registers else "nowhere, it has no stack"
            print(f"{label:<14}  {domain.dispatcher.core.id:>4}  {thread.state(idle):<10}  {int(thread.value['run']['priority']):>8}  "
                  f"{place}  ({domain.program})")


def commands():
    Threads()
