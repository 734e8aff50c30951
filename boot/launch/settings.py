# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What a user may set (`make run CORES=4 ...`), checked before anything is built or started.

Every refusal is one sentence that names the value as the user wrote it.
"""

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pinning
import plan

QEMU = "qemu-system-x86_64"
MIB_PER_UNIT = {"M": 1, "G": 1024}
LEAST_MEMORY_MIB = 64
LEAST_NODE_MIB = 16
MOST_NODES = 128  # QEMU's own limit
MOST_CORES = 255  # Beyond this, QEMU wants an interrupt-remapping IOMMU for x2APIC identifiers.
LONGEST_COMMAND_LINE = 1000  # cpudriver/abi/core_boot.h: COMMAND_LINE_BYTES, less what GRUB says

DEFAULTS = {
    "CORES": "8",
    "NODES": "2",
    "MEM": "2G",
    "FIRMWARE": "bios",
    "MACHINE": "q35",
    "ACCEL": "tcg",
    "CPU": "max",
    "LENS": "elapsed",
    "APP": "",
    "CMDLINE": "",
    "PIN": "auto",
    "SOCKETS": "",
    "DIES": "",
    "THREADS": "",
    "TOPOLOGY": "",
    "QEMU_EXTRA": "",
    "TIMEOUT": "300",
    "NAME": "",
    "BUILD": "build",
    "RESULTS": "",
}


class Refused(Exception):
    """A senseless setting; the message is the sentence for the user."""


@dataclass(frozen=True)
class Settings:
    cores: int
    nodes: int
    memory_mib: int
    firmware: str
    machine: str
    accel: str
    cpu: str
    lens: str
    app: str
    cmdline: str
    pin: str
    sockets: int  # 0, dies and threads too: not said
    dies: int
    threads: int
    topology: str
    plan: dict | None  # boot/launch/plan.py
    qemu_extra: tuple[str, ...]
    timeout: int
    name: str
    build: Path
    results: Path

    def as_written(self) -> dict:
        """For a result's provenance."""
        return {
            "cores": self.cores, "nodes": self.nodes, "memory_mib": self.memory_mib, "firmware": self.firmware,
            "machine": self.machine, "accel": self.accel, "cpu": self.cpu, "lens": self.lens, "app": self.app,
            "cmdline": self.cmdline, "sockets": self.sockets, "dies": self.dies, "threads": self.threads, "topology": self.topology,
        }

    def processors(self) -> list[int] | None:
        """The host's processor for each core, if they are to be pinned."""
        if self.pin == "on":
            return [place["processor"] for place in self.plan["processors"]]
        return pinning.plan(self.cores) if self.pin != "off" and self.lens != "icount" else None

    def smp(self) -> dict[str, int] | None:
        """Sockets, the dies of one, the cores of one, the threads of one; None if QEMU may choose."""
        if self.plan is not None:
            return self.plan["smp"]
        if not (self.sockets or self.dies or self.threads):
            return None
        sockets, dies, threads = (level or 1 for level in (self.sockets, self.dies, self.threads))
        return {"sockets": sockets, "dies": dies, "cores": self.cores // (sockets * dies * threads), "threads": threads}

    def command_line(self) -> str:
        """What the loader appends to GRUB's command line. apps/init/main.c says how it is read."""
        parts = ("lens=instructions" if self.lens == "icount" else "", self.cmdline, f"app={self.app}" if self.app else "")
        return " ".join(part for part in parts if part)


def parse(words: list[str], action: str = "run") -> Settings:
    """`NAME=value` words to checked settings; `action` begins the result's name if the user gave none."""
    values = DEFAULTS | ({"CORES": "1"} if action == "replay" else {})
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or name not in DEFAULTS:
            raise Refused(f"{word} is not a setting: the settings are {', '.join(DEFAULTS)}.")
        values[name] = value.strip()

    given = {word.partition("=")[0] for word in words}
    cores = _number("CORES", values["CORES"], 1, MOST_CORES)
    nodes = _number("NODES", values["NODES"], 1, MOST_NODES)
    # One node for each core at most; the default of two nodes gives way to a machine of one core.
    if nodes > cores:
        if "NODES" in given and ("CORES" in given or not _is_planned(values, action)):
            raise Refused(f"NODES={nodes} is more than CORES={cores}: every node needs a core.")
        nodes = nodes if _is_planned(values, action) else cores
    settings = Settings(
        cores=cores,
        nodes=nodes,
        memory_mib=_memory(values["MEM"], elsewhere=action == "plan" and values["TOPOLOGY"] != ""),
        firmware=_one_of("FIRMWARE", values["FIRMWARE"], ("bios", "uefi")),
        machine=_one_of("MACHINE", values["MACHINE"], ("q35", "pc")),
        accel=_one_of("ACCEL", values["ACCEL"], ("tcg", "kvm")),
        cpu=_cpu(values["CPU"]),
        lens=_one_of("LENS", values["LENS"], ("elapsed", "icount")),
        app=_guest_text("APP", values["APP"]),
        cmdline=_guest_text("CMDLINE", values["CMDLINE"]),
        pin={"1": "on", "0": "off"}.get(values["PIN"]) or _one_of("PIN", values["PIN"], ("auto", "on", "off")),
        sockets=_level("SOCKETS", values["SOCKETS"]),
        dies=_level("DIES", values["DIES"]),
        threads=_level("THREADS", values["THREADS"]),
        topology=values["TOPOLOGY"],
        plan=None,
        qemu_extra=_words("QEMU_EXTRA", values["QEMU_EXTRA"]),
        timeout=_number("TIMEOUT", values["TIMEOUT"], 1, 86400),
        name=_name(values["NAME"], action),
        build=Path(values["BUILD"]),
        results=Path(values["RESULTS"] or Path(values["BUILD"]) / "results"),
    )
    if _is_planned(values, action):
        settings = _planned(settings, given, action)
    _check_together(settings)
    return settings


def _is_planned(values: dict, action: str) -> bool:
    return values["PIN"] in ("on", "1") or values["TOPOLOGY"] != "" or action == "plan"


def _planned(settings: Settings, given: set[str], action: str) -> Settings:
    """As many cores and nodes as suit the host, unless the user says how many."""
    if settings.pin == "on" and settings.topology and action != "plan":
        raise Refused(f"PIN=on does not go with TOPOLOGY={settings.topology}, which is another machine than this one.")
    if settings.pin == "on" and settings.lens == "icount":
        raise Refused("PIN=on does not go with LENS=icount, which runs all cores in one thread.")
    wish = {"cores": settings.cores if "CORES" in given else 0, "nodes": settings.nodes if "NODES" in given else 0,
            "memory": settings.memory_mib, "sockets": settings.sockets, "dies": settings.dies, "threads": settings.threads}
    try:
        made = plan.make(settings.build, settings.topology, wish)
    except plan.DoesNotFit as reason:
        raise Refused(str(reason)) from None
    return dataclasses.replace(settings, cores=made["cpus"], nodes=len(made["nodes"]), plan=made)


def _check_together(settings: Settings) -> None:
    if settings.memory_mib < settings.nodes * LEAST_NODE_MIB:
        raise Refused(f"MEM={settings.memory_mib}M is too little for NODES={settings.nodes}: at least {LEAST_NODE_MIB}M each.")
    if settings.accel == "kvm" and settings.lens == "icount":
        raise Refused("LENS=icount counts instructions of the emulator and does not go with ACCEL=kvm.")
    if settings.accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise Refused("ACCEL=kvm needs /dev/kvm, which this host does not have or does not let you open.")
    sockets, dies, threads = (level or 1 for level in (settings.sockets, settings.dies, settings.threads))
    if settings.plan is None and settings.cores % (sockets * dies * threads):
        raise Refused(f"CORES={settings.cores} can't be dealt out evenly to SOCKETS={sockets}, DIES={dies} and THREADS={threads}.")
    if len(settings.command_line()) > LONGEST_COMMAND_LINE:
        raise Refused(f"APP and CMDLINE together are longer than {LONGEST_COMMAND_LINE} characters.")


def _number(name: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refused(f"{name}={text} is not a number.")
    if not least <= int(text) <= most:
        raise Refused(f"{name}={text} is out of range: {least} to {most}.")
    return int(text)


def _level(name: str, text: str) -> int:
    return _number(name, text, 1, MOST_CORES) if text else 0


def _memory(text: str, elsewhere: bool) -> int:
    match = re.fullmatch(r"([0-9]{1,9})([MG])", text)
    if not match:
        raise Refused(f"MEM={text} is not an amount of memory: write 512M or 2G.")
    mib = int(match[1]) * MIB_PER_UNIT[match[2]]
    if mib < LEAST_MEMORY_MIB:
        raise Refused(f"MEM={text} is too little: at least {LEAST_MEMORY_MIB}M.")
    host_mib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    if mib > host_mib and not elsewhere:
        raise Refused(f"MEM={text} is more than this host's {host_mib}M.")
    return mib


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise Refused(f"{name}={text} is unknown: it is {' or '.join(choices)}.")
    return text


def _cpu(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.,+=-]*", text):
        raise Refused(f"CPU={text} is not the name of a processor model.")
    # QEMU knows its models; if it is not installed yet, it will say so itself when it starts.
    if shutil.which(QEMU):
        known = subprocess.run([QEMU, "-cpu", "help"], capture_output=True, text=True, check=False).stdout.split()
        if text.split(",")[0] not in known:
            raise Refused(f"CPU={text} is unknown: `{QEMU} -cpu help` lists the models.")
    return text


def _guest_text(name: str, text: str) -> str:
    if not all(" " <= character <= "~" for character in text):
        raise Refused(f"{name}={text!r} has a character that is not printable ASCII.")
    return text


def _words(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise Refused(f"{name}={text} cannot be split into words: {error}.") from None


def _name(text: str, action: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise Refused(f"NAME={text} is not usable as the name of a result file.")
    if text == "latest":
        raise Refused("NAME=latest is taken: it always points to the newest result.")
    return text or time.strftime(f"{action}-%Y%m%d-%H%M%S", time.gmtime())
