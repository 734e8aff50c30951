# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The memory of a domain on several cores: shared, changed, placed, moved, and refused when there is no more."""

import re

import pytest

import qmp
from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (2, 2), (4, 2), (8, 2)])
def test_memory(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem="1G", app="memory", timeout=240)
    assert_tests(machine, "memory.", 40)
    assert machine.text.count("stack overflow: ") == 3


def test_compress(boot):
    machine = boot(cores=2, mem="512M", app="compress ; compress --pages 64 --resident 18", timeout=120)
    assert_tests(machine, "compress.", 4)


@pytest.mark.parametrize("arguments, sentence", [
    ("--pages 3", "compress: --pages 3: it must be a whole number from 4 to 65536"),
    ("--pages x", "compress: --pages x: it must be a whole number from 4 to 65536"),
    ("--pages 8 --resident 9", "compress: --resident 9: there are only --pages 8"),
])
def test_compress_refuses(boot, arguments, sentence):
    machine = boot(cores=1, app=f"compress {arguments}", check=False)
    assert machine.status == 1 and sentence in machine.text


LARGE, HUGE = 1 << 21, 1 << 30


def page_bytes(machine, table: int, address: int) -> int:
    """How large the page is that is mapped there: a walk of the tables in the machine's memory (Intel SDM vol. 3, 4.5)."""
    with qmp.Qmp(machine.control_path) as qemu:
        for shift in (39, 30, 21, 12):
            line = qemu.ask("human-monitor-command", **{"command-line": f"xp /1gx {table + (address >> shift & 511) * 8:#x}"})
            entry = int(line.split(":")[1], 16)
            assert entry & 1, f"nothing is mapped at {address:#x}"
            if shift == 12 or entry & 1 << 7:
                return 1 << shift
            table = entry & 0x000FFFFFFFFFF000
    raise AssertionError("the last level ends the walk")


def cut(page: int) -> list:
    return [("whole", page), ("read only", page), ("whole", page), ("page", 4096), ("beside", LARGE)]


@pytest.mark.parametrize("cores, memory, cpu, checks, steps", [
    (1, "6G", "max", "", [("first", HUGE), ("second", HUGE), *cut(HUGE), ("first", HUGE), ("too late", LARGE)]),
    (1, "6G", "max,-pdpe1gb", "one", cut(LARGE)),
    (2, "5G", "max", "", [("elsewhere", LARGE), *cut(HUGE)]),
])
def test_pages_of_a_gib(boot, cores, memory, cpu, checks, steps):
    seen = []
    with boot.session(cores=cores, mem=memory, cpu=cpu, app=f"memory huge {checks}", timeout=120) as machine:
        for _ in steps:
            machine.expect("memory huge: ")
            step, table, address = re.fullmatch(r"([a-z ]+): table (\w+) address (\w+)\s*", machine.expect("\n")).groups()
            seen.append((step, page_bytes(machine, int(table, 16), int(address, 16))))
            machine.type("")
    assert seen == steps
    assert_tests(machine, "memory.huge", 1)
