# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Plans of where a virtual machine goes on a host (numa/plan): asks the planner, shows what it answers, and carries it out."""

import json
import os
import subprocess
import threading
from pathlib import Path

from qmp import Qmp


class DoesNotFit(Exception):
    """The message is the sentence for the user."""


def make(build: Path, topology: str, wish: dict[str, int]) -> dict:
    """The plan, as numa/plan/json.h describes it. `topology` is an hwloc XML file, a description as `lstopo --input` takes, or empty: this host.
    In `wish`, 0 means: as it suits the host."""
    words = [f"{name}={number}" for name, number in wish.items()] + ([f"host={topology}"] if topology else [])
    return json.loads(_planner(build, "plan", *words))


def _planner(build: Path, *words: str) -> str:
    program = build / "planner"
    try:
        answer = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise DoesNotFit(f"There is no plan without the planner, {program} ({error.strerror}): `make {program}` builds it.") from None
    if answer.returncode:
        raise DoesNotFit(answer.stderr.strip() or f"{program} ended with code {answer.returncode}.")
    return answer.stdout


# ---- For people -------------------------------------------------------------------------------------------------------

def text(plan: dict, words: list[str]) -> str:
    """Where everything goes, why, and QEMU's options `words`."""
    smp = plan["smp"]
    lines = [f"{plan['cpus']} virtual CPUs on {plan['host']}: {_count(smp['sockets'], 'socket')} of {_count(smp['dies'], 'die')} of "
             f"{_count(smp['cores'], 'core')} of {_count(smp['threads'], 'thread')}", "", "Node  Virtual CPUs  Memory, MiB  Host's node  Processors"]
    for node, place in enumerate(plan["nodes"]):
        end = place["first"] + place["cpus"]
        processors = [cpu["processor"] for cpu in plan["processors"][place["first"]:end]]
        cpus = f"{place['first']} to {end - 1}" if place["cpus"] > 1 else str(place["first"])
        lines.append(f"{node:4}  {cpus:>12}  {place['memory_mib']:>11}  {place['host_node']:>11}  {' '.join(map(str, processors))}")
    lines += ["", *plan["why"], "", "QEMU's options:"]
    return "\n".join(lines + [f"  {option} {value}" for option, value in zip(words[::2], words[1::2])])


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# ---- Carrying it out --------------------------------------------------------------------------------------------------

def begin(build: Path, control: Path, plan: dict, on_failure) -> threading.Thread:
    """Binds QEMU's threads as soon as it answers, beside everything else. If that fails `on_failure` gets a sentence, and QEMU ends. The
    answer is the thread that does it."""
    def work():
        try:
            with Qmp(control) as qemu:
                try:
                    _bind(build, plan, qemu.ask("query-cpus-fast"))
                except DoesNotFit as reason:
                    on_failure(f"The plan can't be carried out: {reason}")
                    qemu.ask("quit")
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            on_failure(f"The plan can't be carried out: {error}.")
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _bind(build: Path, plan: dict, cpus: list[dict]) -> None:
    """QEMU counts its CPUs as the plan does: by socket, die, core and thread."""
    bindings = [(cpu["thread-id"], [plan["processors"][cpu["cpu-index"]]["processor"]]) for cpu in cpus]
    if plan["spare"]:
        virtual = {thread for thread, _ in bindings}
        bindings += [(thread, plan["spare"]) for thread in _threads_beside(bindings[0][0]) if thread not in virtual]
    _planner(build, "bind", *(f"{thread}={','.join(map(str, processors))}" for thread, processors in bindings))


def _threads_beside(thread: int) -> list[int]:
    return [int(name) for name in os.listdir(f"/proc/{thread}/task")]
