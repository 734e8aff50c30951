# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What is left of a run that failed: build/results/NAME.dump, the machine's memory and registers, for `make postmortem`.

QEMU is told not to end when the machine does. A thread listens to its machine protocol: when the machine has ended well it lets QEMU
end, else it takes the dump first. At a core's panic it stops the machine at once, since the other cores are about to reset that one and
to use its memory; a machine that takes too long is dumped before it is stopped. The dump comes through a FIFO, so that nothing but
pages with something in them is written.
"""

import os
import select
import shutil
import socket
import threading
import time
from pathlib import Path

import qmp

DUMP_SECONDS = 120
SOON = 0.001
DRAIN_SECONDS = 0.5  # for the serial line's last bytes, before a machine counts as one that has ended badly
PIECE = 64 << 10


class LastWords:
    """`failure` says why the run would count as failed if it ended now, or None."""

    def __init__(self, scratch: Path, target: Path, failure):
        self._socket, self._fifo, self._target = scratch / "last-words", scratch / "dump", target
        self._failure = failure
        self._bell, self._ring = socket.socketpair()
        self._connected, self._done = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.sentence: str | None = None  # for the user

    def words(self) -> list[str]:
        """For QEMU's command line."""
        return qmp.words(self._socket) + ["-no-shutdown"]

    def begin(self) -> None:
        """QEMU is about to start."""
        self._thread.start()

    def take_soon(self) -> None:
        """A core has given up."""
        self._ring.send(b"!")

    def take_now(self) -> None:
        """The machine is about to be stopped."""
        self.take_soon()
        while self._connected.is_set() and self._thread.is_alive() and not self._done.wait(DRAIN_SECONDS):
            pass

    def _work(self) -> None:
        try:
            with qmp.Qmp(self._socket) as qemu:
                self._connected.set()
                self._listen(qemu.patiently(DUMP_SECONDS))
        except (OSError, ValueError):
            pass  # QEMU has ended by itself: it could not start, or somebody has stopped it

    def _listen(self, qemu: qmp.Qmp) -> None:
        while not qemu.has_happened("SHUTDOWN", SOON):
            ready = select.select([qemu, self._bell], [], [])[0]
            if self._bell in ready and self._bell.recv(1) and not self._done.is_set():
                qemu.ask("stop")
                self._take(qemu)
                qemu.ask("cont")
        if self._failure() and not self._done.is_set():
            time.sleep(DRAIN_SECONDS)
        if self._failure() and not self._done.is_set():
            self._take(qemu)
        qemu.ask("quit")

    def _take(self, qemu: qmp.Qmp) -> None:
        part = self._target.with_suffix(".part")
        try:
            _dump(qemu, self._fifo, part)
            for old in self._target.parent.glob("*.dump"):
                old.unlink()
            part.rename(self._target)
            self.sentence = f"The machine's memory is in {self._target}: `make postmortem` looks at it."
        except (OSError, ValueError) as error:
            part.unlink(missing_ok=True)
            self.sentence = f"There is no memory dump of this run: {error}."
        finally:
            self._done.set()


def _dump(qemu: qmp.Qmp, fifo: Path, to: Path) -> None:
    memory = qemu.ask("query-memory-size-summary")["base-memory"]
    if shutil.disk_usage(to.parent).free < memory:
        raise OSError(f"there may be no room for its {memory >> 20} MiB in {to.parent}")
    os.mkfifo(fifo)
    copy = threading.Thread(target=_copy, args=(fifo, to))
    copy.start()
    try:
        qemu.ask("dump-guest-memory", paging=False, protocol=f"file:{fifo}")
    finally:
        _release(fifo)
        copy.join()
        fifo.unlink()


def _release(fifo: Path) -> None:
    """If QEMU has never opened the FIFO its reader still waits for that."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        pass  # nobody reads any more


def _copy(fifo: Path, to: Path) -> None:
    """Leaves holes where nothing but zeroes are."""
    nothing = bytes(PIECE)
    with fifo.open("rb") as source, to.open("wb") as out:
        while piece := source.read(PIECE):
            if piece == nothing[:len(piece)]:
                out.seek(len(piece), os.SEEK_CUR)
            else:
                out.write(piece)
        out.truncate()
