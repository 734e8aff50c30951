# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What the suite measures: families of benchmarks, and the three lenses that they are seen through."""

from dataclasses import dataclass

LENSES = ("elapsed", "icount", "host")  # as LENS says them
NAME_IN_FACTS = {"elapsed": "elapsed", "icount": "instructions", "host": "host"}

CAVEATS = {
    "elapsed": "Cycles of the time-stamp counter under an emulator that shares the host's cores among the virtual ones: compare ratios "
               "within one run. With more cores than the host has, the host's scheduler is measured too. A switch between address "
               "spaces is dearer than on hardware.",
    "instructions": "Instructions of all cores together, counted by the emulator, which runs one core at a time: the length of a path, "
                    "not its time. The same image gives the same number, to the last digit. Whoever polls is not measured here.",
    "model": "Computed, not measured: from the rules by which messages spread, and from what each message costs on such a machine.",
    "host": "Measured on bare threads of the host, without an emulator and without Atoll's kernel: only the channel code itself.",
}


@dataclass(frozen=True)
class Family:
    name: str
    what: str
    app: str  # a program line, as in `make run APP=...`; on the host: nothing
    lenses: tuple[str, ...] = ("elapsed", "icount")
    least_cores: int = 1
    by_nodes: bool = False  # whether the number of nodes matters: else it is measured with the first of them only
    many_app: str = ""  # instead of `app` on more than MANY cores, where all pairs would take too long
    seconds: float = 3  # a guess for eight cores, until there is experience


MANY = 8  # cores

FAMILIES = (
    Family("boot", "the start of the machine", "hello", lenses=("elapsed",), by_nodes=True, seconds=2),
    Family("pairs", "calls, switches, faults, capabilities on one core; messages between two", "ipcbench --quick", by_nodes=True,
           many_app="ipcbench --quick --from 0", seconds=10),
    Family("threads", "threads, and typed calls", "stubbench ; threadbench"),
    Family("agreement", "capability operations by the number of holders", "capbench --quick", least_cores=2, seconds=5),
    Family("spans", "a domain that grows, unmaps a page everywhere, wakes a thread elsewhere", "spanbench --quick", least_cores=2),
    Family("groups", "broadcast, reduction and barrier, flat and along a tree", "groupbench --quick", least_cores=2, by_nodes=True),
    Family("places", "memory of each node, and programs started on each core", "placebench --quick", by_nodes=True),
    # The lens that runs one core at a time sees no throughput, but what an operation takes on all cores together.
    Family("kv", "throughput of the key-value service", "kv --rounds 3 --ms 5", seconds=5),
    Family("channels", "the channel on two threads of the host", "", lenses=("host",), seconds=2),
)

BY_NAME = {family.name: family for family in FAMILIES}


def app_for(family: Family, cores: int) -> str:
    return family.many_app if family.many_app and cores > MANY else family.app
