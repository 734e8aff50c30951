#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make compare A=... B=...`: what differs between two sweeps beyond the noise. compare.py A B: directories, or results.json files.

Counted instructions differ if they are not the same number. Anything else differs if both results are sure and their intervals don't
overlap; with six repetitions each, that happens by chance once in 462 times. A thing is judged as a whole, by the median over all its
places on a machine, and place by place. The table goes to the terminal, all of it to compare.html beside B.
"""

import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

import jobs
import page
import pictures
import points
import robust
import svg

SAME, DIFFERENT, UNSURE = "same", "different", "unsure"


@dataclass(frozen=True)
class Row:
    """A measurement on a machine, in all its places together."""
    name: str
    lens: str
    machine: str
    unit: str
    a: dict
    b: dict
    verdict: str
    places: int
    different: int  # of the places

    @property
    def ratio(self) -> float:
        return self.b["estimate"] / self.a["estimate"] if self.a["estimate"] else float("inf")


@dataclass(frozen=True)
class Comparison:
    rows: list[Row]
    only_a: int  # points
    only_b: int


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or not all(arguments):
        print("make compare A=... B=...: two directories of `make scale`, or their results.json files.", file=sys.stderr)
        return 2
    paths = [Path(argument) for argument in arguments]
    try:
        a, b = (points.load(path) for path in paths)
    except jobs.Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    compared = compare(a["points"], b["points"])
    print("\n".join(_text(compared, a, b)))
    target = (paths[1] if paths[1].is_dir() else paths[1].parent) / "compare.html"
    jobs.write(target, _page(compared, a, b, arguments))
    print(f"All of it is in {target}.")
    return 0


# ---- Judging ----------------------------------------------------------------------------------------------------------

def place(point: dict) -> tuple:
    return (*_measurement(point), point.get("from"), point.get("to"))


def _measurement(point: dict) -> tuple:
    return (point["id"], point.get("system", ""), point["lens"], point["cores"], point["nodes"], point["unit"], point.get("holders", 0),
            tuple(sorted(point.get("parameters", {}).items())))


def verdict(a: dict, b: dict) -> str:
    if not a["stable"] or not b["stable"]:
        return UNSURE
    if a["lens"] == "instructions":
        return SAME if a["estimate"] == b["estimate"] else DIFFERENT
    return DIFFERENT if a["high"] < b["low"] or b["high"] < a["low"] else SAME


def compare(a: list[dict], b: list[dict]) -> Comparison:
    in_a, in_b = {place(point): point for point in a}, {place(point): point for point in b}
    both = [key for key in in_a if key in in_b]
    groups: dict[tuple, list[tuple]] = {}
    for key in both:
        groups.setdefault(_measurement(in_a[key]), []).append(key)
    rows = [_row([in_a[key] for key in keys], [in_b[key] for key in keys]) for keys in groups.values()]
    return Comparison(rows, len(in_a) - len(both), len(in_b) - len(both))


def _row(a: list[dict], b: list[dict]) -> Row:
    whole_a, whole_b = pictures.together(a), pictures.together(b)
    first = a[0]
    details = [f"{name} {first[name]}" for name in ("system", "holders") if name in first]
    details += [f"{name} {value}" for name, value in first.get("parameters", {}).items()]
    return Row(" ".join([first["id"], *details]), first["lens"], pictures.machine(first) if first["cores"] else "host", first["unit"],
               whole_a, whole_b, verdict(whole_a, whole_b), len(a), sum(verdict(x, y) == DIFFERENT for x, y in zip(a, b)))


# ---- Saying it --------------------------------------------------------------------------------------------------------

def _text(compared: Comparison, a: dict, b: dict) -> list[str]:
    lines = [*_origins(a, b), ""]
    changed = [row for row in compared.rows if row.verdict == DIFFERENT or row.different]
    for row in changed:
        lines.append(f"{_sign(row)} {row.name:32} {row.lens:12} {row.machine:18} {svg.number(row.a['estimate']):>9} -> "
                     f"{svg.number(row.b['estimate']):>9} {row.unit:12} x{row.ratio:.3f}  in {row.different} of {row.places} places")
    return lines + ([""] if changed else []) + [_summary(compared)]


def _sign(row: Row) -> str:
    return " " if row.verdict != DIFFERENT else "+" if row.ratio > 1 else "-"


def _summary(compared: Comparison) -> str:
    number = {kind: sum(row.verdict == kind for row in compared.rows) for kind in (SAME, DIFFERENT, UNSURE)}
    timed = [row.ratio for row in compared.rows if row.lens == "elapsed" and row.verdict != UNSURE]
    drift = f" All elapsed ones together: x{robust.median(timed):.3f}." if timed else ""
    return (f"{len(compared.rows)} measurements in both: {number[DIFFERENT]} differ beyond the noise, {number[SAME]} do not, of "
            f"{number[UNSURE]} it can't be said (not sure in A or B). {compared.only_a} points are only in A, {compared.only_b} only in B."
            f"{drift}")


def _origins(a: dict, b: dict) -> list[str]:
    lines = [f"{name}: image {whole['image'][:16]}, revision {', '.join(sorted(_of(whole, 'revision')))}, "
             f"{', '.join(sorted(_hosts(whole)))}" for name, whole in (("A", a), ("B", b))]
    if _hosts(a) != _hosts(b):
        lines.append("The hosts differ: only counted instructions and ratios can be compared.")
    return lines


def _of(whole: dict, name: str) -> set[str]:
    return {str(origin.get(name))[:12] for origin in whole.get("provenance", [])}


def _hosts(whole: dict) -> set[str]:
    return {str(origin.get("host", {}).get("cpu")) for origin in whole.get("provenance", [])}


def _page(compared: Comparison, a: dict, b: dict, names: list[str]) -> str:
    order = (DIFFERENT, UNSURE, SAME)
    rows = "".join(_html_row(row) for row in sorted(compared.rows, key=lambda row: order.index(row.verdict)))
    origins = "".join(f"<p>{escape(line)}</p>" for line in _origins(a, b))
    return page.whole("Atoll: two sweeps", (
        f"<h1>Two sweeps</h1><p>A: {escape(names[0])}; B: {escape(names[1])}</p>{origins}<p><b>{escape(_summary(compared))}</b></p>"
        "<p>Beyond the noise: counted instructions that are not the same number; else, two sure results whose intervals do not overlap. "
        "Elapsed figures of two runs also differ because the host did.</p>"
        f"<div class=scroll><table><tr><th>verdict<th>what<th>lens<th>machine<th>A<th>B<th>B / A<th>places that differ</tr>{rows}</table></div>"))


def _html_row(row: Row) -> str:
    kind = {SAME: "", UNSURE: "unsure", DIFFERENT: "more" if row.ratio > 1 else "less"}[row.verdict]
    a, b = (f"{svg.number(p['estimate'])} <small>({svg.number(p['low'])} – {svg.number(p['high'])})</small>" for p in (row.a, row.b))
    return (f'<tr class="{kind}"><td class="{kind}">{row.verdict}<td>{escape(row.name)}, {escape(row.unit)}<td>{row.lens}<td>{row.machine}'
            f"<td>{a}<td>{b}<td>{row.ratio:.3f}<td>{row.different} of {row.places}</tr>")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
