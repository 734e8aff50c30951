# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll cores, atoll dispatchers: what the CPU drivers know."""

import programs
from command import Command
from machine import Core, Dispatcher, Machine, dispatcher_of


class Cores(Command):
    """atoll cores: what each core does."""

    def __init__(self):
        super().__init__("cores")

    def run(self, _argument: str) -> None:
        print("thread  core   APIC  node  dispatchers  where           runs        at")
        with Machine() as machine:
            for core in machine.cores:
                self._show(machine, core)

    @staticmethod
    def _show(machine: Machine, core: Core):
        if core.value is None:
            print(f"{core.thread.num:>6}     -      -     -            -  not started     -")
            return
        current = core.value["current"]
        runs = dispatcher_of(machine.physical, core, current).name or "(no name)" if int(current) else "nothing"
        where = "CPU driver" if core.in_kernel else "user space"
        print(f"{core.thread.num:>6}  {core.id:>4}  {core.apic:>5}  {core.node:>4}  {int(core.value['dispatcher_count']):>11}  {where:<14}  "
              f"{runs:<10}  {programs.place(core.pc) if core.in_kernel else hex(core.pc)}")


class Dispatchers(Command):
    """atoll dispatchers: every dispatcher of every core, and the registers that it will go on with."""

    def __init__(self):
        super().__init__("dispatchers")

    def run(self, _argument: str) -> None:
        print("core  name      state          goes on with  RIP                 RSP                 level-4 table")
        with Machine() as machine:
            for dispatcher in machine.dispatchers():
                self._show(dispatcher)

    @staticmethod
    def _show(dispatcher: Dispatcher):
        how, registers = dispatcher.goes_on()
        print(f"{dispatcher.core.id:>4}  {dispatcher.name or '(no name)':<8}  {dispatcher.state:<13}  {how:<12}  "
              f"0x{registers['rip']:016x}  0x{registers['rsp']:016x}  0x{dispatcher.space.root:x}")


def commands():
    Cores()
    Dispatchers()
