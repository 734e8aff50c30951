# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Each virtual core on a core of the host that it keeps.

Otherwise the host's scheduler likes to put a virtual core that is woken where the one that woke it runs, and that one waits until the
other sleeps again: what should take place at the same time takes turns, in some runs and not in others. QEMU says over its machine
protocol (QMP) which thread is which virtual core; to say where one's own threads run needs no privilege.
"""

import json
import os
import socket
import threading
import time
from pathlib import Path

SECONDS = 5  # for QEMU to open the socket and to answer
SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def plan(cores: int) -> list[int] | None:
    """The host's processor for each virtual core; None: there are not enough of them."""
    allowed = sorted(os.sched_getaffinity(0))
    if cores > len(allowed):
        return None
    # Two threads of one core share what it can do, so each core's first thread comes before any second one.
    rank: dict[str, int] = {}
    order = []
    for processor in allowed:
        core = _siblings(processor)
        rank[core] = rank.get(core, -1) + 1
        order.append((rank[core], processor))
    return [processor for _, processor in sorted(order)[:cores]]


def _siblings(processor: int) -> str:
    try:
        return Path(SIBLINGS.format(processor)).read_text(encoding="ascii")
    except OSError:
        return str(processor)


def words(path: Path) -> list[str]:
    """For QEMU's command line."""
    return ["-qmp", f"unix:{path},server=on,wait=off"]


def begin(path: Path, processors: list[int], on_failure) -> None:
    """Pins the virtual cores as soon as QEMU answers, beside everything else. What goes wrong is said in a sentence to `on_failure`:
    such a run is not a failed one."""
    def work():
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                _connect(connection, path)
                _pin(connection, processors)
            except (OSError, ValueError, KeyError, TypeError) as error:
                on_failure(f"The virtual cores are not pinned: {error}.")
    threading.Thread(target=work, daemon=True).start()


def _pin(connection: socket.socket, processors: list[int]) -> None:
    connection.settimeout(SECONDS)
    with connection.makefile("rw", encoding="utf-8") as stream:
        _answer(stream, "QMP")
        _ask(stream, "qmp_capabilities")
        for core in _ask(stream, "query-cpus-fast"):
            os.sched_setaffinity(core["thread-id"], {processors[core["cpu-index"]]})


def _connect(connection: socket.socket, path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            connection.connect(str(path))
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _ask(stream, command: str):
    stream.write(json.dumps({"execute": command}) + "\n")
    stream.flush()
    return _answer(stream, "return")


def _answer(stream, key: str):
    """Events may come in between."""
    for line in stream:
        message = json.loads(line)
        if "error" in message:
            raise ValueError(message["error"].get("desc", "QEMU refuses"))
        if key in message:
            return message[key]
    raise ValueError("QEMU said nothing more")
