# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A run that is recorded, and can be replayed instruction by instruction, forwards and backwards (QEMU's record and replay).

QEMU notes at which instruction the machine heard what from outside. Going back is going forward again from a snapshot, so there is a disk
for snapshots that the machine never touches, and while it runs some are taken: from none to the next it is some seconds at most, or a
twelfth of a long run. Recording needs every instruction counted, and QEMU 7.2 can do it for one core only: with several it says that it
doesn't support that, and would not take turns in the same way again.

What a recording consists of is kept: build/results/NAME.replay/ (recordings.py).
"""

import dataclasses
import shutil
import subprocess
import threading
import time
from pathlib import Path

import machine
import qmp
from settings import Refused, Settings

SNAPSHOT = "start"  # taken by QEMU before the first instruction
LOOK_SECONDS = 0.2
ASK_SECONDS = 60  # for QEMU to take a snapshot
FIRST_INTERVAL = 5.0  # seconds between two snapshots; twice as long whenever there are MOST_SNAPSHOTS, of which every other one goes
MOST_SNAPSHOTS = 12
AFTER_LAST = 0.3  # seconds that a machine which takes too long runs on behind the last one, so that its end has one close by
NOTICED_AFTER = 2_000_000  # instructions, each a nanosecond
DISK_BYTES = 4 << 30  # at most: what nobody writes takes no room


def checked(settings: Settings) -> Settings:
    if settings.cores > 1:
        raise Refused(f"CORES={settings.cores} can't be replayed: QEMU records machines of one core only.")
    if settings.firmware != "bios":
        raise Refused("FIRMWARE=uefi can't be replayed: its variables lie on a disk that QEMU can't take snapshots of.")
    if settings.accel != "tcg":
        raise Refused(f"ACCEL={settings.accel} can't be replayed: only an emulator counts instructions.")
    return dataclasses.replace(settings, lens="icount")


def prepare(scratch: Path) -> None:
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", _disk(scratch), str(DISK_BYTES)], check=True)


def command(settings: Settings, image: Path, scratch: Path, mode: str) -> list[str]:
    """QEMU's command line; `mode` is record or replay."""
    words = machine.command(settings, image, scratch)
    _replace(words, "-icount", ["-icount", f"shift=0,rr={mode},rrfile={scratch / 'recording'},rrsnapshot={SNAPSHOT}"])
    # What is read from a disk arrives when the recording says so.
    _replace(words, "-cdrom", ["-drive", f"file={image},if=none,id=image,format=raw,readonly=on",
                               "-drive", "driver=blkreplay,if=none,image=image,id=recorded,readonly=on", "-device", "ide-cd,drive=recorded",
                               "-drive", f"file={_disk(scratch)},if=none,id=snapshots,format=qcow2"])
    # Without: the optimisation of the APIC for KVM, which a snapshot can't be loaded with when a debugger asks for it, as QEMU 7.2 waits for
    # itself then.
    return words + ["-global", "apic-common.vapic=off"]


class Recorder:
    """Takes snapshots while the machine runs, and lets the recording end as it has to: by QEMU's own will, and after it has said how many
    instructions there are. QEMU runs on for some thousands after the machine has ended by itself, until it notices."""

    def __init__(self, scratch: Path):
        self._scratch, self._socket = scratch, scratch / "recorder"
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._snapshots: list[str] = []
        self._begin, self._interval = time.monotonic(), FIRST_INTERVAL
        self.instructions: int | None = None  # None: the recording is not to be used

    def last(self) -> int:
        """An instruction before the end, from which QEMU can go back."""
        return max(self.instructions - (1 if self._wanted.is_set() else NOTICED_AFTER), 1)

    def words(self) -> list[str]:
        """For QEMU's command line."""
        return qmp.words(self._socket) + ["-no-shutdown"]

    def begin(self) -> None:
        """QEMU is about to start."""
        self._thread.start()

    def end_now(self) -> None:
        """The machine takes too long."""
        self._wanted.set()
        self._thread.join(2 * ASK_SECONDS)

    def _work(self) -> None:
        try:
            with qmp.Qmp(self._socket) as qemu:
                if self._has_hung(qemu.patiently(ASK_SECONDS)):
                    self._take(qemu)
                    time.sleep(AFTER_LAST)
                qemu.ask("stop")
                self.instructions = qemu.ask("query-replay")["icount"]
                qemu.ask("quit")
        except (OSError, ValueError, KeyError):
            pass  # QEMU has ended by itself, and has said why

    def _has_hung(self, qemu: qmp.Qmp) -> bool:
        """When the machine has ended, or somebody has lost his patience with it."""
        last = time.monotonic()
        while not qemu.has_happened("SHUTDOWN", LOOK_SECONDS):
            if self._wanted.is_set():
                return True
            if time.monotonic() - last > self._interval:
                self._take(qemu)
                last = time.monotonic()
        return False

    def _take(self, qemu: qmp.Qmp) -> None:
        """If QEMU can't do it just now, or if there may be no room for it, there is none: going back takes longer then."""
        memory = qemu.ask("query-memory-size-summary")["base-memory"]
        name = f"second-{time.monotonic() - self._begin:.0f}"
        if shutil.disk_usage(self._scratch).free < 2 * memory or _monitor(qemu, f"savevm {name}"):
            return
        self._snapshots.append(name)
        if len(self._snapshots) == MOST_SNAPSHOTS:
            for old in self._snapshots[::2]:
                _monitor(qemu, f"delvm {old}")
            self._snapshots, self._interval = self._snapshots[1::2], 2 * self._interval


def _monitor(qemu: qmp.Qmp, line: str) -> str:
    """What QEMU's monitor for people says to that: nothing if all is well."""
    return qemu.ask("human-monitor-command", **{"command-line": line})


def _disk(scratch: Path) -> Path:
    return scratch / "snapshots.qcow2"


def _replace(words: list[str], name: str, by: list[str]) -> None:
    at = words.index(name)
    words[at:at + 2] = by
