# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A run that is recorded, and can be replayed instruction by instruction, forwards and backwards (QEMU's record and replay).

QEMU notes at which instruction the machine heard what from outside. Going back is going forward again from a snapshot, so there is a disk
for snapshots that the machine never touches. Recording needs every instruction counted, and QEMU 7.2 can do it for one core only: with
several it does not take turns in the same way again.
"""

import dataclasses
import subprocess
import threading
from pathlib import Path

import machine
import qmp
from settings import Refused, Settings

SNAPSHOT = "start"  # taken by QEMU before the first instruction
LOOK_SECONDS = 0.2
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


class End:
    """Lets a recording end as it has to: by QEMU's own will, and after it has said how many instructions there are. It runs on for some
    thousands after the machine has ended, until it notices."""

    def __init__(self, scratch: Path):
        self._socket = scratch / "end"
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.instructions: int | None = None  # None: the recording is not to be used

    def last(self) -> int:
        """An instruction before the end."""
        return max(self.instructions - NOTICED_AFTER, 1)

    def words(self) -> list[str]:
        """For QEMU's command line."""
        return qmp.words(self._socket) + ["-no-shutdown"]

    def begin(self) -> None:
        """QEMU is about to start."""
        self._thread.start()

    def come_now(self) -> None:
        """The machine takes too long."""
        self._wanted.set()
        self._thread.join(2 * qmp.SECONDS)

    def _work(self) -> None:
        try:
            with qmp.Qmp(self._socket) as qemu:
                while not qemu.has_happened("SHUTDOWN", LOOK_SECONDS) and not self._wanted.is_set():
                    pass
                qemu.ask("stop")
                self.instructions = qemu.ask("query-replay")["icount"]
                qemu.ask("quit")
        except (OSError, ValueError, KeyError):
            pass  # QEMU has ended by itself, and has said why


def _disk(scratch: Path) -> Path:
    return scratch / "snapshots.qcow2"


def _replace(words: list[str], name: str, by: list[str]) -> None:
    at = words.index(name)
    words[at:at + 2] = by
