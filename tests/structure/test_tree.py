# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Who includes whom, and what every file begins with."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tree import ROOMS, ROOT, files

# A room may always include its own headers; an entry names a directory or a single header.
MAY_INCLUDE = {
    "channels": (),
    "cpudriver": (),
    "libos": ("cpudriver/abi", "monitor/abi", "channels", "numa/model.h"),
    "numa": (),
    "monitor": ("libos", "channels", "cpudriver/abi", "numa"),
    "apps": ("libos", "channels", "numa"),
    "bench": ("libos", "channels", "numa"),
    # The loader asks the machine model, which is pure, on which node the first core and each range of memory are.
    "boot": ("cpudriver/abi", "numa/model.h", "numa/model"),
}
# The acpi domain lives in numa/, but is a program of the monitor's own: it gets the boot page and includes what such programs do.
PROGRAMS_IN = {"numa/acpi": ("libos", "channels", "numa", "cpudriver/abi")}

C_LIKE = (".c", ".h", ".S", ".inc", ".def", ".lds")
LICENCE = ("SPDX-License-Identifier: MIT", "Copyright 2026 The Atoll authors")


def room_of(path: Path) -> tuple[str, tuple[str, ...]]:
    for directory, allowed in PROGRAMS_IN.items():
        if str(path).startswith(directory + "/"):
            return directory, allowed
    room = path.parts[0]
    return room, MAY_INCLUDE[room]


def included(path: Path) -> list[str]:
    """The project's own headers that a file names, relative to the root."""
    found = []
    for kind, name in re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)', (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE):
        if kind == '"':
            found.append(name)
        elif name.startswith("atoll/"):
            found.append(f"libos/include/{name}")
    return found


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(place + "/") for place in places)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_includes_only_what_it_may(room):
    wrong = []
    for path in files(*C_LIKE, under=(room,)):
        own, allowed = room_of(path)
        wrong += [f"{path} includes {name}" for name in included(path)
                  if within(name, ROOMS) and not within(name, (own, room) + allowed)]
    assert not wrong


def test_an_own_header_exists_where_it_is_said_to_be():
    """Paths are written from the root, so that they say which room a header is from."""
    wrong = [f"{path} includes {name}" for path in files(*C_LIKE) for name in included(path)
             if not (ROOT / name).exists() and not name.startswith(("acpi/", "gen/")) and "generated" not in name]
    assert not wrong


def test_every_file_begins_with_the_licence():
    def tagged(path):
        head = (ROOT / path).read_text(encoding="utf-8").splitlines()[:8]
        return all(any(part in line for line in head) for part in LICENCE)

    sources = files(*C_LIKE, ".py", ".mk", ".sh", under=ROOMS + ("tests",))
    assert sources
    assert not [str(path) for path in sources + [Path("Makefile")] if not tagged(path)]


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
def test_nothing_is_left_for_later(word):
    wrong = [str(path) for path in files(*C_LIKE, ".py", ".mk", ".sh", under=ROOMS + ("tests",))
             if re.search(rf"\b{word}\b", (ROOT / path).read_text(encoding="utf-8"))]
    assert not wrong


def test_few_files_change_with_the_compiler():
    """Architecture by file name, not by #if: fewer than two in a thousand lines."""
    lines = conditions = 0
    for path in files(".c", ".h", under=("cpudriver", "channels", "libos", "monitor", "numa")):
        text = (ROOT / path).read_text(encoding="utf-8")
        lines += text.count("\n")
        conditions += len(re.findall(r"^\s*#\s*if", text, re.MULTILINE))
    assert conditions * 1000 < 2 * max(lines, 1), f"{conditions} in {lines} lines"


def test_all_tests_can_be_collected_in_one_process():
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider", "tests"], cwd=ROOT,
                          capture_output=True, text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stdout[-2000:]
