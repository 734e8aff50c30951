# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The name service: typed services, with and without waiting, listed and withdrawn."""

import pytest

from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (4, 2)])
def test_services(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="services", timeout=180), "services.", 9)


@pytest.mark.parametrize("cores,nodes", [(1, 1), (4, 2)])
def test_several_services_of_one_domain(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="street", timeout=120), "street.", 33 if cores == 1 else 66)
