# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The examples that use all cores (apps/): each checks its own result."""

import pytest

ALL = "matmul ; sort ; kv --rounds 1 ; pipeline ; stream"


@pytest.mark.parametrize("cores,nodes", [(1, 1), (4, 2)])
def test_examples(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem="1G", app=ALL, timeout=120)
    tests = {fact["name"]: fact for fact in machine.facts("test")}
    assert set(tests) == {"matmul", "sort", "kv", "pipeline", "stream"}, machine.tail()
    assert all(fact["ok"] for fact in tests.values()), machine.tail()
    assert all(tests[name]["cores"] == cores for name in ("matmul", "sort", "kv")), machine.tail()
    assert machine.text.count(" runs on core ") == 3
    if nodes > 1:
        assert len({line.split()[-1] for line in machine.text.splitlines() if " runs on core " in line}) == nodes


def test_a_client_and_a_shard_on_each_of_many_cores(boot):
    """Each of them talks to all others, and all begin at once."""
    machine = boot(cores=32, nodes=4, mem="2G", icount=True, app="kv --rounds 1 --ms 1", timeout=120)
    assert [(fact["ok"], fact["cores"]) for fact in machine.facts("test")] == [(True, 32)], machine.tail()
    assert {fact["cores"] for fact in machine.facts("bench", id="kv")} == set(range(1, 33))


BAD = {
    "matmul --size 0": "--size 0: it must be a whole number from 1 to 4096",
    "sort --cores 5": "5 cores are wanted, and there are 2",
    "kv --ms -1": "--ms -1: it must be a whole number from 1 to 10000",
    "pipeline --count": "--count needs a number behind it",
    "stream fast": "there is no option fast",
}


def test_bad_arguments_are_named(boot):
    machine = boot(cores=2, mem="512M", app=" ; ".join(BAD), check=False)
    assert machine.status not in (0, None), machine.tail()
    for command, sentence in BAD.items():
        assert sentence in machine.text, f"{command}\n{machine.tail()}"
    assert not machine.facts("test")
