# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The model's rules beside the system's own code, and the prices of small graphs by hand."""

import math
import random
import re
import subprocess
from collections import Counter

import pytest
from made import ROOT

import model_trees as trees
from model_price import HOPS, Costs, price

UNIT = Costs(begin=100, send=3, handle=5, wake=20, look=1, hops=(7, 70, 700))


def near(_a, _b):
    return HOPS[0]


def at(number):
    """So many channels on each core."""
    return lambda core: number


def others(count):
    return tuple(range(1, count))


@pytest.fixture(scope="module", name="code")
def code_of_the_system(tmp_path_factory):
    """What the real files answer."""
    program = tmp_path_factory.mktemp("trees") / "trees"
    subprocess.run(["gcc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-I.", "-o", program, "tests/suite/trees.c", "numa/model/tree.c",
                    "numa/model/query.c"], cwd=ROOT, check=True)

    def ask(*words):
        lines = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=True).stdout.splitlines()
        return Counter(tuple(map(int, line.split())) for line in lines)

    return ask


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 9, 31, 33, 63, 64])
def test_unmap_spreads_as_the_library_has_it(code, count):
    graph = trees.build("unmap", 0, others(count))
    down = code("unmap", count)
    assert Counter(graph.messages()) == down + Counter((b, a) for a, b in down.elements())


@pytest.mark.parametrize("count, nodes", [(1, 1), (2, 2), (8, 1), (8, 2), (9, 2), (60, 4), (256, 8), (256, 64)])
def test_broadcast_spreads_as_the_machine_model_has_it(code, count, nodes):
    each = -(-count // nodes)
    graph = trees.build("node broadcast", 0, others(count), lambda core: core // each)
    assert Counter(graph.messages()) == code("broadcast", count, nodes)


@pytest.mark.parametrize("count", [2, 3, 5, 8, 64, 100, 1024])
def test_numbers_of_messages_and_depths(count):
    """As the essays on top of the protocols' files say."""
    holders = count - 1
    graphs = {operation: trees.build(operation, 0, others(count)) for operation in trees.OPERATIONS}
    sizes = {operation: graph.size() for operation, graph in graphs.items()}
    there_and_back = dict.fromkeys(("retype", "revoke", "unmap", "barrier", "flat barrier"), 2 * holders)
    one_way = dict.fromkeys(("broadcast", "flat broadcast", "node broadcast"), holders)
    assert sizes == there_and_back | one_way | {"hand over": 2 * holders + 1, "delete": 0, "give up": 1}
    log = int(math.log2(count))
    depths = {operation: graph.depth() for operation, graph in graphs.items()}
    assert depths == {"retype": 2, "flat barrier": 2, "flat broadcast": 1, "delete": 0, "give up": 1, "hand over": 5 if holders > 1 else 3,
                      "revoke": 2 * log, "unmap": 2 * log, "barrier": 2 * log, "broadcast": log, "node broadcast": log}


def test_a_revoke_of_seven_holders_is_the_tree_of_its_file():
    """Half of 1..7 to 1, of 5..7 to 5, then 7; and so on below."""
    asked = trees.build("revoke", 0, others(8)).messages()
    down = {(0, 1), (0, 5), (0, 7), (1, 2), (1, 4), (2, 3), (5, 6)}
    assert set(asked) == down | {(b, a) for a, b in down}


def test_who_holds_need_not_be_dense():
    asked = trees.build("revoke", 9, (3, 40, 7)).messages()
    assert set(asked) == {(9, 3), (3, 7), (9, 40), (7, 3), (3, 9), (40, 9)}


# ---- Prices -----------------------------------------------------------------------------------------------------------

def test_one_question_and_its_answer():
    """Begin; look at 4 channels before sleeping; send; hop; the other wakes, looks, handles, sends; hop; this one wakes, looks, handles."""
    found = price(trees.build("retype", 0, (1,)), UNIT, near, at(4))
    assert found.total == 4 + 100 + 3 + 7 + (20 + 4 + 5) + 3 + 7 + (20 + 4 + 5)


def test_a_core_does_one_thing_at_a_time():
    """The second answer comes while the first one is handled: it waits, and wakes nobody."""
    found = price(trees.build("retype", 0, (1, 2)), UNIT, near, at(0))
    assert found.total == 100 + 3 + 7 + 25 + 3 + 7 + (25 + 5)


def test_one_worker_does_all_of_the_work():
    graph = trees.build("unmap", 0, others(2))
    found = price(graph, UNIT, near, at(3), workers=1)
    assert found.total == 3 + 100 + 3 + 7 + (20 + 3 + 5) + 3 + 7 + (20 + 3 + 5)
    wide = trees.build("retype", 0, others(5))
    assert price(wide, UNIT, near, at(0), workers=1).total >= 100 + 8 * (3 + 5) + 4 * 20


def test_answers_that_are_taken_in_order_wake_once():
    """The second worker's answer comes while the first one still works: nobody wakes for it. Answers taken as they come wake twice."""
    slow = Costs(begin=0, send=1, handle=50, wake=20, look=0, hops=(7, 70, 700))
    hops = {(0, 1): 2, (1, 0): 2}
    found = {operation: price(trees.build(operation, 0, (1, 2)), slow, lambda a, b: HOPS[hops.get((a, b), 0)], at(0)).chain["wake"]
             for operation in ("retype", "flat barrier")}
    assert found == {"retype": 2, "flat barrier": 2}
    there_and_back = 1 + 700 + 70 + 1 + 700
    assert price(trees.build("flat barrier", 0, (1, 2)), slow, lambda a, b: HOPS[hops.get((a, b), 0)], at(0)).total == there_and_back + 70 + 50
    assert price(trees.build("retype", 0, (1, 2)), slow, lambda a, b: HOPS[hops.get((a, b), 0)], at(0)).total == there_and_back + 70


def test_who_wakes_looks_at_its_own_channels():
    """A monitor has one to each other core of the machine; a worker only those that its tree needs, and the one to the core that asks."""
    graph = trees.build("unmap", 0, others(4))
    assert [trees.looks("unmap", graph, 31)(core) for core in range(4)] == [31] * 4
    graph = trees.build("barrier", 0, others(8))
    assert [trees.looks("barrier", graph, 31)(core) for core in range(8)] == [31, 3, 3, 2, 2, 3, 2, 2]


def test_whoever_is_patient_does_not_sleep():
    """The owner's answer comes 42 after it began to wait: so long it looks on, and then it need not wake."""
    graph = trees.build("retype", 0, (1,))
    sleeps, looks_on = (price(graph, UNIT, near, at(4), patience=patience).total for patience in (40, 60))
    assert sleeps - looks_on == 20 + 4
    assert [trees.patience("revoke", alone) for alone in (False, True)] == [10_000, 100_000] and trees.patience("unmap", True) == 0


def test_patience_is_as_the_monitor_has_it():
    text = (ROOT / "monitor/main.c").read_text(encoding="utf-8")
    found = [int(re.search(rf"^#define {name} +(\d+)", text, re.MULTILINE)[1]) * 1000 for name in ("AWAY_US", "ANSWER_PATIENCE_US")]
    assert found == [trees.patience("retype", alone) for alone in (False, True)]


def test_hops_are_what_the_machine_says():
    found = price(trees.build("broadcast", 0, (1,)), UNIT, lambda a, b: HOPS[2], at(0))
    assert found.total == 100 + 3 + 700 + 25 and found.chain["cross_socket"] == 1


@pytest.mark.parametrize("operation", trees.OPERATIONS)
@pytest.mark.parametrize("workers", [None, 1, 2, 5])
def test_the_time_is_the_sum_of_its_chain(operation, workers):
    """So the breakdown is whole, and the fit's rows are right."""
    chance = random.Random(7)
    for count in (1, 2, 3, 6, 13, 64):
        costs = Costs(*(chance.uniform(1, 50) for _ in range(5)), hops=tuple(chance.uniform(1, 900) for _ in range(3)))
        found = price(trees.build(operation, 0, others(count)), costs, lambda a, b: HOPS[(a + b) % 3], at(5), workers)
        assert found.total == pytest.approx(sum(number * costs.of(what) for what, number in found.chain.items()))


def test_more_workers_are_never_slower_here():
    for operation in trees.OPERATIONS:
        times = [price(trees.build(operation, 0, others(32)), UNIT, near, at(31), workers).total for workers in (1, 2, 8, None)]
        assert times == sorted(times, reverse=True)
