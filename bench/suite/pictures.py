# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Which points make which picture."""

from dataclasses import dataclass

import robust
import svg

PAIR_HEATS = ("channel.rtt", "ipc.remote.rtt", "channel.wake", "ipc.stream.wake")
DISTANCE_IDS = ("channel.stream", "channel.rtt", "channel.wake", "memory.read", "memory.write", "memory.latency", "spawn")
SHAPES = (".flat", ".tree")
BOOT_STRETCHES = (("boot.entered", "until its first instruction"), ("boot.driver", "CPU driver"), ("boot.ready", "monitor"))
QUANTILES = ("min", "p5", "p25", "estimate", "p75", "p95", "p99", "max")


@dataclass(frozen=True)
class Figure:
    title: str
    what: str
    lens: str  # as the facts say it
    svg: str
    points: tuple[dict, ...]  # behind the picture


@dataclass(frozen=True)
class Section:
    name: str
    words: str
    figures: tuple[Figure, ...]


def sections(points: list[dict]) -> list[Section]:
    """Only those with something in them. Other systems have a part of their own."""
    own = [point for point in points if "system" not in point and point["lens"] != "host"]
    found = [
        Section("Between two cores", "From every core to every other one; each cell is a median.", tuple(_heats(own))),
        Section("By distance", "Each mark is a pair of cores (or a core and a node), at the distance that the machine's firmware states.",
                tuple(_by_distance(own))),
        Section("With the number of cores", "The median over all places on the machine where a thing was measured, against its cores.",
                tuple(_by_cores(own))),
        Section("With the number of those concerned", "Operations that other cores have to do with: holders, users, members.",
                tuple(_by_holders(own))),
        Section("Flat or along a tree", "A word to so many cores, and an answer from all: every message by one core, or along a binary tree.",
                tuple(_shapes(own))),
        Section("Throughput by cores at work", "On one machine, with so many of its cores at work.", tuple(_by_parameter(own))),
        Section("Distributions", "Box: the middle half; line: 5 % to 95 %; dots: minimum, 99 %, maximum. Medians over the repetitions.",
                tuple(_distributions(own))),
        Section("The start", "From the loader's first instruction.", tuple(_starts(own))),
        Section("On the bare host", "The channel's own code, beside a bare cache line and another library's ring.", tuple(_host(points))),
    ]
    return [section for section in found if section.figures]


# ---- Helpers ----------------------------------------------------------------------------------------------------------

def mark(point: dict, x: float) -> svg.Mark:
    return svg.Mark(x, point["estimate"], point["low"], point["high"], point["stable"], describe(point))


def describe(point: dict) -> str:
    where = f", core {point['from']} to {point['to']}" if point.get("to", point.get("from")) != point.get("from") else ""
    unsure = "" if point["stable"] else f"; not sure: {point.get('why', '')}"
    return (f"{point['id']}{where}: {svg.number(point['estimate'])} {point['unit']}, {svg.number(point['low'])} to "
            f"{svg.number(point['high'])}; {point.get('runs', 1)} runs; {point['job']}{unsure}")


def machine(point: dict) -> str:
    return f"{count(point['cores'], 'core')}, {count(point['nodes'], 'node')}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _groups(points: list[dict], *names: str) -> dict[tuple, list[dict]]:
    groups: dict[tuple, list[dict]] = {}
    for point in points:
        groups.setdefault(tuple(point.get(name) for name in names), []).append(point)
    return groups


def _is_pair(point: dict) -> bool:
    return "holders" not in point and point.get("from") != point.get("to")


def together(points: list[dict]) -> dict:
    """One point for all places on one machine: in each repetition the median over the places, then as ever."""
    if len(points) == 1:
        return points[0]
    runs = min(len(point["values"]) for point in points)
    values = [robust.median([point["values"][run] for point in points]) for run in range(runs)]
    exact = points[0]["lens"] == "instructions"
    judged = (robust.judge_exact if exact else robust.judge)(values, max(point.get("runs", runs) for point in points))
    whole = {name: points[0][name] for name in ("id", "lens", "cores", "nodes", "unit", "job")}
    whole |= {"estimate": judged.estimate, "low": judged.low, "high": judged.high, "stable": judged.stable, "values": values,
              "runs": runs, "places": len(points)}
    whole |= {name: robust.median([point[name] for point in points]) for name in QUANTILES
              if name != "estimate" and all(name in point for point in points)}
    return whole | ({} if judged.stable else {"why": judged.why})


# ---- The pictures -----------------------------------------------------------------------------------------------------

def _heats(points: list[dict]) -> list[Figure]:
    """On the largest machine of which all pairs were measured, and on each number of nodes; larger ones as far as they were."""
    figures = []
    for (name, lens), group in _groups([p for p in points if p["id"] in PAIR_HEATS and _is_pair(p)], "id", "lens").items():
        machines = _groups(group, "cores", "nodes")
        whole = [key for key, cells in machines.items() if len(cells) == key[0] * (key[0] - 1) and key[0] > 2]
        most = max((cores for cores, _ in whole), default=max(cores for cores, _ in machines))
        for key in sorted(machines):
            if key[0] >= most:
                cells = {(p["from"], p["to"]): mark(p, 0) for p in machines[key]}
                title = f"{name}, {machine(machines[key][0])}"
                figures.append(Figure(title, f"Median, {group[0]['unit']}", lens, svg.heat(cells, title), tuple(machines[key])))
    return sorted(figures, key=lambda figure: PAIR_HEATS.index(figure.title.partition(",")[0]))


def _by_distance(points: list[dict]) -> list[Figure]:
    figures = []
    chosen = [p for p in points if p["id"] in DISTANCE_IDS and "distance" in p and p["cores"] > 1]
    for (name, lens), group in _groups(chosen, "id", "lens").items():
        most = max((p["cores"], p["nodes"]) for p in group)
        shown = [p for p in group if (p["cores"], p["nodes"]) == most]
        if len({p["distance"] for p in shown}) < 2:
            continue
        series = [svg.Series("", tuple(mark(p, p["distance"] + _aside(p, shown)) for p in shown))]
        title = f"{name}, {machine(shown[0])}"
        figures.append(Figure(title, f"Median of each pair, {shown[0]['unit']}", lens,
                              svg.dots(series, title, "distance (SLIT)", shown[0]["unit"], sorted({p["distance"] for p in shown})),
                              tuple(shown)))
    return figures


def _aside(point: dict, shown: list[dict]) -> float:
    """Pairs of the same distance lie side by side."""
    same = [p for p in shown if p["distance"] == point["distance"]]
    return (same.index(point) / len(same) - 0.5) * 5


def _by_cores(points: list[dict]) -> list[Figure]:
    figures = []
    plain = [p for p in points if "holders" not in p and "parameters" not in p and not p["id"].startswith("boot.")]
    plain += [p for p in points if p["id"] == "boot.phase.complete"]
    for (lens, name, unit), group in sorted(_groups(plain, "lens", "id", "unit").items()):
        if len({p["cores"] for p in group}) < 2:
            continue
        series, behind = [], []
        for (nodes,), same in sorted(_groups(group, "nodes").items()):
            whole = [together(cells) for _, cells in sorted(_groups(same, "cores").items())]
            behind += whole
            series.append(svg.Series(count(nodes, "node"), tuple(mark(p, p["cores"]) for p in whole)))
        figures.append(Figure(name, f"Median over all places, {unit}", lens, svg.curves(series, name, "cores", unit), tuple(behind)))
    return figures


def _shapes(points: list[dict]) -> list[Figure]:
    """On the largest machine of the usual number of nodes."""
    figures = []
    chosen = [{**p, "thing": p["id"].rpartition(".")[0]} for p in points if "holders" in p and p["id"].endswith(SHAPES)]
    for (lens, thing), group in sorted(_groups(chosen, "lens", "thing").items()):
        cores = max(p["cores"] for p in group)
        shown = [p for p in group if p["cores"] == cores and p["nodes"] == _usual_nodes(group, cores)]
        series = [svg.Series(shape[1:], tuple(mark(p, p["holders"]) for p in shown if p["id"].endswith(shape))) for shape in SHAPES]
        title, unit = f"{thing}, {machine(shown[0])}", shown[0]["unit"]
        figures.append(Figure(title, f"Median, {unit}, by the number of other cores", lens,
                              svg.curves(series, title, "other cores", unit, log_x=False), tuple(shown)))
    return figures


def _by_holders(points: list[dict]) -> list[Figure]:
    figures = []
    chosen = [p for p in points if "holders" in p and not p["id"].endswith(SHAPES)]
    for (lens, name, unit), group in sorted(_groups(chosen, "lens", "id", "unit").items()):
        series = [svg.Series(machine(same[0]), tuple(mark(p, p["holders"]) for p in sorted(same, key=lambda p: p["holders"])))
                  for _, same in sorted(_groups(group, "cores", "nodes").items())]
        if max(len(one.marks) for one in series) > 1:
            figures.append(Figure(name, f"Median, {unit}, by the number of other cores", lens,
                                  svg.curves(series, name, "other cores", unit, log_x=False), tuple(group)))
    return figures


def _by_parameter(points: list[dict]) -> list[Figure]:
    """Of a benchmark that says with how many of the machine's cores it worked."""
    figures = []
    chosen = [p for p in points if "cores" in p.get("parameters", {})]
    for (lens, name, unit), group in sorted(_groups(chosen, "lens", "id", "unit").items()):
        series = [svg.Series(machine(same[0]), tuple(mark(p, p["parameters"]["cores"]) for p in same))
                  for _, same in sorted(_groups(group, "cores", "nodes").items())]
        if max(len(one.marks) for one in series) > 1:
            figures.append(Figure(name, f"Median, {unit}", lens, svg.curves(series, name, "cores at work", unit), tuple(group)))
    return figures


def _distributions(points: list[dict]) -> list[Figure]:
    figures = []
    chosen = [p for p in points if all(name in p for name in QUANTILES) and "holders" not in p and p["lens"] == "elapsed"
              and p["unit"] != "ratio"]
    for (name, lens, unit), group in _groups(chosen, "id", "lens", "unit").items():
        first = [p for p in group if p["nodes"] == _usual_nodes(group, p["cores"])]
        wholes = [together(same) for _, same in sorted(_groups(first, "cores").items())]
        rows = [svg.Strip(count(p["cores"], "core"), tuple(p[q] for q in QUANTILES), p["stable"], describe(p)) for p in wholes]
        figures.append(Figure(name, f"Percentiles, {unit}, logarithmic", lens, svg.strips(rows, name, unit), tuple(wholes)))
    return figures


def _usual_nodes(group: list[dict], cores: int) -> int:
    """Two, if there is a machine of two."""
    nodes = {p["nodes"] for p in group if p["cores"] == cores}
    return 2 if 2 in nodes else min(nodes)


def _starts(points: list[dict]) -> list[Figure]:
    figures = []
    boots = [p for p in points if p["id"].startswith("boot.")]
    for _, group in sorted(_groups(boots, "cores", "nodes").items()):
        if group[0]["nodes"] != _usual_nodes(boots, group[0]["cores"]):
            continue
        lanes = []
        for (core,), own in sorted(_groups([p for p in group if "from" in p], "from").items()):
            by_name = {p["id"]: p for p in own}
            moments = [_ms(by_name[name], index) for index, (name, _) in enumerate(BOOT_STRETCHES) if name in by_name]
            lanes.append(svg.Lane(f"core {core}", tuple(moments)))
        phases = sorted((p for p in group if p["id"].startswith("boot.phase.")), key=lambda p: p["estimate"])
        title = f"The start, {machine(group[0])}"
        names = "; ".join(f"{index} {p['id'].removeprefix('boot.phase.').replace('_', ' ')}" for index, p in enumerate(phases, 1))
        figures.append(Figure(title, f"Milliseconds. {names}.", "elapsed",
                              svg.timeline(lanes, [name for _, name in BOOT_STRETCHES], [_ms(p, 0) for p in phases], title), tuple(group)))
    return figures


def _ms(point: dict, x: float) -> svg.Mark:
    return mark({**point, "unit": "ms", **{name: point[name] / 1000 for name in ("estimate", "low", "high")}}, x)


def _host(points: list[dict]) -> list[Figure]:
    figures = []
    for (unit,), group in _groups([p for p in points if p["lens"] == "host"], "unit").items():
        title = f"Channels on two threads of the host, {unit}"
        places = list(range(len(group)))
        series = [svg.Series(p["id"], (mark(p, place),)) for place, p in zip(places, group)]
        figures.append(Figure(title, f"Median, {unit}", "host", svg.dots(series, title, "", unit, []), tuple(group)))
    return figures
