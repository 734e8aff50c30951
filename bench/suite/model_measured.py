# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What was measured of the operations that the model knows: by a sweep (results.json), or else in the traced run itself.

Bench facts of the operations have `holders`, the other cores that they have to do with. Times become nanoseconds; cycles only if a trace
says how many there are in a second.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import points
from jobs import Refused
from model_fit import INSTRUCTIONS, Measured
from model_trees import REDUCTIONS, build

OPERATION_OF = {"cap.retype.remote": "retype", "cap.revoke.remote": "revoke", "cap.delete.remote": "delete", "cap.delete.holder": "give up",
                "unmap": "unmap", "broadcast.tree": "broadcast", "broadcast.flat": "flat broadcast", "barrier.tree": "barrier",
                "barrier.flat": "flat barrier", "reduce.tree": "reduction", "reduce.flat": "flat reduction"}
HOP = "channel.rtt"
ROUNDS = "unmap.rounds"


@dataclass(frozen=True)
class Source:
    """Facts of one kind of file, in the same form: `cores` is the machine's."""
    path: Path
    facts: list[dict]
    host_cores: int


@dataclass(frozen=True)
class Lens:
    """All that was measured through one of them."""
    name: str
    unit: str  # ns or instructions
    points: list[Measured]
    source: Source


# ---- Reading ----------------------------------------------------------------------------------------------------------

def sweep(directory: Path) -> Source | None:
    """What `make scale` has left there; None: nothing."""
    path = directory / "results.json"
    if not path.exists():
        return None
    whole = points.load(path)
    cores = [origin.get("host", {}).get("cores", 1) for origin in whole.get("provenance", [])]
    return Source(path, [{**point, "p50": point["estimate"]} for point in whole["points"]], max(cores, default=1))


def run(path: Path) -> Source | None:
    """The facts of a run: a traced one, or one on the host; None: there are none."""
    facts = _facts(path)
    if not facts:
        return None
    cores = next((len(fact.get("cores", [])) for fact in facts if fact.get("tag") == "topology"), 0)
    return Source(path, [{**fact, "cores": cores} for fact in facts if fact.get("tag") == "bench"],
                  facts[0].get("host", {}).get("cores", 1))


def ticks_per_ns(path: Path) -> float | None:
    """What the program `clocks` said in a traced run."""
    return next((fact["ticks_per_second"] / 1e9 for fact in _facts(path) if fact.get("tag") == "clock"), None)


def _facts(path: Path) -> list[dict]:
    if not path.exists():
        return []
    try:
        facts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise Refused(f"{path} is damaged or truncated: {error}.") from None
    if not all(isinstance(fact, dict) for fact in facts):
        raise Refused(f"{path} is damaged: not every line of it is a fact.")
    return facts


# ---- Sorting ----------------------------------------------------------------------------------------------------------

def lenses(sources: list[Source], cycles_per_ns: float | None) -> dict[str, Lens]:
    """By name; of each lens the first source that has any."""
    found: dict[str, Lens] = {}
    for source in sources:
        for lens, unit in (("elapsed", "ns"), ("instructions", INSTRUCTIONS)):
            found_here = [m for m in (_measured(source.path, fact, lens, cycles_per_ns) for fact in source.facts) if m]
            if found_here and lens not in found:
                found[lens] = Lens(lens, unit, found_here, source)
    return found


def _measured(path: Path, fact: dict, lens: str, cycles_per_ns: float | None) -> Measured | None:
    operation = OPERATION_OF.get(str(fact.get("id")))
    if operation is None or "system" in fact or fact.get("lens") != lens or not fact.get("holders"):
        return None
    scale = {"ns": 1, "us": 1000, "instructions": 1, "cycles": 1 / cycles_per_ns if cycles_per_ns else None}.get(str(fact.get("unit")))
    numbers = [fact.get("cores"), fact.get("holders"), fact.get("p50")]
    if not all(isinstance(number, (int, float)) and number > 0 for number in numbers):
        raise Refused(f"{path} has a measurement without its cores, holders or median: {json.dumps(fact)[:120]}")
    return None if scale is None else Measured(operation, numbers[0], numbers[1], numbers[2] * scale)


def agreeing_counts(sources: list[Source]) -> tuple[int, int]:
    """Of the numbers that benchmarks count: how many are as the rules say, and how many there are."""
    pairs = [pair for source in sources for fact in source.facts for pair in [_count_and_rule(fact)] if pair]
    return sum(count == rule for count, rule in pairs), len(pairs)


def _count_and_rule(fact: dict) -> tuple[float, float] | None:
    name, holders = fact.get("id"), fact.get("holders")
    if not isinstance(holders, int) or "system" in fact:
        return None
    if name == ROUNDS:  # one way
        return fact["p50"], build("unmap", 0, tuple(range(1, holders + 1))).depth() / 2
    if name not in OPERATION_OF or OPERATION_OF[name] in REDUCTIONS or "messages" not in fact:
        return None
    messages = build(OPERATION_OF[name], 0, tuple(range(1, holders + 1))).size()
    return fact["messages"], messages / 2 if name == "unmap" else messages  # of unmap, those without the answers


def hop(sources: list[Source]) -> tuple[float, float, float] | None:
    """One way between two bare threads of the host: minimum, median, 99 %."""
    for source in sources:
        for fact in source.facts:
            if fact.get("lens") == "host" and fact.get("id") == HOP and all(isinstance(fact.get(q), (int, float)) for q in ("min", "p50", "p99")):
                return fact["min"] / 2, fact["p50"] / 2, fact["p99"] / 2
    return None
