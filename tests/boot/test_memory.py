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
    machine = boot(cores=2, mem="512M", app="compress ; compress --pages 64 --resident 18", timeout=120)
    assert_tests(machine, "compress.", 4)


@pytest.mark.parametrize("arguments, sentence", [
    ("--pages 3", "compress: --pages 3: it must be a whole number from 4 to 65536"),
    ("--pages x", "compress: --pages x: it must be a whole number from 4 to 65536"),
    ("--pages 8 --resident 9", "compress: --resident 9: there are only --pages 8"),
])
def test_compress_refuses(boot, arguments, sentence):
    machine = boot(cores=1, app=f"compress {arguments}", check=False)
    assert machine.status == 1 and sentence in machine.text
