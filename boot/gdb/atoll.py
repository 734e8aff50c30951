# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""GDB commands for Atoll, on a machine that runs (`make gdb`), that is replayed (`make replay`), or that has failed (`make postmortem`).

    atoll cores          every core: its state, and who runs on it
    atoll domains        every domain of every core, by its number and program
    atoll dispatchers    the same with the registers that each will go on with
    atoll threads        the user-level threads of every domain, or of one: atoll threads DOMAIN
    atoll caps DOMAIN    the capabilities of a domain
    atoll channels       every channel's two ends: what is under way, who sleeps, what is broken
    atoll agreement      shared objects and their holders, operations under way, on each core
    atoll bt WHERE       a backtrace: of a core (2), of a thread (shell.1), of a domain's current thread (shell)
    atoll wrote WHAT     in a replay: back to the instruction that wrote last to a variable, or to *(long *)ADDRESS
    atoll last NUMBER    where a replay stops, so that it can go back from there
    atoll domain NAME    keeps the symbols of a program, for breakpoints; `atoll domain auto`: of whoever runs

A DOMAIN is a number as the shell's `ps` says it, a program's name if it runs only once, or NAME@CORE. A thread is DOMAIN.NUMBER.

GDB's threads are the cores. All cores have `struct core core` at the same virtual address over memory of their own, so the commands look
at it from each core's point of view; everything else is read by physical address (memory.py), so it does not matter which domain happens
to run. All programs are linked for the same addresses, so GDB has the symbols of one of them at a time (programs.py).
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gdb  # noqa: E402

import agreement  # noqa: E402
import backtrace  # noqa: E402
import capabilities  # noqa: E402
import channels  # noqa: E402
import cores  # noqa: E402
import domains  # noqa: E402
import last  # noqa: E402
import programs  # noqa: E402
import stacks  # noqa: E402
import threads  # noqa: E402
import wrote  # noqa: E402


class Atoll(gdb.Command):
    """Commands that know Atoll: `help atoll` lists them."""

    def __init__(self):
        super().__init__("atoll", gdb.COMMAND_STATUS, prefix=True)


Atoll()
# GDB would remember what it has read at an address for another core, where something else is.
for cache in ("stack-cache", "code-cache"):
    gdb.execute(f"set {cache} off")
gdb.execute("set max-value-size unlimited")  # what a monitor knows is one large structure
for module in (cores, domains, threads, capabilities, channels, agreement, backtrace, last, wrote, stacks, programs):
    module.commands()
