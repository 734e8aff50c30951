# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Each core's monitor, and all that it knows (monitor/monitor.h)."""

from contextlib import contextmanager

import gdb

import domains
import programs
from domains import Domain
from machine import Machine


@contextmanager
def every(machine: Machine):
    """A list of (domain, struct monitor) of each that has begun; their symbols are loaded while the caller looks at it."""
    with programs.symbols_of("monitor") as there:
        if not there:
            raise gdb.GdbError(f"There is no program monitor in {programs.directory()}, so there is nothing to know of monitors.")
        monitors = [domain for domain in domains.every(machine) if domain.start is None and domain.program == "monitor"]
        found = [(domain, _of(domain)) for domain in monitors]
        yield [(domain, monitor) for domain, monitor in found if monitor is not None]


def _of(domain: Domain) -> gdb.Value | None:
    space = domain.dispatcher.space
    try:
        pointer = space.symbol("monitor_here")
        return space.as_touched(pointer) if int(pointer) else None
    except gdb.MemoryError:
        return None


def items(array: gdb.Value, count: int | None = None):
    """(index, element) of an array."""
    last = array.type.range()[1] if count is None else count - 1
    return ((index, array[index]) for index in range(last + 1))


def cores_of(core_set: gdb.Value, most: int) -> str:
    """`0-3 7`: the cores of a struct core_set."""
    words = core_set[core_set.type.fields()[0]]
    inside = [core for core in range(most) if int(words[core // 64]) >> core % 64 & 1]
    runs: list[list[int]] = []
    for core in inside:
        if runs and runs[-1][1] == core - 1:
            runs[-1][1] = core
        else:
            runs.append([core, core])
    return " ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs) or "none"
