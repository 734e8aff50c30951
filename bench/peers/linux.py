# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Linux on the same machine: Debian's kernel, and one program of ours (bench/peers/linux) as its first process."""

from pathlib import Path

import machine
from settings import Settings

# Nothing random in the layout of memory; no messages but the last ones; one core, which our program starts the others from.
ALWAYS = "console=ttyS0 quiet loglevel=1 panic=-1 nokaslr norandmaps maxcpus=1"
# The emulator's counter can be relied on, which the kernel does not know: its clock would be a slow device otherwise.
GENEROUS = "tsc=reliable"
# Loops a jiffy, for delays: of a counter of one instruction a nanosecond, at 250 jiffies a second.
COUNTED = "lpj=4000000"


def kernel(build: Path) -> Path:
    return build / "peers" / "vmlinuz"


def archive(build: Path) -> Path:
    return build / "peers" / "initramfs.cpio"


def command(settings: Settings, scratch: Path, rounds: int, polled: int, parts: tuple[str, ...]) -> list[str]:
    """QEMU's command line, for the same hardware as Atoll's. `polled`: how many threads may poll at the same time."""
    counted = settings.lens == "icount"
    append = [ALWAYS, GENEROUS, *([COUNTED] if counted else []), f"LENS={'instructions' if counted else 'elapsed'}",
              f"ROUNDS={rounds}", f"POLLED={polled}", f"PARTS={','.join(parts)}"]
    return machine.hardware(settings, scratch) + ["-kernel", str(kernel(settings.build)), "-initrd", str(archive(settings.build)),
                                                  "-append", " ".join(append), *settings.qemu_extra]
