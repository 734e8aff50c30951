# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Recordings that are kept: build/results/NAME.replay/, until the next one of that name; of those without a name of their own the last one.

    recording        QEMU's own: what the machine heard from outside, and when
    snapshots.qcow2  where going back begins
    about.json       how QEMU was started, what on, and how far it came; written last, so a directory without it is none

A recording is replayed by the same QEMU on the same image only. The disk of snapshots is copied for each replay, which writes to it.
"""

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import replaying
from results import version_of_qemu
from settings import QEMU, Refused, Settings

FORMAT = 1
FILES = ("recording", "snapshots.qcow2")
UNNAMED = re.compile(r"replay-\d{8}-\d{6}")
# Settings that say where things are, and nothing of the machine.
PLACES = ("NAME", "BUILD", "RESULTS")


@dataclass(frozen=True)
class Kept:
    """A recording that fits what is here."""

    directory: Path
    command: tuple[str, ...]
    instructions: int
    last: int


def is_wanted(words: list[str]) -> bool:
    """Whether these settings ask for a recording that is there, as they say nothing of a machine."""
    return all(word.partition("=")[0] in PLACES for word in words)


def keep(settings: Settings, image: Path, scratch: Path, recorder: replaying.Recorder) -> Kept:
    """What lies in `scratch` becomes the recording of that name."""
    if UNNAMED.fullmatch(settings.name):
        for old in settings.results.glob("*.replay"):
            if UNNAMED.fullmatch(old.stem):
                shutil.rmtree(old)
    directory = settings.results / f"{settings.name}.replay"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name in FILES:
        shutil.move(scratch / name, directory / name)
    command = replaying.command(settings, image, scratch, "replay")
    about = {"format": FORMAT, "qemu": version_of_qemu(), "image": _digest(image), "instructions": recorder.instructions,
             "last": recorder.last(), "command": [word.replace(str(scratch), "{scratch}").replace(str(image), "{image}") for word in command]}
    (directory / "about.json").write_text(json.dumps(about) + "\n", encoding="utf-8")
    return _read(directory, image)


def find(words: list[str], settings: Settings, image: Path) -> Kept:
    """The one with the name that the user gave, or the last one."""
    if any(word.startswith("NAME=") for word in words):
        return _read(settings.results / f"{settings.name}.replay", image)
    found = sorted(settings.results.glob("*.replay/about.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise Refused(f"There is no recording in {settings.results}: `make replay APP=...` makes one.")
    return _read(found[-1].parent, image)


def lay_out(kept: Kept, image: Path, scratch: Path) -> list[str]:
    """QEMU's command line for a replay in that directory."""
    for name in FILES:
        shutil.copy(kept.directory / name, scratch / name)
    return [word.replace("{scratch}", str(scratch)).replace("{image}", str(image)) for word in kept.command]


def _read(directory: Path, image: Path) -> Kept:
    try:
        about = json.loads((directory / "about.json").read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise Refused(f"{directory} is a recording of format {about['format']}, and this reads format {FORMAT}.")
        kept = Kept(directory, tuple(about["command"]), int(about["instructions"]), int(about["last"]))
        made_by, made_on = about["qemu"], about["image"]
    except FileNotFoundError:
        raise Refused(f"{directory} is no recording that came to its end: `make replay APP=... NAME={directory.stem}` makes one.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(f"{directory}/about.json is damaged.") from None
    for name in FILES:
        if not (directory / name).is_file():
            raise Refused(f"{directory / name} is missing.")
    if made_by != version_of_qemu():
        raise Refused(f"{directory} was recorded by {made_by}, and here is {version_of_qemu() or f'no {QEMU}'}: no other one can replay it.")
    if not image.exists() or made_on != _digest(image):
        raise Refused(f"{directory} was recorded on another {image} than the one that is there now, which was built anew: it can't be replayed.")
    return kept


def _digest(image: Path) -> str:
    return hashlib.sha256(image.read_bytes()).hexdigest()
