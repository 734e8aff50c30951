#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""GDB on the memory of a machine whose run has failed: postmortem.py BUILD [DUMP]. `make postmortem` calls it.

Without a DUMP it takes the one in BUILD/results. Further words are GDB's, such as -batch.
"""

import os
import struct
import subprocess
import sys
from pathlib import Path

GDB_FILES = Path(__file__).resolve().parents[1] / "gdb"
sys.path.insert(0, str(GDB_FILES))

from memory_dump import ELF_HEADER, PROGRAM_HEADER, PT_LOAD, Dump, Unreadable  # noqa: E402

REFUSED = 2
EXECUTABLE = 1  # PF_X
LOG_LINES = 8


def main(build: str, chosen: str, *words: str) -> int:
    driver = Path(build) / "cpudriver.elf"
    try:
        path = Path(chosen) if chosen else _newest(Path(build) / "results")
        dump = Dump(path)
        if not driver.exists():
            raise Unreadable(f"{driver} does not exist: `make image` builds it.")
    except Unreadable as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    log = path.with_suffix(".log")
    if log.exists():
        print(f"The end of {log}:")
        print("\n".join(f"  {line}" for line in log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]), flush=True)
    if not _is_what_ran(driver, dump):
        print(f"{driver} is not what ran when {path} was taken, so names and lines may be wrong: it was built anew.", file=sys.stderr)
    server = f"{sys.executable} {GDB_FILES / 'dump_server.py'} '{path.resolve()}'"
    return subprocess.call(["gdb", "-q", "-x", GDB_FILES / "atoll.py", "-ex", f"target remote | {server}", *words, driver],
                           env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def _newest(directory: Path) -> Path:
    dumps = sorted(directory.glob("*.dump"), key=lambda path: path.stat().st_mtime)
    if not dumps:
        raise Unreadable(f"There is no dump in {directory}: a run that fails leaves one there. DUMP=... names another one.")
    return dumps[-1]


def _is_what_ran(driver: Path, dump: Dump) -> bool:
    """Whether the code of one core's CPU driver is that of the file; also if no core has come so far."""
    image = driver.read_bytes()
    _, _, _, _, _, at, _, _, _, size, count, *_ = ELF_HEADER.unpack_from(image)
    for i in range(count):
        kind, flags, offset, address, _, length, _, _ = PROGRAM_HEADER.unpack_from(image, at + i * size)
        if kind == PT_LOAD and flags & EXECUTABLE:
            seen = [dump.virtual(core, address, length) for core in dump.cores]
            whole = [code for code in seen if len(code) == length]
            return not whole or image[offset:offset + length] in whole
    raise struct.error(f"{driver} has no code")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
