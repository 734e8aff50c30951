# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Programs that are started with wishes: cores, a node, memory and a quota, capabilities."""

import pytest

from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 2), (4, 2)])
def test_spawn(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="spawn", timeout=180), "spawn.", 9)


@pytest.mark.parametrize("program,sentence", [
    ("ipcbench --quick", "ipcbench: no worker on core 1: "),
    ("capbench --quick", "capbench: no worker on core 1: "),
    ("groupbench --quick", "groupbench: no worker on core 1: "),
    ("stubbench", "stubbench: no partner on core 1: "),
    ("placebench --quick", "placebench: "),
    ("spanbench --quick", "spanbench: "),
    ("kv", "growing to another core: "),
])
def test_a_benchmark_that_finds_no_room_on_a_core_says_so_and_ends(boot, program, sentence):
    machine = boot(cores=2, nodes=2, mem="512M", app=f"spawn beside {program}", timeout=100, check=False)
    assert machine.ended is None and machine.status == 1, machine.tail()
    assert sentence in machine.text and f"{program.split()[0]} has ended with status 1" in machine.text, machine.tail()


def test_a_machine_without_room_for_the_first_program_says_so_and_ends(boot):
    machine = boot(cores=8, nodes=1, mem="64M", app="hello", timeout=60, check=False)
    assert machine.ended is None and machine.status == 1, machine.tail()
    assert "The program init of the manifest can't be started: the memory that was granted is used up." in machine.text, machine.tail()
