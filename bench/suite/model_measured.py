# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What was measured of the operations that the model knows: by a sweep (results.json), or else in the traced run itself.

Bench facts of the operations have `holders`, the other cores that they have to do with. Times become nanoseconds; cycles only if a trace
says how many there are in a second.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from model_fit import INSTRUCTIONS, Measured
from model_trace import Refused

OPERATION_OF = {"cap.retype.remote": "retype", "cap.revoke.remote": "revoke", "unmap": "unmap"}
FORMAT = 1  # of results.json (points.py)
HOP = "channel.rtt"


@dataclass
class Lens:
    """All that was measured through one of them."""
    name: str
    unit: str  # ns or instructions
    points: list[Measured]
    source: str


@dataclass(frozen=True)
class Source:
    """Facts of one kind of file, in the same form: `cores` is the machine's."""
    path: Path
    facts: list[dict]
    host_cores: int


# ---- Reading ----------------------------------------------------------------------------------------------------------

def sweep(path: Path) -> Source | None:
    """results.json of `make scale`; None: there is none."""
    if not path.exists():
        return None
    whole = _json(path, path.read_text(encoding="utf-8"))
    if not isinstance(whole, dict) or not isinstance(whole.get("points"), list):
        raise Refused(f"{path} is not a results file of the suite.")
    if whole.get("format") != FORMAT:
        raise Refused(f"{path} is of another version of the suite (format {whole.get('format')}, not {FORMAT}).")
    cores = [origin.get("host", {}).get("cores", 1) for origin in whole.get("provenance", [])]
    return Source(path, [{**point, "p50": point.get("estimate")} for point in whole["points"]], max(cores, default=1))


def run(path: Path) -> Source | None:
    """facts.jsonl of a traced run, or a result file of one."""
    if not path.exists():
        return None
    facts = [_json(path, line) for line in path.read_text(encoding="utf-8").splitlines()]
    if not all(isinstance(fact, dict) for fact in facts):
        raise Refused(f"{path} is damaged: not every line of it is a fact.")
    cores = next((len(fact.get("cores", [])) for fact in facts if fact.get("tag") == "topology"), 0)
    host = facts[0].get("host", {}).get("cores", 1) if facts else 1
    return Source(path, [{**fact, "cores": cores} for fact in facts if fact.get("tag") == "bench"], host)


def _json(path: Path, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(f"{path} is truncated or damaged: {error}.") from None


def ticks_per_ns(path: Path) -> float | None:
    """What the program `clocks` said in a traced run."""
    if not path.exists():
        return None
    facts = [_json(path, line) for line in path.read_text(encoding="utf-8").splitlines()]
    return next((fact["ticks_per_second"] / 1e9 for fact in facts if isinstance(fact, dict) and fact.get("tag") == "clock"), None)


# ---- Sorting ----------------------------------------------------------------------------------------------------------

def lenses(sources: list[Source], cycles_per_ns: float | None) -> dict[str, Lens]:
    """By name; of each lens the first source that has any."""
    found: dict[str, Lens] = {}
    for source in sources:
        for lens, unit in (("elapsed", "ns"), ("instructions", INSTRUCTIONS)):
            points = [m for m in (_measured(source.path, fact, lens, cycles_per_ns) for fact in source.facts) if m]
            if points and lens not in found:
                found[lens] = Lens(lens, unit, points, str(source.path))
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


def hop(sources: list[Source]) -> tuple[float, float, float] | None:
    """One way between two bare threads of the host: minimum, median, 99 %."""
    for source in sources:
        for fact in source.facts:
            if fact.get("lens") == "host" and fact.get("id") == HOP and all(isinstance(fact.get(q), (int, float)) for q in ("min", "p50", "p99")):
                return fact["min"] / 2, fact["p50"] / 2, fact["p99"] / 2
    return None
