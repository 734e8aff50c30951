# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The name service: typed services, with and without waiting, listed and withdrawn."""

import pytest

from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (4, 2)])
def test_services(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="services", timeout=180), "services.", 9)
