#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Lets QEMU's firmware make its ACPI tables and writes the physical memory that they lie in to a file.

The machine has no boot device, so the firmware stops when it is done. The file is a sequence of pieces: physical address
and length, eight bytes each, then the bytes. The first piece begins with the root pointer.

usage: dump_tables.py q35|pc|odd FILE
"""

import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEMORY = 128 << 20
SECONDS = 60
COMMAND = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "128M", "-display", "none", "-net", "none", "-qmp", "stdio",
           "-object", "memory-backend-ram,id=m0,size=64M", "-object", "memory-backend-ram,id=m1,size=64M"]
TWO_NODES = ["-smp", "4", "-numa", "node,nodeid=0,cpus=0-1,memdev=m0", "-numa", "node,nodeid=1,cpus=2-3,memdev=m1",
             "-numa", "dist,src=0,dst=1,val=31"]
# Three cores of which APIC IDs have four places each, places for more cores, a node without cores, one without memory.
ODD = ["-smp", "4,maxcpus=9,sockets=3,cores=3", "-numa", "node,nodeid=0,cpus=0-2,memdev=m0", "-numa", "node,nodeid=1,memdev=m1",
       "-numa", "node,nodeid=2,cpus=3-8", "-numa", "dist,src=0,dst=1,val=15", "-numa", "dist,src=0,dst=2,val=25",
       "-numa", "dist,src=1,dst=2,val=35"]
MACHINES = {"q35": ["-machine", "q35", *TWO_NODES], "pc": ["-machine", "pc", *TWO_NODES], "odd": ["-machine", "q35", *ODD]}


class Machine:
    """A QEMU and its monitor."""

    def __init__(self, machine: str):
        self.process = subprocess.Popen(["timeout", str(SECONDS), *COMMAND, *MACHINES[machine]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self.process.stdin)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            answer = json.loads(line)
            if "error" in answer:
                sys.exit(f"QEMU refuses {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        sys.exit(f"QEMU ended before it answered {command}")

    def memory(self) -> bytes:
        with tempfile.NamedTemporaryFile() as file:
            self.ask("pmemsave", val=0, size=MEMORY, filename=file.name)
            return Path(file.name).read_bytes()


def checked(memory: bytes, address: int) -> bytes | None:
    """The table at an address, if it has a good checksum."""
    length = int.from_bytes(memory[address + 4:address + 8], "little")
    table = memory[address:address + length]
    return table if 36 <= length <= 1 << 20 and sum(table) % 256 == 0 else None


def pieces(memory: bytes) -> list[tuple[int, bytes]] | None:
    """Address and bytes of the root pointer and of all tables; None while the firmware is not done."""
    root = memory.find(b"RSD PTR ", 0xE0000, 0x100000)
    if root < 0 or sum(memory[root:root + 20]) % 256:
        return None
    start = int.from_bytes(memory[root + 16:root + 20], "little")
    rsdt = checked(memory, start) if start else None
    if not rsdt or rsdt[:4] != b"RSDT":
        return None
    found = [(root, memory[root:root + 36]), (start, rsdt)]
    for address in struct.unpack(f"<{(len(rsdt) - 36) // 4}I", rsdt[36:]):
        table = checked(memory, address)
        if not table:
            return None
        found.append((address, table))
        if table[:4] == b"FACP":
            facs, dsdt = struct.unpack("<2I", table[36:44])
            if not checked(memory, dsdt):
                return None
            found += [(facs, memory[facs:facs + 64]), (dsdt, checked(memory, dsdt))]
    return found


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] not in MACHINES:
        sys.exit(__doc__)
    machine = Machine(sys.argv[1])
    deadline = time.monotonic() + SECONDS
    try:
        while not (found := pieces(machine.memory())):
            if time.monotonic() > deadline:
                sys.exit(f"the firmware of {sys.argv[1]} made no ACPI tables within {SECONDS} seconds")
            time.sleep(0.2)
    finally:
        machine.ask("quit")
    Path(sys.argv[2]).write_bytes(b"".join(struct.pack("<2Q", at, len(data)) + data for at, data in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
