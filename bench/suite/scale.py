#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make scale`: scale.py check|run NAME=value ... sweeps machines, lenses and benchmarks, and writes the report.

What is complete is not run again: an interrupted sweep is continued by the same command, and a longer list adds to what is there.
`check` refuses senseless settings before anything is built. The exit code is 0 if every point is there, 1 if not, 2 for a refusal.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import ending
import facts
import jobs
import points
import report
import spread
from benchmarks import LENSES
from progress import Experience, duration

ROOT = Path(__file__).resolve().parents[2]
MOST_CORES = 255  # boot/launch/settings.py says why
MOST_NODES = 128
MOST_REPETITIONS = 1000
WAYS = ("here", "parallel", "slurm")
DEFAULTS = {
    "CORES": "1 2 4 8 16 32",
    "NODES": "2 1 4",
    "LENS": "elapsed icount host",
    "BENCH": " ".join(jobs.family_names()),
    "REPEAT": "6",
    "MEM": "",
    "PIN": "auto",
    "BY": "here",
    "HOSTS": "",
    "FRESH": "0",
    "OUT": "",
    "BUILD": "build",
}


@dataclass(frozen=True)
class Wishes:
    sweep: jobs.Sweep
    build: Path
    out: Path
    by: str
    hosts: Path | None
    fresh: bool


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in ("check", "run"):
        print("usage: scale.py check|run [NAME=value ...]", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    try:
        wishes = parse(arguments[1:])
        return 0 if arguments[0] == "check" else sweep(wishes)
    except (jobs.Refused, facts.Damaged) as refusal:
        print(refusal, file=sys.stderr)
        return 2


def parse(words: list[str]) -> Wishes:
    values = dict(DEFAULTS)
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or name not in DEFAULTS:
            raise jobs.Refused(f"{word} is not a setting of `make scale`: the settings are {', '.join(DEFAULTS)}.")
        values[name] = value.strip()
    if values["BY"] not in WAYS:
        raise jobs.Refused(f"BY={values['BY']} is unknown: it is {', '.join(WAYS)}.")
    if bool(values["HOSTS"]) != (values["BY"] == "parallel"):
        raise jobs.Refused("BY=parallel and HOSTS=FILE (a host in each line) belong together.")
    if values["PIN"] not in ("auto", "on", "1", "off", "0"):
        raise jobs.Refused(f"PIN={values['PIN']} is unknown: it is auto, 1 or off.")
    if values["FRESH"] not in ("0", "1"):
        raise jobs.Refused(f"FRESH={values['FRESH']} is neither 0 nor 1.")
    hosts = Path(values["HOSTS"]) if values["HOSTS"] else None
    if hosts is not None:
        spread.hosts(hosts)
    build = Path(values["BUILD"])
    wanted = _sweep(values)
    _check_plans(wanted, build)
    return Wishes(wanted, build, Path(values["OUT"]) if values["OUT"] else build / "bench", values["BY"], hosts,
                  values["FRESH"] == "1")


def _sweep(values: dict[str, str]) -> jobs.Sweep:
    repetitions = jobs.numbers("REPEAT", values["REPEAT"], MOST_REPETITIONS)
    if len(repetitions) != 1:
        raise jobs.Refused(f"REPEAT={values['REPEAT']} is not one number.")
    return jobs.Sweep(jobs.numbers("CORES", values["CORES"], MOST_CORES), jobs.numbers("NODES", values["NODES"], MOST_NODES),
                      jobs.names("LENS", values["LENS"], LENSES), jobs.names("BENCH", values["BENCH"], jobs.family_names()),
                      repetitions[0], tuple(f"{name}={values[name]}" for name in ("MEM", "PIN") if values[name] != DEFAULTS[name]))


def _check_plans(sweep: jobs.Sweep, build: Path) -> None:
    """With PIN=1 every machine has to fit on this host; the launcher's sentence says which doesn't."""
    planned = {tuple(job.words()[:2]): job for job in jobs.plan(sweep) if "PIN=1" in job.settings or "PIN=on" in job.settings}
    for job in planned.values():
        answer = subprocess.run([str(ROOT / "boot/launch/run.py"), "check", f"BUILD={build}", *job.words()], capture_output=True, text=True,
                                check=False)
        if answer.returncode:
            raise jobs.Refused(answer.stderr.strip())


# ---- The sweep --------------------------------------------------------------------------------------------------------

def sweep(wishes: Wishes) -> int:
    wishes.out.mkdir(parents=True, exist_ok=True)
    with (wishes.out / ".lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise jobs.Refused(f"Another sweep is at work in {wishes.out}: wait for its end, or say OUT=another-directory.") from None
        plan = prepare(wishes)
        begin = time.monotonic()
        work(wishes, plan)
        return finish(plan, time.monotonic() - begin)


def prepare(wishes: Wishes) -> jobs.JobList:
    plan = jobs.JobList(wishes.out, wishes.build, jobs.checksum(wishes.build / "atoll.iso"), jobs.plan(wishes.sweep))
    if not plan.jobs:
        raise jobs.Refused("Nothing is left to measure: none of BENCH goes with this LENS and these CORES.")
    if wishes.fresh:
        shutil.rmtree(wishes.out / "jobs", ignore_errors=True)
    elif (wishes.out / "jobs.json").exists() and jobs.load(wishes.out).image != plan.image:
        raise jobs.Refused(f"{wishes.out} has results of another image than {wishes.build / 'atoll.iso'} is now: say "
                           "OUT=another-directory to keep them, or FRESH=1 to begin anew.")
    jobs.save(plan)
    return plan


def work(wishes: Wishes, plan: jobs.JobList) -> None:
    todo = spread.open_repetitions(plan)
    whole = sum(job.repetitions for job in plan.jobs)
    experience = Experience(plan)
    expected = sum(experience.expect(job) for job, _ in todo)
    print(f"{len(plan.jobs)} jobs, {whole} repetitions, {whole - len(todo)} of them done before; about {duration(expected)} on one machine.")
    if wishes.by == "parallel":
        spread.parallel(plan, wishes.hosts)
    elif wishes.by == "slurm":
        spread.slurm(plan)
    else:
        spread.here(plan)


def finish(plan: jobs.JobList, seconds: float) -> int:
    whole = points.results(plan)
    points.save(plan.directory, whole)
    page = report.write(plan.directory, whole)
    sure = sum(point["stable"] for point in whole["points"])
    print(f"{len(whole['points'])} points, {sure} of them sure, after {duration(seconds)}.")
    for entry in whole["missing"]:
        print(f"Missing: {entry['job']} has {entry['good']} of {entry['wanted']} repetitions: {entry['why']}", file=sys.stderr)
    print(f"The report is {page}; the same as data: {plan.directory / 'results.json'}, {plan.directory / 'results.csv'}.")
    return 1 if whole["missing"] else 0


if __name__ == "__main__":
    ending.exit_with(lambda: main(sys.argv[1:]), "\nInterrupted: the same command continues where this one stopped.")
