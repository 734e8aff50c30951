#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Atoll and Linux in turns on the same emulated machine: peers.py check|run [NAME=value ...]. `make peers` calls it.

Every fact goes to OUT/peers.jsonl (BUILD/bench) as it comes, those of Linux with "system":"linux"; at the end OUT/peers.json has the points
and the rows of the table, for the report. The exit code is 0 if all runs went well, 1 if one did not, 2 if a setting was refused.
"""

import dataclasses
import json
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "boot/launch"), str(HERE.parent / "suite")]

import ending  # noqa: E402
import linux  # noqa: E402
import machine  # noqa: E402
import pairing  # noqa: E402
import pinning  # noqa: E402
import qmp  # noqa: E402
import settings as user  # noqa: E402
import table  # noqa: E402
import virtual_machine  # noqa: E402
from results import origin_of_guest  # noqa: E402
from serial import Transcript  # noqa: E402

REFUSED = 2
TURNS = {"elapsed": 6, "icount": 2}  # 6: the least for an interval of 95 %; 2: to see that the count repeats
NAMES = {"atoll": "Atoll", "linux": "Linux"}
KNOWN = ("CORES", "NODES", "MEM", "MACHINE", "ACCEL", "CPU", "LENS", "PIN", "QEMU_EXTRA", "TIMEOUT", "BUILD", "REPEAT", "OUT")


@dataclasses.dataclass(frozen=True)
class Machine:
    """One machine that both systems run on in turns, and what they measure there."""
    settings: user.Settings
    turns: int
    atoll: str  # the program line
    linux: tuple[str, ...]  # the parts of bench/peers/linux
    rounds: int


@dataclasses.dataclass(frozen=True)
class Plan:
    machines: list[Machine]
    out: Path


def main(arguments: list[str]) -> int:
    actions = {"check": lambda plan: 0, "run": run}
    if not arguments or arguments[0] not in actions:
        print(f"usage: peers.py {'|'.join(actions)} [NAME=value ...]", file=sys.stderr)
        return REFUSED
    try:
        return actions[arguments[0]](plan(arguments[1:]))
    except user.Refused as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED


# ---- What is measured where -----------------------------------------------------------------------------------------------

ON_TWO = "ipcbench --local ; ipcbench --quick --pair 0 1 ; threadbench --quick ; spanbench --quick ; groupbench --quick"
ON_MANY = "spanbench --quick ; groupbench --quick"


def plan(words: list[str]) -> Plan:
    """Pairs of cores on a machine of two, whose cores the host can have one for each of; and all cores of the one that was asked for."""
    values = dict(word.partition("=")[::2] for word in words)
    unknown = [name for name in values if name not in KNOWN]
    if unknown:
        raise user.Refused(f"{unknown[0]}={values[unknown[0]]} does not go with make peers: what goes is {', '.join(KNOWN)}.")
    turns, out = values.pop("REPEAT", ""), values.pop("OUT", "")
    if turns and not (turns.isdigit() and 1 <= int(turns) <= 99):
        raise user.Refused(f"REPEAT={turns} is not a number from 1 to 99.")
    if values.get("PIN") in ("on", "1"):
        raise user.Refused(f"PIN={values['PIN']} does not go with make peers, which pins the cores wherever the host has enough of them.")
    machines = []
    for lens in [values["LENS"]] if values.get("LENS") else ["icount", "elapsed"]:
        if lens == "icount" and values.get("ACCEL") == "kvm" and not values.get("LENS"):
            continue
        machines += _of_lens({**values, "LENS": lens}, int(turns or TURNS.get(lens, 1)))
    return Plan(machines, Path(out) if out else machines[0].settings.build / "bench")


def _of_lens(values: dict[str, str], turns: int) -> list[Machine]:
    whole = _settings(values)
    if whole.cores < 2:
        raise user.Refused(f"CORES={whole.cores} is too few for make peers: at least 2.")
    counted = whole.lens == "icount"
    pair = _settings({**values, "CORES": "2", "NODES": str(min(whole.nodes, 2))})
    rounds = 200 if counted else 1000
    if whole.cores == 2:
        return [Machine(pair, turns, ON_TWO, ("single", "switch", "pairs", "unmap", "barrier"), rounds)]
    return [Machine(pair, turns, ON_TWO, ("single", "switch", "pairs"), rounds), Machine(whole, turns, ON_MANY, ("unmap", "barrier"), 200)]


def _settings(values: dict[str, str]) -> user.Settings:
    return user.parse([f"{name}={value}" for name, value in values.items()], "peers")


# ---- Running --------------------------------------------------------------------------------------------------------------

def run(all_of_it: Plan) -> int:
    machines, out = all_of_it.machines, all_of_it.out
    log = Log(out)
    runs: list[pairing.Run] = []
    failure = None
    begin, count, total = time.monotonic(), 0, sum(2 * each.turns for each in machines)
    for each in machines:
        for turn in range(each.turns):
            for system in pairing.SYSTEMS:
                if failure:
                    break
                one, failure = _one(each, system, turn, log)
                runs.append(one)
                count += 1
                _progress(one, count, total, time.monotonic() - begin)
    if failure is None:
        failure = _conclude(machines, runs, out / "peers.json")
    log.end(failure)
    print(failure or f"The facts are in {log.path}, the table in {out / 'peers.json'}; `make report` draws it beside a sweep.",
          file=sys.stderr if failure else sys.stdout)
    return 1 if failure else 0


def _progress(one: pairing.Run, count: int, total: int, seconds: float) -> None:
    left = seconds / count * (total - count)
    print(f"  {count:3} of {total}  {one.lens:7}  {one.cores:3} cores  {NAMES[one.system]}  turn {one.turn + 1}, "
          f"{len(one.facts)} facts; about {left / 60:.0f} min left", flush=True)


def _conclude(machines: list[Machine], runs: list[pairing.Run], path: Path) -> str | None:
    wanted = {each.settings.lens: each.turns for each in machines}
    try:
        found = [line for lens, turns in wanted.items() for line in pairing.lines([one for one in runs if one.lens == lens], turns)]
        points = pairing.points(runs, wanted)
    except pairing.Refused as refusal:
        return str(refusal)
    origins = pairing.provenance(runs, "peers.jsonl")
    whole = {"format": pairing.FORMAT, "caveats": table.CAVEATS, "provenance": origins, "points": points, "rows": pairing.row_facts(found)}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(whole, separators=(",", ":")) + "\n", encoding="utf-8")
    partial.replace(path)
    print(f"\n{table.text(found)}\n")
    return None


class Log:
    """peers.jsonl, and what the machines said besides."""

    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "peers.jsonl"
        self.text = directory / "peers.log"
        self._facts = self.path.open("w", encoding="utf-8")
        self._log = self.text.open("wb")

    def fact(self, fact: dict) -> None:
        self._facts.write(json.dumps(fact, separators=(",", ":")) + "\n")
        self._facts.flush()

    def said(self, data: bytes) -> None:
        self._log.write(data)
        self._log.flush()

    def end(self, failure: str | None) -> None:
        self.fact({"tag": "end", "code": 1 if failure else 0, **({"why": failure} if failure else {})})
        self._facts.close()
        self._log.close()


def _one(each: Machine, system: str, turn: int, log: Log) -> tuple[pairing.Run, str | None]:
    """Boots one system once; the second part of the answer is why it failed, if it did."""
    settings, facts = each.settings, []
    extra = {"system": "linux"} if system == "linux" else {}

    def keep(fact: dict) -> None:
        facts.append(fact)
        log.fact({**fact, **extra})

    transcript = Transcript(on_fact=keep)

    def feed(data: bytes) -> None:
        log.said(data)
        transcript.feed(data)

    with tempfile.TemporaryDirectory(prefix="atoll-") as scratch:
        command = _command(each, system, Path(scratch))
        origin = {**origin_of_guest(settings, command), "app": " ".join(each.linux) if extra else each.atoll}
        log.fact({**origin, **extra, "turn": turn})
        _pin(settings, Path(scratch) / "qmp", command, log)
        begin = time.monotonic()
        failure = virtual_machine.stream(command, settings.timeout, feed)
    seconds = time.monotonic() - begin
    transcript.end()
    failure = failure or transcript.failure()
    one = pairing.Run(system, settings.lens, settings.cores, settings.nodes, turn, facts, origin, seconds)
    if failure is None:
        return one, None
    said = [line for line in transcript.people if line]
    return one, (f"{NAMES[system]} on {settings.cores} cores, lens {settings.lens}, turn {turn + 1}: {failure} Its last line: "
                 f"{said[-1] if said else 'none'}. All that was said is in {log.text}.")


def _command(each: Machine, system: str, scratch: Path) -> list[str]:
    settings = each.settings
    if system == "atoll":
        return machine.command(dataclasses.replace(settings, app=each.atoll), settings.build / "atoll.iso", scratch)
    return linux.command(settings, scratch, each.rounds, _may_poll(settings), each.linux)


def _may_poll(settings: user.Settings) -> int:
    """How many threads: by the clock, those that poll while others wait for a core of the host measure its time slices."""
    return settings.cores if settings.lens == "icount" or settings.cores <= len(os.sched_getaffinity(0)) else 0


def _pin(settings: user.Settings, control: Path, command: list[str], log: Log) -> None:
    processors = settings.processors()
    if processors is not None:
        command += qmp.words(control)
        pinning.begin(control, processors, lambda sentence: log.fact({"tag": "unpinned", "why": sentence}))


if __name__ == "__main__":
    ending.exit_with(lambda: main(sys.argv[1:]), "Interrupted.")
