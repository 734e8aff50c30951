#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Each fault of monitor/agreement/mutants.def, compiled in, must break an invariant: first the search looks for it, then the walks.

A fault that crashes the explorer, or makes it run for ever, is caught as well. Exit code 1 if one survives."""

import re
import subprocess
import sys
import time
from pathlib import Path

SEARCH_SECONDS = 60
WALK_SECONDS = 20
HANGS_AFTER = 10  # seconds more than it was given


def verdict(program: Path, seconds: int) -> tuple[bool, str]:
    try:
        answer = subprocess.run([program, "--until-broken", "--seconds", str(seconds)], capture_output=True, text=True,
                                timeout=seconds + HANGS_AFTER, errors="replace", check=False)
    except subprocess.TimeoutExpired:
        return True, "caught: a step that never ends"
    if answer.returncode < 0:
        return True, f"caught: ended by signal {-answer.returncode}"
    lines = answer.stdout.strip().splitlines()
    return answer.returncode == 0, lines[-1] if lines else "it said nothing"


def main() -> int:
    build = Path(sys.argv[1]) / "explore"
    text = Path("monitor/agreement/mutants.def").read_text(encoding="utf-8")
    mutants = re.findall(r'^MUTANT\((\w+), "(.*)"\)', text, re.MULTILINE)
    survivors = []
    for name, sentence in mutants:
        start = time.monotonic()
        for kind, seconds in (("search", SEARCH_SECONDS), ("walk", WALK_SECONDS)):
            caught, words = verdict((build / f"{kind}-{name}" / "run").resolve(), seconds)
            if caught:
                break
        else:
            survivors.append(name)
        print(f"{name}: {sentence}\n    {words} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants caught" + (f"; not: {', '.join(survivors)}" if survivors else ""))
    return 1 if survivors or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
