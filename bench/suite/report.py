#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The report: one HTML file without scripts or anything from elsewhere, made from the results of a sweep.

`make report` (report.py DIRECTORY) writes it anew from what is there. Beside each picture are its lens's caveats and, folded away, the
numbers behind it, each with the job that it comes from; the jobs' provenance is at the end. `peers.json` and `model.json`, if they are in
the directory, have parts of their own.
"""

import os
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path

import beside
import facts
import jobs
import page
import pictures
import points
import predicted
import robust
import svg
from benchmarks import CAVEATS, FAMILIES

ROOT = Path(__file__).resolve().parents[2]
# Files beside the results, and what makes sections of them.
EXTRAS: dict[str, Callable[[Path, dict], list[pictures.Section]]] = {"peers.json": beside.sections, "model.json": predicted.sections}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: report.py DIRECTORY", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    directory = Path(arguments[0])
    try:
        if not (directory / "jobs.json").exists():
            raise jobs.Refused(f"{directory} has no jobs.json, so nothing was measured there: `make scale` comes first.")
        whole = points.results(jobs.load(directory))
        points.save(directory, whole)
        print(f"The report is {write(directory, whole)}.")
    except (jobs.Refused, facts.Damaged) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    return 0


def write(directory: Path, whole: dict) -> Path:
    found = pictures.sections(whole["points"])
    whole = {**whole, "provenance": list(whole["provenance"])}
    for name, sections_of in EXTRAS.items():
        if (directory / name).exists():
            found += sections_of(directory / name, whole)
    path = directory / "report.html"
    jobs.write(path, page.whole("Atoll: measurements", _head(whole) + _contents(found) + "".join(map(_section, found))
                                + _reading() + _missing(whole) + _provenance(whole)))
    return path


# ---- The head ---------------------------------------------------------------------------------------------------------

def _head(whole: dict) -> str:
    all_points = whole["points"]
    sure = sum(point["stable"] for point in all_points)
    hosts = {_host(origin) for origin in whole["provenance"]}
    revisions = {_revision(origin) for origin in whole["provenance"]}
    dates = sorted(date for origin in whole["provenance"] for date in origin["dates"] if date)
    lines = [("Revision", ", ".join(sorted(revisions)) or "unknown"), ("Image", f"SHA-256 {whole['image'][:16]}…"),
             ("Host", "; ".join(sorted(hosts)) or "unknown"),
             ("Measured", f"{dates[0]} to {dates[-1]}" if dates else "not yet"),
             ("Points", f"{len(all_points):,}, of which {sure:,} are sure; {len(whole['missing'])} jobs are incomplete"),
             ("Data", "results.json and results.csv beside this file; the facts of every run in jobs/")]
    if len(hosts) > 1:
        lines.append(("Caution", "Jobs ran on several hosts: compare only numbers of the same job's host."))
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in lines)
    return f"<h1>Atoll: measurements</h1><table class=facts>{rows}</table>"


def _host(origin: dict) -> str:
    host = origin.get("host", {})
    return f"{host.get('cpu', 'unknown')}, {pictures.count(host.get('cores', 0), 'core')}, Linux {host.get('kernel', '?')}"


def _revision(origin: dict) -> str:
    revision = origin.get("revision")
    return f"{revision[:12]}{' with changes' if origin.get('dirty') else ''}" if revision else "unknown"


def _contents(found: list[pictures.Section]) -> str:
    names = [section.name for section in found] + ["How to read this", "Provenance"]
    return "<nav>" + " · ".join(f'<a href="#{page.anchor(name)}">{escape(name)}</a>' for name in names) + "</nav>"


# ---- Pictures ---------------------------------------------------------------------------------------------------------

def _section(section: pictures.Section) -> str:
    """Lenses are never mixed: each has its part."""
    parts = [f'<section id="{page.anchor(section.name)}"><h2>{escape(section.name)}</h2><p>{escape(section.words)}</p>']
    for lens in dict.fromkeys(figure.lens for figure in section.figures):
        chosen = [figure for figure in section.figures if figure.lens == lens]
        parts.append(f'<h3>Lens: {escape(lens)}</h3><div class="row">{"".join(map(_figure, chosen))}</div>')
    return "".join(parts) + "</section>"


def _figure(figure: pictures.Figure) -> str:
    unsure = sum(not point["stable"] for point in figure.points)
    doubt = f"<b>{unsure} of {len(figure.points)} not sure.</b> " if unsure else ""
    return (f"<figure><h4>{escape(figure.title)}</h4><div class=scroll>{figure.svg}</div>"
            f"<figcaption>{escape(figure.what)}. {doubt}<span class=caveat>{escape(CAVEATS.get(figure.lens, ''))}</span></figcaption>"
            f"{_numbers(figure.points)}</figure>")


def _numbers(behind: tuple[dict, ...]) -> str:
    if not behind:
        return ""
    rows = "".join(_row(point) for point in behind)
    return ("<details><summary>Numbers and where they come from</summary><div class=scroll><table><tr><th>what<th>where<th>median"
            f"<th>95 % interval<th>runs<th>samples<th>sure<th>job</tr>{rows}</table></div></details>")


def _row(point: dict) -> str:
    sure = "yes" if point["stable"] else escape(f"no: {point.get('why', '')}")
    job = point["job"]
    link = f'<a href="#{page.anchor(job)}">{escape(job)}</a>'
    return (f"<tr{'' if point['stable'] else ' class=unsure'}><td>{escape(point['id'])}<td>{escape(_where(point))}"
            f"<td>{svg.number(point['estimate'])} {escape(point['unit'])}<td>{svg.number(point['low'])} – {svg.number(point['high'])}"
            f"<td>{point.get('runs', '')}<td>{point.get('n', '')}<td>{sure}<td>{link}</tr>")


def _where(point: dict) -> str:
    parts = [pictures.machine(point)] if point["cores"] else []
    if "places" in point:
        parts.append(f"{point['places']} places")
    elif "from" in point:
        parts.append(f"{point['from']} → {point['to']}" if point["from"] != point["to"] else f"core {point['from']}")
    parts += [f"{name} {point[name]}" for name in ("holders", "distance") if name in point]
    return ", ".join(parts + [f"{name} {value}" for name, value in point.get("parameters", {}).items()])


# ---- What a reader has to know ----------------------------------------------------------------------------------------

def _reading() -> str:
    lenses = "".join(f"<dt>{escape(name)}<dd>{escape(text)}" for name, text in CAVEATS.items())
    families = "".join(f"<dt>{escape(family.name)}<dd>{escape(family.what)}" + (f" (<code>{escape(family.app)}</code>)" if family.app else "")
                       for family in FAMILIES)
    return (f'<section id="{page.anchor("How to read this")}"><h2>How to read this</h2>'
            f"<p>Each benchmark warms up, subtracts what reading the counter costs, and takes the median of its samples. Each repetition is a "
            f"boot of its own. An estimate is the median of the repetitions' medians; its interval is the one of order statistics, "
            f"{robust.CONFIDENCE:.0%} or more with {robust.LEAST_RUNS} repetitions, whatever the distribution. A point is sure if all its "
            f"repetitions gave a value and its interval is within ±{robust.TOLERANCE:.0%}; counted instructions have to be the same to the "
            f"digit. What is not sure is drawn hollow, dashed or hatched, and no line leads to it.</p>"
            f"<h3>Lenses</h3><dl>{lenses}</dl><h3>Benchmarks</h3><dl>{families}</dl></section>")


def _missing(whole: dict) -> str:
    if not whole["missing"]:
        return ""
    rows = "".join(f"<tr><td>{escape(entry['job'])}<td>{entry['good']} of {entry['wanted']}<td>{escape(entry['why'])}</tr>"
                   for entry in whole["missing"])
    return ('<section id="missing"><h2>Missing</h2><p>These jobs are not complete; the same command goes on with them.</p>'
            f"<div class=scroll><table><tr><th>job<th>repetitions<th>why</tr>{rows}</table></div></section>")


def _provenance(whole: dict) -> str:
    blocks = "".join(map(_origin, whole["provenance"]))
    return (f'<section id="{page.anchor("Provenance")}"><h2>Provenance</h2><p>Every number names its job; this is how each job was run. '
            f"A job is run again by <code>bench/suite/job.py --again JOB</code>.</p>{blocks}</section>")


def _origin(origin: dict) -> str:
    command = " ".join(origin.get("command", []))
    lines = [("program line", origin["app"]), ("revision", _revision(origin)), ("host", _host(origin)),
             ("accelerator", origin.get("accelerator", "")), ("emulator", origin.get("qemu", "")),
             ("pinned to", str(origin.get("pinned"))), ("begun", ", ".join(filter(None, origin["dates"]))),
             ("host's load before", ", ".join(map(str, origin["loads"]))), ("seconds", ", ".join(map(str, origin["seconds"]))),
             ("tries", ", ".join(map(str, origin["tries"]))),
             ("facts", ", ".join(origin["files"])), ("command", command)]
    rows = "".join(f"<tr><th>{name}<td>{escape(value)}</tr>" for name, value in lines if value and value != "None")
    return (f'<details id="{page.anchor(origin["job"])}" class=job><summary>{escape(origin["job"])}</summary>'
            f"<table class=facts>{rows}</table></details>")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
