# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The kept facts of one repetition, read with suspicion: the run may have been interrupted, the file may be of another time."""

import json
from dataclasses import dataclass
from pathlib import Path

NUMBERS = ("min", "p50", "p99", "max")


class Damaged(Exception):
    """The message names the file and the line."""


@dataclass(frozen=True)
class Repetition:
    path: Path
    facts: list[dict]
    code: int
    why: str | None
    seconds: float
    tries: int

    @property
    def good(self) -> bool:
        return self.code == 0

    def tagged(self, tag: str) -> list[dict]:
        return [fact for fact in self.facts if fact.get("tag") == tag]

    def provenance(self) -> dict:
        return self.facts[0]


def read(path: Path) -> Repetition | None:
    """None: it has not been run, or not to its end."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    facts = []
    for number, line in enumerate(lines, 1):
        fact = _fact(line)
        if fact is None:
            if number == len(lines):
                return None  # interrupted within its last line
            raise Damaged(f"{path}, line {number}, is not a fact: {line[:80]}")
        facts.append(fact)
    if not facts or facts[-1]["tag"] != "end":
        return None
    end = facts.pop()
    if not facts or facts[0]["tag"] != "provenance":
        raise Damaged(f"{path} does not begin with its provenance.")
    for fact in facts:
        if fact["tag"] == "bench":
            _check(path, fact)
    return Repetition(path, facts, end.get("code", 1), end.get("why"), float(end.get("seconds", 0)), end.get("tries", 1))


def _fact(line: str) -> dict | None:
    try:
        fact = json.loads(line)
    except ValueError:
        return None
    return fact if isinstance(fact, dict) and isinstance(fact.get("tag"), str) else None


def _check(path: Path, fact: dict) -> None:
    missing = [name for name in ("id", "lens", "unit", "n", *NUMBERS) if name not in fact]
    if missing:
        raise Damaged(f"{path}: a measurement without {missing[0]}: {json.dumps(fact)[:120]}")
    wrong = [name for name in NUMBERS if not isinstance(fact[name], (int, float)) or isinstance(fact[name], bool)]
    if wrong:
        raise Damaged(f"{path}: {wrong[0]} of {fact['id']} is not a number: {fact[wrong[0]]!r}")
