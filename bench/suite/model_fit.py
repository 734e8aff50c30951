# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Costs from measurements on small machines, and how well they predict larger ones.

What is unknown of a lens: for each operation the cost of its begin and of a message, and for all of them the cost of a wake-up and, if
instructions were counted on machines of several sizes, of a look at one peer: too little to be seen in a time under emulation. A message's
cost is divided between its sender and its receiver as the trace says. What a hop costs is known beforehand. The measured time is then linear
in the unknowns, with the critical chain's counts as factors. So: price with what is assumed, count, solve for non-negative unknowns with the
least squares of the relative errors, and begin again, until the chain stays what it is.

What was fitted on is never what the error is stated of: `divide` says which is which. The error grows with the distance, so `reaches` also fits
on the smallest machines only and predicts each larger one. The form of the model (a wake-up, a look at each peer) was found by looking at
counted instructions of up to 8 cores: errors there flatter it, those of larger machines don't.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from model_price import HOPS, Costs, price
from model_trees import build

ROUNDS = 12
SWEEPS = 2000  # of the solver, over all unknowns
SHARED = ("wake", "look")
INSTRUCTIONS = "instructions"


@dataclass(frozen=True)
class Measured:
    operation: str
    cores: int  # of the machine
    holders: int  # other cores that the operation has to do with
    value: float


@dataclass(frozen=True)
class Fit:
    unit: str
    workers: int
    shares: dict[str, float]  # by operation: of a message's cost that is the sender's
    hops: tuple[float, float, float]
    values: dict[str, float]  # wake, look, and `begin OPERATION`, `message OPERATION`

    def costs(self, operation: str) -> Costs:
        message = self.values[f"message {operation}"]
        share = self.shares[operation]
        return Costs(begin=self.values[f"begin {operation}"], send=message * share, handle=message * (1 - share),
                     wake=self.values["wake"], look=self.values.get("look", 0.0), hops=self.hops)


@dataclass(frozen=True)
class Verdict:
    """Of predictions of what was not fitted on."""
    median: float
    worst: float
    of: int


@dataclass(frozen=True)
class Reach:
    """How well machines of so many cores are predicted by those of at most so many."""
    fitted: int
    predicted: int
    verdict: Verdict


def divide(measured: list[Measured]) -> tuple[list[Measured], list[Measured]]:
    """To fit on, and to predict: all of the largest machine; or on a single machine, what more than half of its cores have to do with."""
    largest = max(m.cores for m in measured)
    small = [m for m in measured if m.cores < largest]
    if len({(m.cores, m.holders) for m in small}) >= 3:
        return small, [m for m in measured if m.cores == largest]
    half = max(m.holders for m in measured) // 2
    return [m for m in measured if m.holders <= half], [m for m in measured if m.holders > half]


def predict(fit: Fit, operation: str, cores: int, holders: int, hop_of: Callable[[int, int], str]) -> float:
    """On a machine of so many cores, of which 0 asks and the next ones are concerned."""
    graph = build(operation, 0, tuple(range(1, holders + 1)))
    return price(graph, fit.costs(operation), hop_of, cores - 1, fit.workers).total


def judge(fit: Fit, measured: list[Measured], hop_of: Callable[[int, int], str]) -> Verdict | None:
    """None: nothing was left to predict."""
    errors = sorted(abs(predict(fit, m.operation, m.cores, m.holders, hop_of) - m.value) / m.value for m in measured)
    if not errors:
        return None
    middle = len(errors) // 2
    median = errors[middle] if len(errors) % 2 else (errors[middle - 1] + errors[middle]) / 2
    return Verdict(median, errors[-1], len(errors))


def reaches(fitted: Fit, measured: list[Measured], hop_of: Callable[[int, int], str]) -> list[Reach]:
    """Of what `fitted` is a fit of: from each size of machine to every larger one."""
    sizes, found = sorted({m.cores for m in measured}), []
    for last in sizes[1:-1]:  # one size alone does not tell what depends on the size
        small = [m for m in measured if m.cores <= last]
        operations = {m.operation for m in small}
        own = fit_on(small, fitted.unit, fitted.workers, fitted.shares, fitted.hops, hop_of)
        for size in (size for size in sizes if size > last):
            verdict = judge(own, [m for m in measured if m.cores == size and m.operation in operations], hop_of)
            found += [Reach(last, size, verdict)] if verdict else []
    return found


def fit_on(measured: list[Measured], unit: str, workers: int, shares: dict[str, float], hops: tuple[float, float, float],
           hop_of: Callable[[int, int], str]) -> Fit:
    guess = min(m.value for m in measured) / 8
    shared = SHARED if unit == INSTRUCTIONS and len({m.cores for m in measured}) > 1 else SHARED[:1]
    operations = sorted({m.operation for m in measured})
    names = [*shared, *(f"{what} {operation}" for operation in operations for what in ("begin", "message"))]
    fit = Fit(unit, workers, shares, hops, {name: 0.0 if name == "look" else guess for name in names})
    for _ in range(ROUNDS):
        rows = [_row(fit, m, hop_of) for m in measured]
        found = solve([[row.get(name, 0.0) / m.value for name in names] for row, m in zip(rows, measured)],
                      [(m.value - row.get("known", 0.0)) / m.value for row, m in zip(rows, measured)], list(fit.values.values()))
        fit = replace(fit, values=dict(zip(names, found)))
    return fit


def _row(fit: Fit, m: Measured, hop_of: Callable[[int, int], str]) -> dict[str, float]:
    """How often each unknown is in the measured time, and what is known of it."""
    costs = fit.costs(m.operation)
    chain = price(build(m.operation, 0, tuple(range(1, m.holders + 1))), costs, hop_of, m.cores - 1, fit.workers).chain
    row = {name: float(chain[name]) for name in SHARED}
    row[f"begin {m.operation}"] = float(chain["begin"])
    share = fit.shares[m.operation]
    row[f"message {m.operation}"] = chain["send"] * share + chain["handle"] * (1 - share)
    row["known"] = sum(chain[hop] * costs.of(hop) for hop in HOPS)
    return row


def solve(rows: list[list[float]], wanted: list[float], first: list[float]) -> list[float]:
    """The non-negative unknowns with the least squares, one after the other again and again."""
    found = list(first)
    columns = list(zip(*rows))
    squares = [sum(x * x for x in column) for column in columns]
    residual = [b - sum(a * x for a, x in zip(row, found)) for row, b in zip(rows, wanted)]
    for _ in range(SWEEPS):
        for index, column in enumerate(columns):
            if squares[index] == 0:
                continue
            better = max(0.0, found[index] + sum(a * r for a, r in zip(column, residual)) / squares[index])
            step = better - found[index]
            if step:
                residual = [r - a * step for a, r in zip(column, residual)]
                found[index] = better
    return found
