#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""From a run's trace areas to what people look at: export.py DIRECTORY.

The directory has facts.jsonl, what the guest said, and memory/, the guest's memory as QEMU left it, or else the files core-N.area that an
earlier export has taken out of it. Written are:

  core-N.area     the trace area of a core, as cpudriver/abi/trace.h lays it out; core-N.K.area when it had died and was started for the
                  K-th time again
  ctf/            Common Trace Format, for babeltrace2 and Trace Compass
  trace.json      for Perfetto and the Chrome tracing view
  messages.json   which message between two cores caused which

The exit code is 0, or 2 if there is nothing to export.
"""

import calendar
import dataclasses
import json
import shutil
import sys
import time
from pathlib import Path

import chrome
import clocks
import ctf
import events
import join
import lives
import local
import memory
import rings
from rings import BadTrace, Core

REFUSED = 2


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: export.py DIRECTORY", file=sys.stderr)
        return REFUSED
    try:
        export(Path(arguments[0]))
    except BadTrace as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    return 0


def export(directory: Path) -> None:
    """All files, and what there is to say of them."""
    facts = read_facts(directory / "facts.jsonl")
    cores = read_cores(directory, facts)
    table = events.events()
    clock, joined = order(cores, facts)
    crossing = join.crossing(joined)
    calls = [message for core in cores for message in local.messages(core)]
    origin = facts[0] if facts and facts[0].get("tag") == "provenance" else {}
    shutil.rmtree(directory / "ctf", ignore_errors=True)
    ctf.write(directory / "ctf", cores, clock, table, origin, _epoch(origin))
    chrome.write(directory / "trace.json", cores, clock, dataclasses.replace(joined, messages=[*joined.messages, *calls]))
    (directory / "messages.json").write_text(
        "[" + ",\n".join(json.dumps(record) for record in join.records(crossing, clock)) + "]\n", encoding="utf-8")
    print("\n".join(summary(cores, clock)))
    print(f"{len(joined.messages):,} messages were joined, {len(crossing):,} of them between cores; {joined.alone:,} ends stay alone"
          f", and {joined.backwards:,} seem to arrive before they were sent.")
    print(f"{len(calls):,} calls and replies went from one program to another of the same core.")
    print(f"babeltrace2 {directory}/ctf reads the trace; ui.perfetto.dev and chrome://tracing show {directory}/trace.json.")


def read_facts(path: Path) -> list[dict]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise BadTrace(f"{path} can't be read: {error.strerror}.") from None
    except ValueError:
        raise BadTrace(f"{path} is damaged: not every line of it is JSON.") from None


def read_cores(directory: Path, facts: list[dict]) -> list[Core]:
    """Every core that said where its area is, and whose area can be read; what can't is said."""
    found = lives.lives(facts)
    if not found:
        raise BadTrace("No core has said where its trace is: was it started with trace=on?")
    if (directory / "memory").exists():
        memory.take_areas(directory, found)
    table, cores, refusals = events.events(), [], []
    for life in found:
        path = directory / life.file
        try:
            core = rings.read_core(str(path), path.read_bytes(), life.directory, table)
            cores.append(dataclasses.replace(core, life=life.number, death=life.death))
        except FileNotFoundError:
            refusals.append(f"{path} does not exist" + (": its memory became a later trace's." if life.gone else "."))
        except BadTrace as refusal:
            refusals.append(str(refusal))
    for refusal in refusals:
        print(refusal, file=sys.stderr)
    if not any(writer.happenings for core in cores for writer in core.writers):
        raise BadTrace(f"{directory} has no events that could be exported.")
    return cores


def order(cores: list[Core], facts: list[dict]) -> tuple[clocks.Clocks, join.Joined]:
    """One clock for all cores, and the messages by it: what these say makes the clock better."""
    names = events.messages()
    first = clocks.measure(cores, facts)
    clock = clocks.tighten(first, join.least_latencies(join.join(cores, first, names), first))
    return clock, join.join(cores, clock, names)


def _epoch(origin: dict) -> int:
    """When the run began, in seconds of the Unix era."""
    try:
        return calendar.timegm(time.strptime(origin["date"], "%Y-%m-%dT%H:%M:%SZ"))
    except (KeyError, ValueError, TypeError):
        return 0


def summary(cores: list[Core], clock: clocks.Clocks) -> list[str]:
    """What came of each core, for people."""
    lines = []
    for core in cores:
        count = sum(len(writer.happenings) for writer in core.writers)
        lost = sum(writer.overwritten for writer in core.writers)
        error = clock.error_ns(core.core)
        known = "is the reference" if core.core == min(clock.clock) else \
            "was not measured" if error is None else f"is known to within {error:,.0f} ns"
        lines.append(f"{core.title}: {count:,} events, {lost:,} older ones overwritten; its clock {known}.")
        lines += [_death(core, clock)] if core.death else []
        lines += [f"{core.title}: {core.refused} programs found no ring free and were not traced."] if core.refused else []
        lines += [f"{core.title}: {core.reused} rings of programs that had ended were used again."] if core.reused else []
        lines += [writer.spoilt for writer in core.writers if writer.spoilt]
    return lines


def _death(core: Core, clock: clocks.Clocks) -> str:
    when = "has no event" if core.end is None else f"ends at {clock.ns(core.core, core.end) / 1e6:,.3f} ms"
    return f"{core.title} died: {core.death}; its trace {when}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
