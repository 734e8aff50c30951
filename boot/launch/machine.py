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
    words = hardware(settings, scratch) + ["-cdrom", str(image)]
    if settings.command_line():
        # A comma ends a value for QEMU, two stand for one.
        words += ["-fw_cfg", "name=opt/atoll/cmdline,string=" + settings.command_line().replace(",", ",,")]
    return words + list(settings.qemu_extra)


def hardware(settings: Settings, scratch: Path) -> list[str]:
    """All but what is booted on it."""
    words = [QEMU, "-machine", settings.machine, "-cpu", _cpu(settings)]
    words += layout(settings)
    words += _accelerator(settings)
    words += _firmware(settings, scratch)
    return words + ["-display", "none", "-serial", "stdio", "-monitor", "none", "-nic", "none", "-no-reboot"]


def accelerator(settings: Settings) -> str:
    if settings.lens == "icount":
        return "tcg,thread=single"
    return {"tcg": "tcg,thread=multi", "kvm": "kvm"}[settings.accel]


def _accelerator(settings: Settings) -> list[str]:
    # One guest instruction is one nanosecond of guest time, and idle time is skipped: runs repeat to the digit.
    counting = ["-icount", "shift=0,sleep=off"] if settings.lens == "icount" else []
    return ["-accel", accelerator(settings)] + counting


def _cpu(settings: Settings) -> str:
    """Dies are told by CPUID leaf 0x1f, and the model `max` ends before it."""
    dies = (settings.smp() or {}).get("dies", 1)
    return "max,level=0x1f" if settings.cpu == "max" and dies > 1 else settings.cpu


def layout(settings: Settings) -> list[str]:
    """Cores and memory, and how they are dealt out to sockets and nodes."""
    levels = "".join(f",{name}={count}" for name, count in (settings.smp() or {}).items())
    words = ["-smp", f"{settings.cores}{levels}", "-m", f"{settings.memory_mib}M"]
    return words + (_nodes(settings) if settings.plan is None else _planned_nodes(settings.plan))


def _planned_nodes(plan: dict) -> list[str]:
    """Memory of this host is bound to its nodes. One node is a machine that does not speak of nodes at all, but has its memory from one."""
    words = []
    for node, place in enumerate(plan["nodes"]):
        bound = f",host-nodes={place['host_node']},policy=bind" if plan["this_host"] else ""
        words += ["-object", f"memory-backend-ram,id=m{node},size={place['memory_mib']}M{bound}"]
        if len(plan["nodes"]) == 1:
            return words + ["-machine", "memory-backend=m0"]
        words += ["-numa", f"node,nodeid={node},memdev=m{node},cpus={_stretch(place['first'], place['first'] + place['cpus'])}"]
    for a, row in enumerate(plan["distances"]):
        for b, value in enumerate(row):
            words += ["-numa", f"dist,src={a},dst={b},val={value}"]
    return words


def _nodes(settings: Settings) -> list[str]:
    """Cores and memory in even, contiguous shares. One node is a machine that does not speak of nodes at all."""
    if settings.nodes == 1:
        return []
    words = []
    for node in range(settings.nodes):
        first, end = (share(settings.cores, settings.nodes, n) for n in (node, node + 1))
        memory = share(settings.memory_mib, settings.nodes, node + 1) - share(settings.memory_mib, settings.nodes, node)
        words += ["-object", f"memory-backend-ram,id=m{node},size={memory}M"]
        words += ["-numa", f"node,nodeid={node},memdev=m{node},cpus={_stretch(first, end)}"]
    for a in range(settings.nodes):
        for b in range(settings.nodes):
            words += ["-numa", f"dist,src={a},dst={b},val={distance(a, b, settings.nodes)}"]
    return words


def _stretch(first: int, end: int) -> str:
    return f"{first}-{end - 1}" if end - first > 1 else f"{first}"


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
