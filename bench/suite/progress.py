# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""How far a sweep is, and how long the rest will take, judged by what is done: first by the same job, then by its family on another
number of cores, then by the family's guess."""

import sys

import facts
import jobs
from benchmarks import BY_NAME
from robust import median

GUESSED_FOR = 8  # cores


class Experience:
    """Seconds of what was run, also by an earlier sweep that was interrupted."""

    def __init__(self, plan: jobs.JobList):
        self._of_job: dict[str, list[float]] = {}
        self._of_family: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for job in plan.jobs:
            for repetition in range(1, job.repetitions + 1):
                kept = facts.read(plan.file(job, repetition))
                if kept is not None:
                    self.add(job, kept.seconds)

    def add(self, job: jobs.Job, seconds: float) -> None:
        self._of_job.setdefault(job.id, []).append(seconds)
        self._of_family.setdefault((job.lens, job.family), []).append((job.cores, seconds))

    def expect(self, job: jobs.Job) -> float:
        if job.id in self._of_job:
            return median(self._of_job[job.id])
        known = self._of_family.get((job.lens, job.family))
        if known:
            nearest = min(known, key=lambda entry: abs(entry[0] - job.cores))[0]
            return median([seconds for cores, seconds in known if cores == nearest]) * _larger(job.cores, nearest)
        return BY_NAME[job.family].seconds * _larger(job.cores, GUESSED_FOR)


def _larger(cores: int, known: int) -> float:
    """A start and a power-off take their time on any machine, so half of the time is taken to grow with the cores."""
    return 0.5 + 0.5 * max(cores, 1) / max(known, 1)


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


class Line:
    """On a terminal one line that is rewritten, else a line for each step."""

    def __init__(self, total: int):
        self._total = total
        self._done = 0
        self._rewrite = sys.stdout.isatty()

    def step(self, text: str, left: float) -> None:
        """Before something is run."""
        self._done += 1
        line = f"[{self._done:>{len(str(self._total))}}/{self._total}] {text}, about {duration(left)} left"
        print(f"\r\033[K{line}" if self._rewrite else line, end="" if self._rewrite else "\n", flush=True)

    def say(self, text: str) -> None:
        print(f"\r\033[K{text}" if self._rewrite else text, flush=True)
