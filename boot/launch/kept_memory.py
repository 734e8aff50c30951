# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The guest's memory in files, so that it can be read when the machine has gone: nothing in the guest has to do anything for it."""

import json
import re
from pathlib import Path

from settings import Settings

# Where the memory that does not lie at address 0 goes on.
ABOVE = 1 << 32

_BACKEND = re.compile(r"memory-backend-ram,id=(m[0-9]+),size=([0-9]+)M(.*)")


def below(settings: Settings) -> int:
    """Bytes of memory that begin at address 0. QEMU 7.2: hw/i386/pc_q35.c and pc_piix.c, where they set below_4g_mem_size."""
    most, otherwise = (0xb0000000, 0x80000000) if settings.machine == "q35" else (0xe0000000, 0xc0000000)
    total = settings.memory_mib << 20
    return total if total < most else otherwise


def keep(settings: Settings, command: list[str], directory: Path) -> list[str]:
    """The command line with a file in the directory for each piece of memory, and layout.json, which says where in the guest it was: the
    files one behind the other are its memory, first what begins at address 0, then what begins at `above`."""
    kept, files = [], []
    for word in command:
        backend = _BACKEND.fullmatch(word)
        kept.append(_file(directory, backend[1], int(backend[2]), backend[3], files) if backend else word)
    if not files:
        kept += ["-object", _file(directory, "m0", settings.memory_mib, "", files), "-machine", "memory-backend=m0"]
    layout = {"below": below(settings), "above": ABOVE, "files": files}
    (directory / "layout.json").write_text(json.dumps(layout), encoding="utf-8")
    return kept


def _file(directory: Path, name: str, mib: int, more: str, files: list[dict]) -> str:
    files.append({"name": name, "bytes": mib << 20})
    path = str(directory / name).replace(",", ",,")
    return f"memory-backend-file,id={name},size={mib}M,mem-path={path},share=on{more}"
