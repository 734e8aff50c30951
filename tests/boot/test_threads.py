# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Threads inside the system: what they may count on, and what they cost in instructions."""

import pytest


@pytest.mark.parametrize("cores", [1, 2])
def test_threads(boot, cores):
    machine = boot(cores=cores, nodes=1, mem="512M", app="threads", timeout=120, check=False)
    tests = machine.facts("test")
    failed = [fact for fact in tests if not fact["ok"]]
    assert not failed, f"{failed}\n{machine.tail()}"
    assert len(tests) == 15, machine.tail()
    assert machine.status == 0, machine.tail()


def test_costs(boot):
    machine = boot(cores=1, mem="512M", icount=True, app="threadbench --quick", timeout=120)
    counted = {fact["id"]: fact["p50"] for fact in machine.facts("bench", lens="instructions")}
    assert counted["thread.switch"] <= 120
    assert counted["thread.create+join"] <= 1500
    assert counted["mutex.uncontended"] <= 25
