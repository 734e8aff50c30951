# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The memory of a domain on several cores: shared, changed, placed, moved, and refused when there is no more."""

import pytest

from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (2, 2), (4, 2), (8, 2)])
def test_memory(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="1G", app="memory", timeout=240), "memory.", 24)
