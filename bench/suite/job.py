#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Runs one job of a sweep: job.py [--out DIRECTORY] [--again] JOB [REPETITION], or --number N for the N-th job of the list (from 1).

Without a repetition, all of them that are not complete yet; with --again also those that have failed before. The local loop, GNU parallel
and Slurm call nothing else. The exit code is 0 if all is complete, 1 if a repetition failed, 2 if the question was senseless.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import ending
import facts
import jobs

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "boot/launch/run.py"
TRIES = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--number", type=int)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("words", nargs="*", metavar="JOB [REPETITION]")
    options = parser.parse_args()
    os.chdir(ROOT)
    try:
        plan = jobs.load(options.out)
        job, repetitions = _asked(plan, options)
        wanted = [r for r in repetitions if is_open(plan, job, r, options.again)]
        if not wanted:
            return 0
        check_image(plan)
        good = [run(plan, job, repetition) for repetition in wanted]
    except (jobs.Refused, facts.Damaged) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    return 0 if all(good) else 1


def _asked(plan: jobs.JobList, options) -> tuple[jobs.Job, list[int]]:
    if options.number is not None:
        if options.words or not 1 <= options.number <= len(plan.jobs):
            raise jobs.Refused(f"--number {options.number}: the list has jobs 1 to {len(plan.jobs)}, and takes no other word.")
        job, rest = plan.jobs[options.number - 1], []
    elif options.words:
        job, rest = plan.find(options.words[0]), options.words[1:]
    else:
        raise jobs.Refused(f"Which job? {plan.directory / 'jobs.json'} lists them.")
    if not rest:
        return job, list(range(1, job.repetitions + 1))
    if len(rest) > 1 or not rest[0].isdigit() or not 1 <= int(rest[0]) <= job.repetitions:
        raise jobs.Refused(f"{' '.join(rest)} is not a repetition of {job.id}: it has 1 to {job.repetitions}.")
    return job, [int(rest[0])]


def is_open(plan: jobs.JobList, job: jobs.Job, repetition: int, again: bool = True) -> bool:
    kept = facts.read(plan.file(job, repetition))
    return kept is None or (again and not kept.good)


def check_image(plan: jobs.JobList) -> None:
    image = plan.build / "atoll.iso"
    if jobs.checksum(image) != plan.image:
        raise jobs.Refused(f"{image} is another image than the one that the jobs of {plan.directory} are for: "
                           "say OUT=another-directory, or FRESH=1 to begin anew.")


def run(plan: jobs.JobList, job: jobs.Job, repetition: int) -> bool:
    """A failure is tried once more; how the last try ended is kept with its facts, what a failed one said in REPETITION.failed.log."""
    file = plan.file(job, repetition)
    for tries in range(1, TRIES + 1):
        begin = time.monotonic()
        why = _launch(plan, job, repetition)
        _end(file, why, time.monotonic() - begin, tries)
        if why is None:
            return True
        if file.with_suffix(".log").exists():
            file.with_suffix(".log").replace(file.with_suffix(".failed.log"))
    return False


def _launch(plan: jobs.JobList, job: jobs.Job, repetition: int) -> str | None:
    """Why it failed, as a sentence, or None."""
    file = plan.file(job, repetition)
    file.parent.mkdir(parents=True, exist_ok=True)
    action = "host" if job.lens == "host" else "run"
    command = [str(LAUNCHER), action, f"BUILD={plan.build}", f"RESULTS={file.parent}", f"NAME={file.stem}", *job.words()]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          errors="replace") as process:
        try:
            complaint = process.communicate()[1]
        except BaseException:
            process.terminate()  # the launcher ends its machine
            raise
    if process.returncode == 0 or (job.lens == "host" and _measured(file)):
        return None  # bench-host says by its code whether bars were met, which is not what is asked here
    return " ".join(complaint.split()) or f"the launcher ended with code {process.returncode}"


def _measured(file: Path) -> bool:
    return file.exists() and any('"tag":"bench"' in line for line in file.read_text(encoding="utf-8").splitlines())


def _end(file: Path, why: str | None, seconds: float, tries: int) -> None:
    end = {"tag": "end", "code": 0 if why is None else 1, **({} if why is None else {"why": why}), "seconds": round(seconds, 3),
           "tries": tries}
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(end, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    ending.exit_with(main, "Interrupted.")
