# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""From settings to QEMU's command line."""

import shutil
from pathlib import Path

from settings import QEMU, Refused, Settings

OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
OVMF_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")

LOCAL_DISTANCE = 10  # ACPI 6.4, section 5.2.17: the distance of a locality to itself in the SLIT
HOP_DISTANCE = 10


def command(settings: Settings, image: Path, scratch: Path) -> list[str]:
    """The whole command line; `scratch` is a directory that lives as long as the run."""
    words = [QEMU, "-machine", settings.machine, "-cpu", settings.cpu]
    words += ["-smp", str(settings.cores), "-m", f"{settings.memory_mib}M"]
    words += _nodes(settings)
    words += _accelerator(settings)
    words += _firmware(settings, scratch)
    words += ["-cdrom", str(image)]
    words += ["-display", "none", "-serial", "stdio", "-monitor", "none", "-nic", "none", "-no-reboot"]
    if settings.command_line():
        # A comma ends a value for QEMU, two stand for one.
        words += ["-fw_cfg", "name=opt/atoll/cmdline,string=" + settings.command_line().replace(",", ",,")]
    return words + list(settings.qemu_extra)


def accelerator(settings: Settings) -> str:
    if settings.lens == "icount":
        return "tcg,thread=single"
    return {"tcg": "tcg,thread=multi", "kvm": "kvm"}[settings.accel]


def _accelerator(settings: Settings) -> list[str]:
    # One guest instruction is one nanosecond of guest time, and idle time is skipped: runs repeat to the digit.
    counting = ["-icount", "shift=0,sleep=off"] if settings.lens == "icount" else []
    return ["-accel", accelerator(settings)] + counting


def _nodes(settings: Settings) -> list[str]:
    """Cores and memory in even, contiguous shares. One node is a machine that does not speak of nodes at all."""
    if settings.nodes == 1:
        return []
    words = []
    for node in range(settings.nodes):
        first, end = (share(settings.cores, settings.nodes, n) for n in (node, node + 1))
        memory = share(settings.memory_mib, settings.nodes, node + 1) - share(settings.memory_mib, settings.nodes, node)
        cpus = f"{first}-{end - 1}" if end - first > 1 else f"{first}"
        words += ["-object", f"memory-backend-ram,id=m{node},size={memory}M"]
        words += ["-numa", f"node,nodeid={node},memdev=m{node},cpus={cpus}"]
    for a in range(settings.nodes):
        for b in range(settings.nodes):
            words += ["-numa", f"dist,src={a},dst={b},val={distance(a, b, settings.nodes)}"]
    return words


def share(total: int, parts: int, index: int) -> int:
    """Where part `index` starts when `total` is dealt out as evenly as it goes."""
    return total * index // parts


def distance(a: int, b: int, nodes: int) -> int:
    """Nodes form a ring: each hop along the shorter way adds the same."""
    hops = min((a - b) % nodes, (b - a) % nodes)
    return LOCAL_DISTANCE + HOP_DISTANCE * hops


def _firmware(settings: Settings, scratch: Path) -> list[str]:
    if settings.firmware == "bios":
        return []
    if not OVMF_CODE.exists():
        raise Refused(f"FIRMWARE=uefi needs {OVMF_CODE}: install the package ovmf.")
    # UEFI writes its variables: each run gets a fresh copy of its own.
    variables = Path(shutil.copy(OVMF_VARIABLES, scratch / "uefi-variables.fd"))
    return [
        "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF_CODE}",
        "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
    ]
