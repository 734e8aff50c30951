#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Each fault of monitor/agreement/mutants.def, compiled in, must break an invariant: first the search looks for it, then the walks.

A fault that crashes the explorer, or makes it run for ever, is caught as well. Exit code 1 if one survives, or if something is wrong
without any fault.

usage: mutants.py BUILD COMPILER"""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

STAGES = [("search", ["--seconds", "20"]), ("walk", ["--seconds", "15"]), ("search", ["--deathless", "--seconds", "40"]),
          ("walk", ["--seconds", "90"])]
HANGS_AFTER = 120  # seconds of the processor's time, as those above


def verdict(program: Path, words: list[str]) -> tuple[bool, str]:
    answer = subprocess.run(["prlimit", f"--cpu={HANGS_AFTER}:{HANGS_AFTER + 10}", program.resolve(), "--until-broken", *words],
                            capture_output=True, text=True, errors="replace", check=False)
    if answer.returncode == -signal.SIGXCPU:
        return True, "caught: a step that never ends"
    if answer.returncode < 0:
        return True, f"caught: ended by signal {-answer.returncode}"
    lines = answer.stdout.strip().splitlines()
    return answer.returncode == 0, lines[-1] if lines else "it said nothing"


def made(program: Path) -> Path:
    subprocess.run(["make", "--no-print-directory", f"BUILD={sys.argv[1]}", f"CC={sys.argv[2]}", str(program)], check=True,
                   stdout=subprocess.DEVNULL)
    return program


def hunt(suffix: str) -> tuple[bool, str]:
    for kind, words in STAGES:
        caught, said = verdict(made(Path(sys.argv[1]) / "explore" / f"{kind}{suffix}" / "run"), words)
        if caught:
            break
    return caught, said


def timed(suffix: str) -> tuple[bool, str, float]:
    start = time.monotonic()
    return *hunt(suffix), time.monotonic() - start


def main() -> int:
    text = Path("monitor/agreement/mutants.def").read_text(encoding="utf-8")
    mutants = re.findall(r'^MUTANT\((\w+), "(.*)"\)', text, re.MULTILINE)
    survivors = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (name, sentence), (caught, said, seconds) in zip(mutants, pool.map(lambda m: timed(f"-{m[0]}"), mutants)):
            survivors += [] if caught else [name]
            print(f"{name}: {sentence}\n    {said} ({seconds:.0f} s)", flush=True)
    wrong, said = hunt("")
    print(f"without a fault\n    {said}", flush=True)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants caught" + (f"; not: {', '.join(survivors)}" if survivors else ""))
    return 1 if survivors or wrong or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
