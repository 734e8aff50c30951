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
        self._seconds = seconds
        self._rest = b""
        self._events: list[str] = []
        try:
            _connect(self._socket, path, seconds)
            self._answer("QMP")
            self.ask("qmp_capabilities")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "Qmp":
        return self

    def __exit__(self, *_error) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def ask(self, command: str, **arguments):
        """What QEMU returns. Names with a dash: `ask("qom-get", path="/", **{"property-name": "x"})`."""
        question = {"execute": command, "arguments": arguments} if arguments else {"execute": command}
        # No signal if QEMU has gone: the launcher lets SIGPIPE end it, which is for its own output.
        self._socket.sendall(json.dumps(question).encode() + b"\n", socket.MSG_NOSIGNAL)
        return self._answer("return")

    def has_happened(self, event: str, seconds: float) -> bool:
        """Whether QEMU has told of such an event, or does so within that time."""
        try:
            while event not in self._events:
                self._note(self._message(seconds))
        except TimeoutError:
            pass
        return event in self._events

    def patiently(self, seconds: float) -> "Qmp":
        """The same, for questions whose answer may take longer."""
        self._seconds = seconds
        return self

    def _answer(self, key: str):
        """Events may come in between; they are kept."""
        while True:
            message = self._message(self._seconds)
            if "error" in message:
                raise ValueError(message["error"].get("desc", "QEMU refuses"))
            if key in message:
                return message[key]
            self._note(message)

    def _note(self, message: dict) -> None:
        if "event" in message:
            self._events.append(message["event"])

    def _message(self, seconds: float) -> dict:
        self._socket.settimeout(seconds)
        while b"\n" not in self._rest:
            data = self._socket.recv(65536)
            if not data:
                raise ValueError("QEMU said nothing more")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


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
