# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Domains on several cores: they grow and shrink, run functions there, and end as one."""

import pytest

from test_membership import balanced
from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 4), (8, 2)])
def test_span(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="span", timeout=120), "span.", 17)


@pytest.mark.parametrize("cores,nodes", [(3, 1), (4, 2)])
def test_cores_die_under_it(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem="512M", app="span loss", timeout=120, check=False)
    assert_tests(machine, "span.loss.", 3)
    assert machine.status == 0, machine.tail()
    balanced(machine, range(cores))
