# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Domains that move to other cores while their peers go on."""

from test_programs import assert_tests


def test_roam(boot):
    assert_tests(boot(cores=4, nodes=2, mem="512M", app="roam", timeout=120), "roam.", 6)
