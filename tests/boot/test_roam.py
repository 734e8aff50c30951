# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Domains that move to other cores while their peers go on."""

from test_programs import assert_tests


def test_roam(boot):
    assert_tests(boot(cores=4, nodes=2, mem="512M", app="roam", timeout=120), "roam.", 9)


def test_the_balancer_evens_out_two_cores_and_says_why(boot):
    machine = boot(cores=2, mem="512M", app="roam balance", timeout=120)
    assert_tests(machine, "roam.", 1)
    moves = machine.facts("event", event="balance", ok=True)
    assert len(moves) == 2 and all(m["from"] == 1 and m["to"] == 0 and m["after"] < m["demand_from"] for m in moves), moves
    assert "thousandths" in machine.text
