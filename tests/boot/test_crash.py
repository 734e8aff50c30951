# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""An exception inside the CPU driver of one core stops that core with a full report; the others go on, and the system still ends by itself."""

import pytest


@pytest.mark.parametrize("vector", [6, 8, 13, 14])
def test_one_core_dies_and_the_others_go_on(boot, vector):
    machine = boot(cores=4, nodes=2, mem="512M", app=f"crash 2 {vector}", timeout=120, check=False)
    tests = machine.facts("test")
    assert {fact["name"] for fact in tests if fact["ok"]} == {
        "crash.spawn", "crash.request", "crash.waiter_is_told", "crash.one_core_is_gone", "crash.others_run"}, machine.tail()
    assert machine.status == 0, machine.tail()
    reports = machine.facts("event", event="panic")
    assert [report["core"] for report in reports] == [2] and reports[0]["vector"] == vector, machine.tail()
    assert {fact["core"] for fact in machine.facts("event", event="core_suspected")} == {2}
    leaks = machine.facts("leak")
    assert {leak["core"] for leak in leaks} == {0, 1, 3}
    for leak in leaks:
        for kind in ("ram", "caps", "channels"):
            assert leak[f"{kind}_before"] == leak[f"{kind}_after"], machine.tail()
