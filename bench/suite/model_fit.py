# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Costs from measurements on small machines, and how well they predict larger ones.

What is unknown of a lens: for each operation the cost of its begin and of a message, which those over streams have in common; and for each
family, because each has code of its own that sleeps and wakes, the cost of a wake-up and, if instructions were counted on machines of several
sizes, of a look at one channel: too little to be seen in a time under emulation. A message's cost is divided between its sender and its
receiver as the trace says. What a hop costs is known beforehand. The measured time is then linear in the unknowns, with the critical chain's
counts as factors. So: price with what is assumed, count, solve for non-negative unknowns with the least squares of the relative errors, and
begin again, until the chain stays what it is. A reduction is not fitted: it is what a barrier takes beyond its broadcast.

What was fitted on is never what the error is stated of: `divide` says which is which. The error grows with the distance, so `reaches` also
fits on the smallest machines only and predicts each larger one. The form of the model (a wake-up, a look at each channel, a patience) was
found by looking at counted instructions: errors there flatter it.

What it was worth, as `make scale CORES='2 4 8 16 32' LENS=icount BENCH='agreement spans groups'; make model` said, without a trace: 32 cores
from up to 4 with a median error of 2.6 %, from up to 16 with 1.1 %. By operation, median and worst of the latter: unmap 0.6 and 29.1 (with
one member a look is missing; all others within 0.6), flat barrier 0.6 and 1.1, reduction 0.9 and 3.3, give up 1.0 and 2.1, flat broadcast
1.5 and 2.8, delete 1.8 and 4.4, flat reduction 1.8 and 8.5, barrier 3.5 and 6.7, retype 4.1 and 9.5, broadcast 5.3 and 8.4, revoke 5.4 and 9.6.
Elapsed time under emulation, with more virtual cores than real ones, is another matter: there the error is tens of percent, differs from
host to host and with what else runs there, and is what the same command without LENS says.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from operator import mul

from model_price import HOPS, Costs, Priced, price
from model_trees import REDUCTIONS, STREAMS, Graph, build, family, looks, patience

ROUNDS = 12
SWEEPS = 2000  # of the solver, over all unknowns
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
    shares: dict[str, float]  # by kind of message: of its cost that is the sender's
    hops: tuple[float, float, float]
    values: dict[str, float]  # `wake FAMILY`, `look FAMILY`, `begin KIND`, `message KIND`

    def knows(self, operation: str) -> bool:
        return f"message {kind(operation)}" in self.values

    def costs(self, operation: str) -> Costs:
        message = self.values[f"message {kind(operation)}"]
        share = self.shares[kind(operation)]
        return Costs(begin=self.values[f"begin {kind(operation)}"], send=message * share, handle=message * (1 - share),
                     wake=self.values[f"wake {family(operation)}"], look=self.values.get(f"look {family(operation)}", 0.0), hops=self.hops)


def kind(operation: str) -> str:
    """Operations whose messages cost the same are of one."""
    return STREAMS if family(operation) == STREAMS else operation


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
    if operation in REDUCTIONS:
        whole, part = (predict(fit, one, cores, holders, hop_of) for one in REDUCTIONS[operation])
        return whole - part
    return _price(fit, operation, cores, holders, hop_of).total


def _price(fit: Fit, operation: str, cores: int, holders: int, hop_of: Callable[[int, int], str]) -> Priced:
    graph = _graph(operation, holders)
    return price(graph, fit.costs(operation), hop_of, looks(operation, graph, cores - 1), fit.workers, patience(operation, alone=False))


@cache
def _graph(operation: str, holders: int) -> Graph:
    return build(operation, 0, tuple(range(1, holders + 1)))


def predictable(fit: Fit, operation: str) -> bool:
    return all(map(fit.knows, REDUCTIONS.get(operation, (operation,))))


def judge(fit: Fit, measured: list[Measured], hop_of: Callable[[int, int], str]) -> Verdict | None:
    """None: nothing was left to predict."""
    errors = sorted(abs(predict(fit, m.operation, m.cores, m.holders, hop_of) - m.value) / m.value for m in measured)
    if not errors:
        return None
    middle = len(errors) // 2
    median = errors[middle] if len(errors) % 2 else (errors[middle - 1] + errors[middle]) / 2
    return Verdict(median, errors[-1], len(errors))


def by_operation(fit: Fit, measured: list[Measured], hop_of: Callable[[int, int], str]) -> dict[str, Verdict]:
    return {operation: judge(fit, [m for m in measured if m.operation == operation], hop_of)
            for operation in sorted({m.operation for m in measured})}


def reaches(fitted: Fit, measured: list[Measured], hop_of: Callable[[int, int], str]) -> list[Reach]:
    """Of what `fitted` is a fit of: from each size of machine to every larger one."""
    sizes, found = sorted({m.cores for m in measured}), []
    for last in sizes[1:-1]:  # one size alone does not tell what depends on the size
        own = fit_on([m for m in measured if m.cores <= last], fitted.unit, fitted.workers, fitted.shares, fitted.hops, hop_of)
        for size in (size for size in sizes if size > last):
            verdict = judge(own, [m for m in measured if m.cores == size and predictable(own, m.operation)], hop_of)
            found += [Reach(last, size, verdict)] if verdict else []
    return found


def fit_on(measured: list[Measured], unit: str, workers: int, shares: dict[str, float], hops: tuple[float, float, float],
           hop_of: Callable[[int, int], str]) -> Fit:
    measured = [m for m in measured if m.operation not in REDUCTIONS]
    guess = min(m.value for m in measured) / 8
    shared = ("wake", "look") if unit == INSTRUCTIONS and len({m.cores for m in measured}) > 1 else ("wake",)
    operations = {m.operation for m in measured}
    names = [f"{what} {one}" for one in sorted(set(map(family, operations))) for what in shared]
    names += [f"{what} {one}" for one in sorted(set(map(kind, operations))) for what in ("begin", "message")]
    fit = Fit(unit, workers, shares, hops, {name: 0.0 if name.startswith("look") else guess for name in names})
    for _ in range(ROUNDS):
        rows = [_row(fit, m, hop_of) for m in measured]
        found = solve([[row.get(name, 0.0) / m.value for name in names] for row, m in zip(rows, measured)],
                      [(m.value - row.get("known", 0.0)) / m.value for row, m in zip(rows, measured)], list(fit.values.values()))
        fit = replace(fit, values=dict(zip(names, found)))
    return fit


def _row(fit: Fit, m: Measured, hop_of: Callable[[int, int], str]) -> dict[str, float]:
    """How often each unknown is in the measured time, and what is known of it."""
    costs, share = fit.costs(m.operation), fit.shares[kind(m.operation)]
    chain = _price(fit, m.operation, m.cores, m.holders, hop_of).chain
    row = {f"{what} {family(m.operation)}": float(chain[what]) for what in ("wake", "look")}
    row[f"begin {kind(m.operation)}"] = float(chain["begin"])
    row[f"message {kind(m.operation)}"] = chain["send"] * share + chain["handle"] * (1 - share)
    row["known"] = sum(chain[hop] * costs.of(hop) for hop in HOPS)
    return row


def solve(rows: list[list[float]], wanted: list[float], first: list[float]) -> list[float]:
    """The non-negative unknowns with the least squares, one after the other again and again."""
    found = list(first)
    columns = list(zip(*rows))
    products = [[sum(map(mul, a, b)) for b in columns] for a in columns]
    targets = [sum(map(mul, column, wanted)) for column in columns]
    for _ in range(SWEEPS):
        for index, row in enumerate(products):
            if row[index]:
                found[index] = max(0.0, found[index] + (targets[index] - sum(map(mul, row, found))) / row[index])
    return found
