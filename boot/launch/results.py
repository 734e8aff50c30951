# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Results that outlive a run: NAME.jsonl, first its provenance, then every fact; NAME.log, all that the guest said."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path

import machine
from settings import QEMU, Settings


class Results:
    """Written as facts arrive, so that a run that is killed loses nothing of what it had said."""

    def __init__(self, settings: Settings, origin: dict):
        self.directory = settings.results
        self.directory.mkdir(parents=True, exist_ok=True)
        self.path = self.directory / f"{settings.name}.jsonl"
        self._facts = self.path.open("w", encoding="utf-8")
        self._log = self.path.with_suffix(".log").open("wb")
        self.facts: list[dict] = []
        self.fact(origin)
        self._point_latest_here()

    def fact(self, fact: dict) -> None:
        self.facts.append(fact)
        self._facts.write(json.dumps(fact, separators=(",", ":")) + "\n")
        self._facts.flush()

    def log(self, data: bytes) -> None:
        self._log.write(data)
        self._log.flush()

    def close(self) -> None:
        self._facts.close()
        self._log.close()

    def _point_latest_here(self) -> None:
        link = self.directory / f".latest.{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(self.path.name)
        link.replace(self.directory / "latest.jsonl")


def origin_of_guest(settings: Settings, command: list[str]) -> dict:
    """`pinned`: the host's processor for each core, or None; `plan`: why those, if they were planned."""
    return {**_origin(command), "qemu": version_of_qemu(), "accelerator": machine.accelerator(settings),
            "settings": settings.as_written(), "pinned": settings.processors(), "plan": settings.plan}


def version_of_qemu() -> str | None:
    return _first_line([QEMU, "--version"])


def origin_of_host(command: list[str]) -> dict:
    return {**_origin(command), "accelerator": "none"}


def _origin(command: list[str]) -> dict:
    revision, dirty = _revision()
    return {
        "tag": "provenance",
        "revision": revision,
        "dirty": dirty,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": command,
        "host": {"cpu": _host_cpu(), "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
                 "load": round(os.getloadavg()[0], 2)},
    }


def _revision() -> tuple[str | None, bool | None]:
    """The commit that this tree is at, and whether files differ from it; (None, None) outside a repository."""
    here = Path(__file__).resolve().parent
    revision = _first_line(["git", "-C", str(here), "rev-parse", "HEAD"])
    if revision is None:
        return None, None
    return revision, _first_line(["git", "-C", str(here), "status", "--porcelain"]) is not None


def _first_line(command: list[str]) -> str | None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    lines = run.stdout.splitlines()
    return lines[0] if run.returncode == 0 and lines else None


def _host_cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
