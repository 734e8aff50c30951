# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The machine as the system found it (apps/topology), for hwloc's tools."""

import subprocess
from pathlib import Path

LSTOPO = "lstopo-no-graphics"


class Refused(Exception):
    """The message is a sentence."""


def xml(facts: list[dict]) -> str:
    """What the guest stated, in one piece."""
    text = "".join(fact["xml"] for fact in facts if fact["tag"] == "hwloc")
    if not text.endswith("</topology>\n"):
        raise Refused("The guest did not state its topology to the end.")
    return text


def validate(build: Path, file: Path) -> str:
    """hwloc's opinion of an XML file, a sentence."""
    answer = subprocess.run([str(build / "planner"), "validate", str(file)], capture_output=True, text=True, check=False)
    if answer.returncode or answer.stderr:
        raise Refused(f"hwloc does not accept {file}: {answer.stderr.strip() or f'it ended with {answer.returncode}'}")
    return answer.stdout.strip()


def draw(file: Path, picture: Path) -> None:
    """Objects bear the system's own numbers."""
    answer = subprocess.run([LSTOPO, "-i", str(file), "-p", "-f", "--of", "svg", str(picture)], capture_output=True, text=True, check=False)
    if answer.returncode or answer.stderr:
        raise Refused(f"lstopo does not draw {file}: {answer.stderr.strip()}")
