# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What the structure tests know about the tree."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ATOLL_BUILD", ROOT / "build"))
ROOMS = ("boot", "channels", "cpudriver", "libos", "monitor", "numa", "apps", "bench")


def files(*suffixes: str, under: tuple[str, ...] = ROOMS) -> list[Path]:
    """Paths relative to the root."""
    return sorted(path.relative_to(ROOT) for room in under for path in (ROOT / room).rglob("*")
                  if path.suffix in suffixes and path.is_file())


def output(*command) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
