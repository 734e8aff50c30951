# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Visible revocation: domains that comply, choose, stall, lie, die, and are asked what they may not be asked."""

import pytest

from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 2), (4, 2)])
def test_revoke(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem="1G", app="revoke", timeout=240)
    assert_tests(machine, "revoke.", 18)
    assert machine.text.count("(the system has taken this memory back)") == 1
