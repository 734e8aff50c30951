# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The job list of a sweep: each job is one machine, one lens and one program line, repeated so many times.

A job knows nothing of the others, so it may run anywhere and at any time. What it has said is kept below the suite's directory:

    jobs.json                  this list
    jobs/JOB/REPETITION.jsonl  the facts of one repetition, as boot/launch/results.py writes them; it is complete when its last
                               line is {"tag":"end","code":0,...}

A job's name tells all that it depends on but the image, whose checksum is in the list: a list is of one image.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import BY_NAME, FAMILIES, Family, app_for

FORMAT = 1
COUNTED_TWICE = 2  # what repeats to the digit is repeated once, to show it
SECONDS_A_CORE = 15
SECONDS_AT_LEAST = 120


class Refused(Exception):
    """Bad input; the message is the sentence for the user."""


@dataclass(frozen=True)
class Sweep:
    """What the user chose."""
    cores: tuple[int, ...]
    nodes: tuple[int, ...]
    lenses: tuple[str, ...]
    families: tuple[str, ...]
    repetitions: int
    settings: tuple[str, ...] = ()  # further NAME=value words for the launcher


@dataclass(frozen=True)
class Job:
    id: str
    lens: str  # as LENS says it
    family: str
    cores: int  # 0: the host itself
    nodes: int
    app: str
    repetitions: int
    timeout: int
    settings: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """For the launcher."""
        if self.lens == "host":
            return [f"TIMEOUT={self.timeout}"]
        return [f"CORES={self.cores}", f"NODES={self.nodes}", f"LENS={self.lens}", f"APP={self.app}", f"TIMEOUT={self.timeout}",
                *self.settings]


@dataclass(frozen=True)
class JobList:
    directory: Path
    build: Path
    image: str  # its checksum
    jobs: tuple[Job, ...]

    def file(self, job: Job, repetition: int) -> Path:
        return self.directory / "jobs" / job.id / f"{repetition}.jsonl"

    def find(self, name: str) -> Job:
        found = [job for job in self.jobs if job.id == name]
        if not found:
            raise Refused(f"{name} is not a job of {self.directory / 'jobs.json'}.")
        return found[0]


# ---- From the user's choice -------------------------------------------------------------------------------------------

def plan(sweep: Sweep) -> tuple[Job, ...]:
    """Few cores first, so that an interrupted sweep has whole pictures."""
    jobs = []
    if "host" in sweep.lenses:
        jobs += [_job(sweep, family, "host", 0, 0) for family in _chosen(sweep, "host")]
    for cores in sorted(set(sweep.cores)):
        for lens in sweep.lenses:
            for family in _chosen(sweep, lens):
                if lens != "host" and cores >= family.least_cores:
                    jobs += [_job(sweep, family, lens, cores, nodes) for nodes in _nodes(sweep, family, cores)]
    return tuple(jobs)


def _chosen(sweep: Sweep, lens: str) -> list[Family]:
    return [family for family in FAMILIES if family.name in sweep.families and lens in family.lenses]


def _nodes(sweep: Sweep, family: Family, cores: int) -> list[int]:
    """Each node needs a core, so a machine of few cores has as many nodes as it can."""
    fitting = list(dict.fromkeys(min(nodes, cores) for nodes in sweep.nodes))
    return fitting if family.by_nodes else fitting[:1]


def _job(sweep: Sweep, family: Family, lens: str, cores: int, nodes: int) -> Job:
    place = "host" if lens == "host" else f"{lens}-c{cores}-n{nodes}"
    repetitions = min(sweep.repetitions, COUNTED_TWICE) if lens == "icount" else sweep.repetitions
    # Counting runs all cores in one thread, which nobody binds.
    settings = tuple(word for word in sweep.settings if lens == "elapsed" or (lens == "icount" and not word.startswith("PIN=")))
    return Job(f"{place}-{family.name}", lens, family.name, cores, nodes, app_for(family, cores), repetitions,
               max(SECONDS_AT_LEAST, SECONDS_A_CORE * cores), settings)


def checksum(image: Path) -> str:
    try:
        return hashlib.sha256(image.read_bytes()).hexdigest()
    except OSError as error:
        raise Refused(f"The image {image} can't be read: {error.strerror}.") from None


# ---- The file ---------------------------------------------------------------------------------------------------------

def save(jobs: JobList) -> None:
    whole = {"format": FORMAT, "image": jobs.image, "build": str(jobs.build), "jobs": [asdict(job) for job in jobs.jobs]}
    write(jobs.directory / "jobs.json", json.dumps(whole, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def load(directory: Path) -> JobList:
    path = directory / "jobs.json"
    whole = read_json(path)
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise Refused(f"{path} is of another version of the suite (format {_format(whole)}, not {FORMAT}): run `make scale FRESH=1`.")
    try:
        jobs = tuple(Job(**{**job, "settings": tuple(job["settings"])}) for job in whole["jobs"])
        return JobList(directory, Path(whole["build"]), whole["image"], jobs)
    except (KeyError, TypeError) as error:
        raise Refused(f"{path} is damaged ({error}): run `make scale FRESH=1`.") from None


def _format(whole) -> str:
    return str(whole.get("format", "none")) if isinstance(whole, dict) else "none"


def read_json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{path} can't be read: {error.strerror}.") from None
    except ValueError as error:
        raise Refused(f"{path} is damaged or truncated: {error}.") from None


# ---- What a list of words means ---------------------------------------------------------------------------------------

def numbers(name: str, text: str, most: int) -> tuple[int, ...]:
    found = []
    for word in text.replace(",", " ").split():
        if not word.isdigit() or not 1 <= int(word) <= most:
            raise Refused(f"{name}={text}: {word} is not a number from 1 to {most}.")
        found.append(int(word))
    if not found:
        raise Refused(f"{name} is empty: it is a list of numbers, such as '1 2 4 8'.")
    return tuple(dict.fromkeys(found))


def names(name: str, text: str, known) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for word in words:
        if word not in known:
            raise Refused(f"{name}={text}: {word} is unknown: it is {', '.join(known)}.")
    if not words:
        raise Refused(f"{name} is empty: it is a list of {', '.join(known)}.")
    return words


def family_names() -> tuple[str, ...]:
    return tuple(BY_NAME)
