# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Intervals that hold what they promise, and estimates that wild runs don't move."""

import random

import pytest

import robust


def test_six_runs_are_the_least_for_95_percent():
    assert robust.coverage(5, 1) == pytest.approx(1 - 2 / 2**5)
    assert robust.coverage(robust.LEAST_RUNS - 1, 1) < robust.CONFIDENCE <= robust.coverage(robust.LEAST_RUNS, 1)


@pytest.mark.parametrize("runs, k", [(6, 1), (8, 1), (9, 2), (20, 6), (100, 40)])
def test_the_order_statistics_of_the_textbooks(runs, k):
    low, high, confidence = robust.interval([float(i) for i in range(1, runs + 1)])
    assert (low, high) == (k, runs + 1 - k)
    assert confidence >= robust.CONFIDENCE > robust.coverage(runs, k + 1)


@pytest.mark.parametrize("runs", [6, 11])
def test_the_interval_holds_the_true_median_as_often_as_it_says(runs):
    chance = random.Random(7)
    held = 0
    for _ in range(2000):
        low, high, confidence = robust.interval([chance.lognormvariate(0, 1) for _ in range(runs)])
        held += low <= 1 <= high
    assert held / 2000 == pytest.approx(confidence, abs=0.02)


def test_a_wild_run_is_counted_and_moves_nothing():
    calm = [100, 101, 99, 100, 102, 98, 100, 101, 100]
    assert robust.outliers(calm) == 0
    wild = robust.judge([*calm[:-1], 5000], 9)
    assert wild.outliers == 1 and wild.stable and abs(wild.estimate - 100) <= 1 and wild.high <= 102


@pytest.mark.parametrize("values, wanted, why", [
    ([10, 10, 10], 6, "only 3 of 6"),
    ([10, 10, 10], 3, "75% confidence"),
    ([10, 20, 30, 15, 25, 12], 6, "more than 10%"),
])
def test_what_is_not_sure_says_why(values, wanted, why):
    judged = robust.judge(values, wanted)
    assert not judged.stable and why in judged.why


def test_counted_instructions_repeat_to_the_digit_or_are_not_sure():
    assert robust.judge_exact([79, 79], 2).stable
    assert "to the digit" in robust.judge_exact([79, 80], 2).why
    assert "to the digit" in robust.judge_exact([79, 79], 2, False).why
    assert "only once" in robust.judge_exact([79], 1).why


def test_medians_of_zero_are_no_trouble():
    assert robust.judge([0] * 6, 6).stable
    assert not robust.judge([0, 0, 0, 0, 0, 5], 6).stable
