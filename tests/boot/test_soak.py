# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A slice of `make soak`: random capability operations from all cores (tests/programs/soak), in rounds. After each everything that can be seen
is consistent, and every core has what it had before; the same while cores die and start again."""

import pytest


@pytest.mark.parametrize("deaths", [False, True], ids=["life", "deaths"])
def test_random_operations_from_all_cores(boot, deaths):
    machine = boot(cores=4, nodes=2, mem="512M", app="soak 1 8" + " deaths" * deaths, timeout=240)
    [verdict] = machine.facts("test", name="soak.deaths" if deaths else "soak.life")
    rounds = machine.facts("soak")
    assert verdict["ok"], machine.tail()
    assert len(rounds) == verdict["rounds"] >= 2
    assert all(r["workers"] == 4 and r["operations"] > r["refused"] for r in rounds)
    assert all(r["deaths"] == (1 if deaths else 0) for r in rounds)
