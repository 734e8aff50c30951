# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The memory of a domain on several cores: shared, changed, placed, moved, and refused when there is no more."""

import pytest

from test_programs import assert_tests


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (2, 2), (4, 2), (8, 2)])
def test_memory(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem="1G", app="memory", timeout=240)
    assert_tests(machine, "memory.", 40)
    assert machine.text.count("stack overflow: ") == 3


def test_compress(boot):
    machine = boot(cores=2, mem="512M", app="compress ; compress 64 18", timeout=120)
    assert_tests(machine, "compress.", 4)


@pytest.mark.parametrize("arguments", ["0", "10 3", "8 9", "x"])
def test_compress_refuses(boot, arguments):
    machine = boot(cores=1, app=f"compress {arguments}", check=False)
    assert machine.status == 1 and "at least 4 there" in machine.text
