# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Statistics that a few wild runs do not move.

What is estimated is the median, over repetitions, of what one repetition (a boot of its own) gave as its median. Samples within one
boot are not independent, so they don't count as more evidence; repetitions are. The interval is the one of order statistics: with n
repetitions, the k-th smallest and the k-th greatest hold the true median between them with probability 1 - 2 P(B < k), where B is
binomial (n, 1/2), whatever the distribution. For 95 % that takes six repetitions; with fewer, the interval is the whole range, its
confidence is stated, and the result does not count as sure.
"""

import math
from dataclasses import dataclass

CONFIDENCE = 0.95
LEAST_RUNS = 6  # 1 - 2 / 2**6 = 0.969
TOLERANCE = 0.10  # half of the interval, relative to the estimate
WILD = 3.5  # modified z-score (Iglewicz and Hoaglin): a run beyond it is an outlier
NORMAL_MAD = 0.6745  # a normal distribution's median absolute deviation, in standard deviations


@dataclass(frozen=True)
class Estimate:
    estimate: float
    low: float
    high: float
    confidence: float
    outliers: int
    stable: bool
    why: str | None  # not stable


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def interval(values: list[float]) -> tuple[float, float, float]:
    """Low, high, and how sure: the narrowest pair of order statistics that is sure enough, else the outermost."""
    ordered = sorted(values)
    k = 1
    while k + 1 <= len(ordered) // 2 and coverage(len(ordered), k + 1) >= CONFIDENCE:
        k += 1
    return ordered[k - 1], ordered[-k], coverage(len(ordered), k)


def coverage(n: int, k: int) -> float:
    """That the k-th smallest and the k-th greatest of n enclose the median."""
    return 1 - 2 * sum(math.comb(n, i) for i in range(k)) / 2**n


def outliers(values: list[float]) -> int:
    middle = median(values)
    spread = median([abs(value - middle) for value in values])
    if spread == 0:
        return sum(value != middle for value in values) if len(values) > 2 else 0
    return sum(NORMAL_MAD * abs(value - middle) / spread > WILD for value in values)


def judge(values: list[float], wanted: int) -> Estimate:
    """Of what varies from run to run; `wanted` runs should have given a value."""
    low, high, confidence = interval(values)
    middle = median(values)
    why = None
    if len(values) < wanted:
        why = f"only {len(values)} of {wanted} runs gave a value"
    elif confidence < CONFIDENCE:
        why = f"{len(values)} runs give {confidence:.0%} confidence, not {CONFIDENCE:.0%}; that takes {LEAST_RUNS}"
    elif (high - low) / 2 > TOLERANCE * abs(middle):
        why = f"the interval is ±{(high - low) / 2 / abs(middle):.0%}, more than {TOLERANCE:.0%}" if middle else "the median is 0"
    return Estimate(middle, low, high, max(confidence, 0.0), outliers(values), why is None, why)


def judge_exact(values: list[float], wanted: int, same: bool = True) -> Estimate:
    """Of what has to repeat to the digit; `same`: all that was measured besides the medians has done so."""
    why = None
    if len(values) < max(wanted, 2):
        why = "counted only once"
    elif len(set(values)) > 1 or not same:
        why = "it should repeat to the digit, and did not"
    return Estimate(median(values), min(values), max(values), 1.0 if why is None else 0.0, 0, why is None, why)
