# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Trace areas out of the files that QEMU had the guest's memory in (boot/launch/machine.py says how it lies there)."""

import json
from pathlib import Path

from lives import Life
from rings import BadTrace


def take_areas(directory: Path, lives: list[Life]) -> None:
    """Writes a file for each life's area. Addresses are physical ones of the guest."""
    memory = directory / "memory"
    try:
        layout = json.loads((memory / "layout.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadTrace(f"{memory} has no layout.json that can be read.") from None
    for life in lives:
        if not life.gone:
            (directory / life.file).write_bytes(read(memory, layout, life.base, life.bytes))


def read(memory: Path, layout: dict, address: int, size: int) -> bytes:
    """As much of the range as there is: what is missing is noticed by whoever reads it."""
    at = offset_of(layout, address)
    data = b""
    for file in layout["files"]:
        here = min(size, file["bytes"] - at)
        if here <= 0:
            at -= file["bytes"]
            continue
        with (memory / file["name"]).open("rb") as stream:
            stream.seek(at)
            data += stream.read(here)
        size -= here
        at = 0
    return data


def offset_of(layout: dict, address: int) -> int:
    """How far into the memory, all files one behind the other, an address is."""
    if address < layout["below"]:
        return address
    return address - layout["above"] + layout["below"]
