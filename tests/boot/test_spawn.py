# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Programs that are started with wishes: cores, a node, memory and a quota, capabilities."""

import pytest

from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 2), (4, 2)])
def test_spawn(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="spawn", timeout=180), "spawn.", 9)
