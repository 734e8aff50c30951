# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""QEMU's machine protocol (QMP): one question, one answer, over a socket that QEMU opens.

QEMU talks to one client at a time; another one waits until the first has closed its connection, so keep none longer than it is needed.
"""

import json
import socket
import time
from pathlib import Path

SECONDS = 5  # for QEMU to open the socket, and to answer one question


class Qmp:
    """A connection: `with Qmp(path) as qemu: qemu.ask("query-cpus-fast")`.

    What goes wrong is an OSError (no QEMU, or it says nothing in time) or a ValueError (it refuses, or answers nonsense).
    """

    def __init__(self, path: Path, seconds: float = SECONDS):
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            _connect(self._socket, path, seconds)
            self._socket.settimeout(seconds)
            self._stream = self._socket.makefile("rw", encoding="utf-8")
            self._answer("QMP")
            self.ask("qmp_capabilities")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "Qmp":
        return self

    def __exit__(self, *_error) -> None:
        with self._socket:
            self._stream.close()

    def ask(self, command: str, **arguments):
        """What QEMU returns. Names with a dash: `ask("qom-get", path="/", **{"property-name": "x"})`."""
        question = {"execute": command, "arguments": arguments} if arguments else {"execute": command}
        self._stream.write(json.dumps(question) + "\n")
        self._stream.flush()
        return self._answer("return")

    def _answer(self, key: str):
        """Events may come in between; they are skipped."""
        for line in self._stream:
            message = json.loads(line)
            if "error" in message:
                raise ValueError(message["error"].get("desc", "QEMU refuses"))
            if key in message:
                return message[key]
        raise ValueError("QEMU said nothing more")


def words(path: Path) -> list[str]:
    """For QEMU's command line."""
    return ["-qmp", f"unix:{path},server=on,wait=off"]


def _connect(connection: socket.socket, path: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.connect(str(path))
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
