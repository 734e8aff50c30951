# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The part of the report that `make peers` makes: another system's measurements beside Atoll's, from peers.json."""

from dataclasses import dataclass
from pathlib import Path

import jobs
import pictures
import svg

FORMAT = 1
NAME_IN_FACTS = {"icount": "instructions", "elapsed": "elapsed"}
BY_CORES = "by cores"
OURS, THEIRS = 0, 1  # colours
NAMES, BARS, NUMBERS = 8.0, 172.0, 54.0  # where names and bars begin, and the room for numbers at the right


@dataclass(frozen=True)
class Bar:
    name: str
    mark: svg.Mark
    colour: int


def sections(path: Path, whole: dict) -> list[pictures.Section]:
    """Adds where the numbers come from to the report's provenance."""
    peers = jobs.read_json(path)
    if not isinstance(peers, dict) or peers.get("format") != FORMAT:
        raise jobs.Refused(f"{path} is not a file of this version of `make peers`: run it again, or remove the file.")
    try:
        whole["provenance"] += peers["provenance"]
        found = {_key(point, point.get("system")): point for point in peers["points"]}
        figures = [*_tables(peers["rows"], found), *_curves(peers["rows"], found)]
        return [pictures.Section("Beside Linux", " ".join(peers["caveats"]), tuple(figures))] if figures else []
    except (KeyError, TypeError) as error:
        raise jobs.Refused(f"{path} is damaged ({error}): run `make peers` again.") from None


def _key(point: dict, system: str | None) -> tuple:
    where = BY_CORES if "holders" in point else point["from"] == point["to"]
    return system, point["id"], point["lens"], point["cores"], where, point.get("holders", 0)


def _points(row: dict, found: dict[tuple, dict]) -> tuple[dict, dict]:
    """Atoll's and Linux's."""
    place = (NAME_IN_FACTS[row["lens"]], row["cores"], BY_CORES if row["where"] == BY_CORES else row["where"] == "on one core", row["holders"])
    return found[(None, row["atoll"]["id"], *place)], found[("linux", row["linux"]["id"], *place)]


def _mark(point: dict, x: float, share: float = 1) -> svg.Mark:
    return svg.Mark(x, share * point["estimate"], share * point["low"], share * point["high"], point["stable"], pictures.describe(point))


# ---- One thing below the other ------------------------------------------------------------------------------------------

def _tables(rows: list[dict], found: dict[tuple, dict]) -> list[pictures.Figure]:
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["where"] != BY_CORES:
            groups.setdefault((row["lens"], row["where"]), []).append(row)
    return [_table(lens, where, group, found) for (lens, where), group in groups.items()]


def _table(lens: str, where: str, rows: list[dict], found: dict[tuple, dict]) -> pictures.Figure:
    heads: dict[str, list[Bar]] = {}
    behind: dict[int, dict] = {}
    for row in rows:
        ours, theirs = _points(row, found)
        share = row["linux"]["share"]
        bars = heads.setdefault(row["row"], [Bar(row["atoll"]["id"], _mark(ours, 0), OURS)])
        bars.append(Bar(row["linux"]["id"].replace(".rtt", "") + ("" if share == 1 else f" × {share:g}"), _mark(theirs, 0, share), THEIRS))
        behind |= {id(point): point for point in (ours, theirs)}
    label = f"Atoll and Linux, {where}"
    return pictures.Figure(label, f"Medians, {rows[0]['unit']}, on a logarithmic scale; blue: Atoll, orange: Linux", NAME_IN_FACTS[lens],
                           bars_below(heads, label), tuple(behind.values()))


def bars_below(heads: dict[str, list[Bar]], label: str) -> str:
    """Under each head its bars, whose lengths are logarithms."""
    values = [bar.mark.estimate for bars in heads.values() for bar in bars]
    x = svg.Scale(max(min(values), 1) / 2, max(*values, 2), BARS, svg.WIDTH - NUMBERS, True)
    parts, y = [], 0.0
    for head, bars in heads.items():
        y += 20
        parts.append(svg.text(NAMES, y, head, class_="axis"))
        for bar in bars:
            y += 15
            parts.append(_bar(bar, x, y))
    return svg.picture(y + 10, parts, label, "bars")


def _bar(bar: Bar, x: svg.Scale, y: float) -> str:
    colour, mark = svg.COLOURS[bar.colour], bar.mark
    end = max(x.at(mark.estimate), BARS + 1)
    fill = {"fill": colour} if mark.stable else {"fill": "none", "stroke": colour, "stroke_dasharray": "2 2"}
    inside = svg.title(mark.title) + svg.text(BARS - 5, y, bar.name, "end")
    inside += svg.element("rect", x=BARS, y=y - 9, width=end - BARS, height=10.0, **fill)
    inside += svg.text(end + 4, y, svg.number(mark.estimate))
    return svg.element("g", inside, class_="sure" if mark.stable else "unsure")


# ---- Against the number of cores ----------------------------------------------------------------------------------------

def _curves(rows: list[dict], found: dict[tuple, dict]) -> list[pictures.Figure]:
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["where"] == BY_CORES:
            groups.setdefault((row["lens"], row["cores"], row["row"]), []).append(row)
    return [_curve(*key, group, found) for key, group in groups.items()]


def _curve(lens: str, cores: int, what: str, rows: list[dict], found: dict[tuple, dict]) -> pictures.Figure:
    lines: dict[str, dict[int, svg.Mark]] = {}
    behind: dict[int, dict] = {}
    for row in rows:
        ours, theirs = _points(row, found)
        lines.setdefault("Atoll", {})[row["holders"]] = _mark(ours, row["holders"])
        lines.setdefault(f"Linux: {row['linux']['id']}", {})[row["holders"]] = _mark(theirs, row["holders"], row["linux"]["share"])
        behind |= {id(point): point for point in (ours, theirs)}
    series = [svg.Series(name, tuple(marks.values())) for name, marks in lines.items()]
    title = f"{what}, {pictures.count(cores, 'core')}"
    return pictures.Figure(title, f"Medians, {rows[0]['unit']}", NAME_IN_FACTS[lens],
                           svg.curves(series, title, "other cores", rows[0]["unit"], log_x=False), tuple(behind.values()))
