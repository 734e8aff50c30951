# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Domains on several cores: they grow and shrink, run functions there, and end as one."""

import pytest

from test_membership import balanced
from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 4), (8, 2)])
def test_span(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="span", timeout=120), "span.", 18)


@pytest.mark.parametrize("cores,nodes", [(3, 1), (4, 2)])
def test_cores_die_under_it(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem="512M", app="span loss", timeout=120, check=False)
    assert_tests(machine, "span.loss.", 3)
    assert machine.status == 0, machine.tail()
    balanced(machine, range(cores))


def test_what_memory_and_words_cost_across_members(boot):
    machine = boot(cores=4, nodes=2, mem="1G", icount=True, app="spanbench --quick", timeout=120)
    (wake,) = machine.facts("bench", id="futex.wake.remote")
    assert wake["p50"] <= 12480
    drops = {fact["holders"]: fact["messages"] for fact in machine.facts("bench", id="unmap") if "holders" in fact}
    rounds = {fact["holders"]: fact["p50"] for fact in machine.facts("bench", id="unmap.rounds")}
    assert drops == {1: 1, 2: 2, 3: 3}
    assert rounds == {1: 1, 2: 1, 3: 2}
    assert {fact["holders"] for fact in machine.facts("bench", id="span.grow")} == {1, 2, 3}
