# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Each virtual core on a core of the host that it keeps.

Otherwise the host's scheduler likes to put a virtual core that is woken where the one that woke it runs, and that one waits until the
other sleeps again: what should take place at the same time takes turns, in some runs and not in others. QEMU says over its machine
protocol which thread is which virtual core; to say where one's own threads run needs no privilege.
"""

import os
import threading
from pathlib import Path

from qmp import Qmp

SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def plan(cores: int) -> list[int] | None:
    """The host's processor for each virtual core; None: there are not enough of them."""
    allowed = sorted(os.sched_getaffinity(0))
    if cores > len(allowed):
        return None
    # Two threads of one core share what it can do, so each core's first thread comes before any second one.
    rank: dict[str, int] = {}
    order = []
    for processor in allowed:
        core = _siblings(processor)
        rank[core] = rank.get(core, -1) + 1
        order.append((rank[core], processor))
    return [processor for _, processor in sorted(order)[:cores]]


def _siblings(processor: int) -> str:
    try:
        return Path(SIBLINGS.format(processor)).read_text(encoding="ascii")
    except OSError:
        return str(processor)


def begin(path: Path, processors: list[int], on_failure) -> None:
    """Pins the virtual cores as soon as QEMU answers, beside everything else. What goes wrong is said in a sentence to `on_failure`:
    such a run is not a failed one."""
    def work():
        try:
            with Qmp(path) as qemu:
                for core in qemu.ask("query-cpus-fast"):
                    os.sched_setaffinity(core["thread-id"], {processors[core["cpu-index"]]})
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            on_failure(f"The virtual cores are not pinned: {error}.")
    threading.Thread(target=work, daemon=True).start()
