# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Which trace areas there are: a core that died and was started again has one for each of its lives. Of the lives before, the memory of the
last one is kept (monitor/estate.h); what was there of an earlier one has been used for something else.
"""

from dataclasses import dataclass


@dataclass
class Life:
    core: int
    number: int  # 0: since the machine was started
    base: int  # of the area: a physical address of the guest's
    bytes: int
    directory: int  # where in it
    death: str | None = None  # what it died of
    gone: bool = False  # its memory became a later one's

    @property
    def file(self) -> str:
        return f"core-{self.core}.area" if self.number == 0 else f"core-{self.core}.{self.number}.area"


def lives(facts: list[dict]) -> list[Life]:
    """By core, and in their order. Facts stand in the order in which they were told."""
    found: list[Life] = []
    latest: dict[int, Life] = {}
    for fact in facts:
        core = fact.get("core")
        if fact.get("tag") == "trace":
            number = latest[core].number + 1 if core in latest else 0
            latest[core] = Life(core, number, fact["base"], fact["bytes"], fact["directory"])
            for earlier in found:
                earlier.gone |= _overlap(earlier, latest[core])
            found.append(latest[core])
        elif fact.get("tag") == "event" and core in latest:
            _note(latest[core], fact)
    return sorted(found, key=lambda life: (life.core, life.number))


def _overlap(one: Life, other: Life) -> bool:
    return one.base < other.base + other.bytes and other.base < one.base + one.bytes


def _note(life: Life, fact: dict) -> None:
    """A core that takes an exception says so itself; the others notice only that it does not answer."""
    if fact.get("event") == "panic":
        life.death = f"its CPU driver took exception {fact['vector']}" if "vector" in fact else "its CPU driver stopped"
    elif fact.get("event") == "core_suspected" and life.death is None:
        silent = fact.get("silent_us", 0) / 1000
        life.death = f"it was silent for {silent:,.0f} ms" if silent else "it broke the rules"
