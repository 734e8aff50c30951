# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""One time for all cores.

Each core stamps events with its own time-stamp counter. How far that is ahead of the first core's was measured in the run by the program
`clocks` (its facts say within which error); and each message says something too: it was received after it was sent. Both are bounds of
the same number, so what counts is where they overlap. A core that neither tells anything of is taken as it is, and said to be unknown.
"""

from dataclasses import dataclass

from rings import Core


@dataclass(frozen=True)
class Clock:
    """A core's counter is `offset` ticks ahead of the reference's, at most `error` more or less; None: not known."""
    offset: int
    error: float | None


@dataclass(frozen=True)
class Clocks:
    hz: int
    start: int  # of the reference's counter: time 0
    clock: dict[int, Clock]

    def ticks(self, core: int, time: int) -> int:
        """Since the loader's first instruction."""
        return time - self.clock[core].offset - self.start

    def ns(self, core: int, time: int) -> float:
        return self.ticks(core, time) * 1e9 / self.hz

    def error_ns(self, core: int) -> float | None:
        error = self.clock[core].error
        return None if error is None else error * 1e9 / self.hz


def measure(cores: list[Core], facts: list[dict]) -> Clocks:
    """By the facts of the program `clocks`; the first core is the reference."""
    reference = min(cores, key=lambda core: core.core)
    told = {fact["core"]: fact for fact in facts if fact.get("tag") == "clock" and fact.get("to") == reference.core}
    clock = {core.core: Clock(0, 0 if core.core == reference.core else None) for core in cores}
    for core in clock:
        if core in told:
            clock[core] = Clock(int(told[core]["offset_ticks"]), float(told[core]["error_ticks"]))
    return Clocks(reference.tsc_hz, reference.start_tsc, clock)


def tighten(clocks: Clocks, latencies: dict[tuple[int, int], float]) -> Clocks:
    """`latencies`: the least number of ticks from send to receive that was seen between two cores, by `clocks`. To and from the reference
    they bound a clock from both sides; the interval of what was measured is cut by that of the messages."""
    reference = min(clocks.clock)
    clock = dict(clocks.clock)
    for core, known in clock.items():
        low, high = latencies.get((core, reference)), latencies.get((reference, core))
        if core == reference or low is None or high is None:
            continue
        # A true offset that is x more than assumed makes messages to the core x shorter than they seem, and those from it x longer.
        least, most = -low, high
        if known.error is not None:
            least, most = max(least, -known.error), min(most, known.error)
        if least <= most:
            clock[core] = Clock(known.offset + round((least + most) / 2), (most - least) / 2)
    return Clocks(clocks.hz, clocks.start, clock)
