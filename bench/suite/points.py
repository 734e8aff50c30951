# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""From the facts of all repetitions to points, one for each thing measured in one place: build/bench/results.json and .csv.

A point's `estimate`, `low` and `high` are what robust.py says of `values`, the medians of the single repetitions. `n` counts the samples of
all of them, `min` and `max` are over all of them, and the other percentiles are the medians of the repetitions' own.
"""

import csv
import io
import json
from pathlib import Path

import facts
import jobs
import robust
from benchmarks import NAME_IN_FACTS

FORMAT = 1
PERCENTILES = ("p5", "p25", "p50", "p75", "p95", "p99")
KNOWN = {"tag", "id", "lens", "unit", "from", "to", "holders", "messages", "system", "n", "min", "max", *PERCENTILES}
COLUMNS = ("id", "system", "lens", "cores", "nodes", "from", "to", "distance", "holders", "parameters", "unit", "estimate", "low", "high",
           "confidence", "stable", "why", "runs", "outliers", "n", "min", "p5", "p25", "p75", "p95", "p99", "max", "messages", "job")


def results(plan: jobs.JobList) -> dict:
    """All that is known so far. What is missing or failed is said, never left out silently."""
    points, provenance, missing = [], [], []
    for job in plan.jobs:
        runs = [run for run in (facts.read(plan.file(job, number)) for number in range(1, job.repetitions + 1)) if run]
        good = [run for run in runs if run.good]
        if len(good) < job.repetitions:
            missing.append(_missing(job, runs, len(good)))
        if good:
            provenance.append(_provenance(plan, job, good))
            points += _points(job, good)
    return {"format": FORMAT, "image": plan.image, "provenance": provenance, "missing": missing, "points": points}


def _missing(job: jobs.Job, runs: list[facts.Repetition], good: int) -> dict:
    why = next((run.why for run in runs if not run.good), None)
    return {"job": job.id, "good": good, "wanted": job.repetitions, "why": why or "not run yet"}


def _provenance(plan: jobs.JobList, job: jobs.Job, good: list[facts.Repetition]) -> dict:
    """Of all repetitions; what differs between them (date, load) is listed."""
    first = good[0].provenance()
    loads = [run.provenance().get("host", {}).get("load") for run in good]
    return {"job": job.id, "app": job.app, "image": plan.image, "runs": len(good),
            "dates": [run.provenance().get("date") for run in good], "loads": loads,
            "seconds": [round(run.seconds, 2) for run in good], "tries": [run.tries for run in good],
            "files": [str(run.path.relative_to(plan.directory)) for run in good],
            **{name: value for name, value in first.items() if name not in ("tag", "date")}}


# ---- Points -----------------------------------------------------------------------------------------------------------

def _points(job: jobs.Job, good: list[facts.Repetition]) -> list[dict]:
    """Facts that agree in all but the numbers are one point's."""
    groups: dict[tuple, list[dict]] = {}
    for run in good:
        seen = set()
        for fact in _measured(job, run):
            key = identity(fact)
            if key in seen:
                raise facts.Damaged(f"{run.path} says {fact['id']} twice for the same place.")
            seen.add(key)
            groups.setdefault(key, []).append(fact)
    distances = _distances(good[0])
    return [_point(job, group, distances) for group in groups.values()]


def _measured(job: jobs.Job, run: facts.Repetition) -> list[dict]:
    found = [fact for fact in run.tagged("bench") if fact["lens"] == NAME_IN_FACTS[job.lens]]
    # The time of a start is the clock's: under -icount QEMU 7.2 lets the rest of a core's turn pass with each INIT.
    return found + (_boot(run) if job.family == "boot" else [])


def _boot(run: facts.Repetition) -> list[dict]:
    found = [_moment(f"boot.{name.removesuffix('_us')}", us, boot["core"]) for boot in run.tagged("boot")
             for name, us in (("entered_us", boot.get("entered_us")), ("driver_us", boot.get("driver_us")), ("ready_us", boot["us"]))
             if us is not None]
    found += [_moment(f"boot.phase.{name.removesuffix('_us')}", us, None) for phases in run.tagged("boot_phases")
              for name, us in phases.items() if name.endswith("_us")]
    return found


def _moment(name: str, us: float, core: int | None) -> dict:
    place = {} if core is None else {"from": core, "to": core}
    return {"tag": "bench", "id": name, "lens": "elapsed", "unit": "us", **place, "n": 1, "min": us, "p50": us, "p99": us, "max": us}


def parameters(fact: dict) -> dict:
    return {name: value for name, value in fact.items() if name not in KNOWN}


def identity(fact: dict) -> tuple:
    """What tells a fact of one repetition from the others of the same repetition."""
    return (fact["id"], fact["unit"], fact.get("from"), fact.get("to"), fact.get("holders"), fact.get("system"),
            tuple(sorted(parameters(fact).items())))


def _point(job: jobs.Job, group: list[dict], distances: dict) -> dict:
    first = group[0]
    values = [fact["p50"] for fact in group]
    if job.lens == "icount":
        judged = robust.judge_exact(values, job.repetitions, all(fact == first for fact in group))
    else:
        judged = robust.judge(values, job.repetitions)
    point = {"id": first["id"], "lens": first["lens"], "cores": job.cores, "nodes": job.nodes}
    point |= {name: first[name] for name in ("from", "to", "holders", "system") if name in first}
    of_two = first.get("from") != first.get("to") or first["id"].startswith("memory.")
    if of_two and "holders" not in first and (first.get("from"), first.get("to")) in distances:
        point["distance"] = distances[first["from"], first["to"]]
    if parameters(first):
        point["parameters"] = parameters(first)
    point |= {"unit": first["unit"], "estimate": judged.estimate, "low": judged.low, "high": judged.high,
              "confidence": round(judged.confidence, 4), "stable": judged.stable}
    if judged.why:
        point["why"] = judged.why
    point |= {"runs": len(group), "outliers": judged.outliers, "n": sum(fact["n"] for fact in group), "values": values,
              "min": min(fact["min"] for fact in group), "max": max(fact["max"] for fact in group)}
    point |= {name: robust.median([fact[name] for fact in group]) for name in PERCENTILES
              if name != "p50" and all(name in fact for fact in group)}
    if "messages" in first:
        point["messages"] = robust.median([fact["messages"] for fact in group])
    return {**point, "job": job.id}


def _distances(run: facts.Repetition) -> dict[tuple[int, int], int]:
    """Between the nodes of each two cores, as the machine's firmware says it."""
    found = run.tagged("topology")
    if not found:
        return {}
    row = {node["node"]: index for index, node in enumerate(found[-1]["nodes"])}
    node_of = {core["core"]: row.get(core["node"]) for core in found[-1]["cores"]}
    return {(a, b): found[-1]["distances"][node_of[a]][node_of[b]] for a in node_of for b in node_of
            if node_of[a] is not None and node_of[b] is not None}


# ---- Files ------------------------------------------------------------------------------------------------------------

def save(directory: Path, whole: dict) -> None:
    jobs.write(directory / "results.json", json.dumps(whole, separators=(",", ":")) + "\n")
    jobs.write(directory / "results.csv", as_csv(whole))


def as_csv(whole: dict) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for point in whole["points"]:
        named = " ".join(f"{name}={value}" for name, value in point.get("parameters", {}).items())
        writer.writerow({**point, "parameters": named, "stable": "yes" if point["stable"] else "no"})
    return text.getvalue()


def load(path: Path) -> dict:
    """A results file, or the directory that has one."""
    path = path / "results.json" if path.is_dir() else path
    whole = jobs.read_json(path)
    if not isinstance(whole, dict) or not isinstance(whole.get("points"), list):
        raise jobs.Refused(f"{path} is not a results file of the suite.")
    if whole.get("format") != FORMAT:
        raise jobs.Refused(f"{path} is of another version of the suite (format {whole.get('format')}, not {FORMAT}).")
    needed = ("id", "lens", "cores", "nodes", "unit", "estimate", "low", "high", "stable", "values", "job")
    for point in whole["points"]:
        lacking = [name for name in needed if name not in point]
        if lacking:
            raise jobs.Refused(f"{path} has a point without {lacking[0]}: {json.dumps(point)[:120]}")
    return whole
