# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""From the facts of interleaved runs to points, and to the rows of the table.

A turn is one run of Atoll and one of Linux, one after the other. What is compared is the ratio within each turn, so that what changes on
the host from one turn to the next is in both numbers. Estimates are the medians over turns.
"""

import dataclasses

import robust
from rows import ROWS, Row, place

FORMAT = 1
SYSTEMS = ("atoll", "linux")
LEAST_COUNTS = 2  # turns, to see that a count repeats
COUNTS_DIFFER = 0.01  # so little from turn to turn that it is the same path


class Refused(Exception):
    """The message is the sentence for the user."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What one machine said."""
    system: str
    lens: str  # as LENS says it
    cores: int
    nodes: int
    turn: int
    facts: list[dict]
    origin: dict = dataclasses.field(default_factory=dict)  # the run's provenance
    seconds: float = 0

    @property
    def job(self) -> str:
        return f"peers-{self.system}-{self.lens}-{self.cores}"


@dataclasses.dataclass(frozen=True)
class Line:
    """Of the table: one of Linux's measurements beside Atoll's."""
    row: Row
    lens: str
    cores: int
    holders: int
    linux: str
    unit: str
    atoll_value: float
    linux_value: float
    ratio: robust.Estimate


def medians(run: Run) -> dict[tuple, dict]:
    """By identifier, place and number of others; only what is measured in the run's lens, and no ratios."""
    found: dict[tuple, dict] = {}
    for fact in run.facts:
        if fact["tag"] != "bench" or fact["unit"] == "ratio":
            continue
        key = (fact["id"], *place(fact))
        if key in found:
            raise Refused(f"{run.system} says {fact['id']} twice in turn {run.turn}.")
        found[key] = fact
    return found


def lines(runs: list[Run], wanted: int) -> list[Line]:
    """In the order of the rows; a measurement that either side lacks is left out."""
    found = []
    for lens, cores in dict.fromkeys((run.lens, run.cores) for run in runs):
        turns = _turns([run for run in runs if (run.lens, run.cores) == (lens, cores)])
        for row in ROWS:
            found += _row(row, lens, cores, turns, wanted)
    return found


def _turns(runs: list[Run]) -> list[dict[str, dict]]:
    """The medians by system, of each turn that both have been through."""
    by_turn: dict[int, dict[str, dict]] = {}
    for run in runs:
        if run.system not in SYSTEMS:
            raise Refused(f"{run.system} is none of the systems: {', '.join(SYSTEMS)}.")
        by_turn.setdefault(run.turn, {})[run.system] = medians(run)
    return [turn for turn in by_turn.values() if len(turn) == len(SYSTEMS)]


def _row(row: Row, lens: str, cores: int, turns: list[dict], wanted: int) -> list[Line]:
    found = []
    for holders in sorted({key[2] for turn in turns for key in turn["atoll"] if key[:2] == (row.atoll, row.where)}):
        for name in row.linux:
            pairs = [(turn["atoll"].get((row.atoll, row.where, holders)), turn["linux"].get((name, row.where, holders))) for turn in turns]
            pairs = [(ours, theirs) for ours, theirs in pairs if ours and theirs]
            if pairs:
                found.append(_line(row, lens, cores, holders, name, pairs, wanted))
    return found


def _line(row: Row, lens: str, cores: int, holders: int, name: str, pairs: list[tuple[dict, dict]], wanted: int) -> Line:
    units = {fact["unit"] for pair in pairs for fact in pair}
    if len(units) > 1:
        raise Refused(f"{row.atoll} and {name} are in different units: {' and '.join(sorted(units))}.")
    atoll = [ours["p50"] for ours, _ in pairs]
    linux = [row.share * theirs["p50"] for _, theirs in pairs]
    ratios = [theirs / ours for ours, theirs in zip(atoll, linux) if ours > 0]
    if not ratios:
        raise Refused(f"{row.atoll} takes no time at all, so nothing can be compared with it.")
    return Line(row, lens, cores, holders, name, units.pop(), robust.median(atoll), robust.median(linux), judge(lens, ratios, wanted))


def judge(lens: str, values: list[float], wanted: int) -> robust.Estimate:
    """Counted instructions repeat, but for Linux's, which asks the processor for random numbers; everything else varies."""
    if lens != "icount":
        return robust.judge(values, wanted)
    judged = robust.judge_exact(values, wanted)
    repeats = len(values) >= max(wanted, LEAST_COUNTS) and judged.high - judged.low <= COUNTS_DIFFER * judged.estimate
    return dataclasses.replace(judged, stable=True, why=None) if repeats else judged


# ---- For the report -----------------------------------------------------------------------------------------------------

def points(runs: list[Run], wanted: dict[str, int]) -> list[dict]:
    """One for each thing measured in one place by one system, as results.json has them; `wanted`: turns, by lens."""
    groups: dict[tuple, list[dict]] = {}
    for run in runs:
        for key, fact in medians(run).items():
            groups.setdefault((run.system, run.lens, run.cores, run.nodes, run.job, *key), []).append(fact)
    return [_point(key, group, wanted[key[1]]) for key, group in groups.items()]


def _point(key: tuple, group: list[dict], wanted: int) -> dict:
    system, lens, cores, nodes, job = key[:5]
    first, values = group[0], [fact["p50"] for fact in group]
    judged = judge(lens, values, wanted)
    point = {"id": first["id"], "lens": first["lens"], "cores": cores, "nodes": nodes, "from": first["from"], "to": first["to"]}
    point |= {name: first[name] for name in ("holders", "messages") if name in first}
    point |= {"unit": first["unit"], "estimate": judged.estimate, "low": judged.low, "high": judged.high,
              "confidence": round(judged.confidence, 4), "stable": judged.stable, **({"why": judged.why} if judged.why else {}),
              "runs": len(group), "outliers": judged.outliers, "n": sum(fact["n"] for fact in group), "values": values,
              "min": min(fact["min"] for fact in group), "max": max(fact["max"] for fact in group)}
    return {**point, **({"system": system} if system != "atoll" else {}), "job": job}


def provenance(runs: list[Run], path: str) -> list[dict]:
    """Of each system on each machine in each lens; `path`: where all facts are."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.job, []).append(run)
    return [{**{name: value for name, value in group[0].origin.items() if name not in ("tag", "date")}, "job": job,
             "dates": [run.origin.get("date") for run in group], "seconds": [round(run.seconds, 2) for run in group],
             "loads": [run.origin.get("host", {}).get("load") for run in group], "tries": [], "files": [path]} for job, group in groups.items()]


def row_facts(found: list[Line]) -> list[dict]:
    """The table, for a program that draws it."""
    return [{"row": line.row.what, "where": line.row.where, "lens": line.lens, "cores": line.cores, "holders": line.holders,
             "unit": line.unit, "atoll": {"id": line.row.atoll, "estimate": line.atoll_value},
             "linux": {"id": line.linux, "estimate": line.linux_value, "share": line.row.share},
             "ratio": {"estimate": line.ratio.estimate, "low": line.ratio.low, "high": line.ratio.high,
                       "stable": line.ratio.stable, "why": line.ratio.why}} for line in found]
