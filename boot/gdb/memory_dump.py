# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What is in a memory dump: the ELF core that QEMU's `dump-guest-memory` writes.

Its PT_LOAD segments are the guest's physical memory. For each virtual core there is a note of QEMU's own with all registers, control
registers too, so each core's virtual memory can be read as that core saw it (QEMU, target/i386/arch_dump.c).
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from paging import pieces, translate

ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
NOTE_HEADER = struct.Struct("<III")
PT_LOAD, PT_NOTE, ET_CORE, EM_X86_64 = 1, 4, 4, 62
PN_XNUM = 0xFFFF

# struct QEMUCPUState: version, size, 18 registers, 10 segments (selector, limit, flags, padding, base), CR0..CR4.
STATE_HEADER = struct.Struct("<II")
GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", *(f"r{n}" for n in range(8, 16)), "rip", "eflags")
SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss", "ldt", "tr", "gdt", "idt")
SEGMENT = struct.Struct("<IIIIQ")
WORDS = struct.Struct(f"<{len(GENERAL)}Q")
CONTROL = struct.Struct("<5Q")
PAGING = 1 << 31  # CR0.PG: Intel SDM vol. 3, 2.5


class Unreadable(Exception):
    """The message is a sentence that names the file."""


@dataclass
class Segment:
    kind: int
    offset: int
    physical: int
    bytes: int


class Dump:
    def __init__(self, path: Path):
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise Unreadable(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None
        try:
            segments = self._segments()
            self._memory = sorted((s for s in segments if s.kind == PT_LOAD), key=lambda s: s.physical)
            self.cores = [core for s in segments if s.kind == PT_NOTE for core in self._cores(s)]
        except (struct.error, IndexError):
            raise Unreadable(f"{path} is not a whole memory dump of a machine.") from None
        if not self._memory or not self.cores or any(s.offset + s.bytes > len(self._map) for s in self._memory):
            raise Unreadable(f"{path} is not a whole memory dump of a machine.")

    def _segments(self) -> list[Segment]:
        ident, kind, machine, _, _, at, sections, _, _, size, count, section_size, _, _ = ELF_HEADER.unpack_from(self._map)
        if ident[:5] != b"\x7fELF\x02" or (kind, machine) != (ET_CORE, EM_X86_64):
            raise IndexError
        if count == PN_XNUM:  # then the first section's sh_info says how many
            count = struct.unpack_from("<I", self._map, sections + section_size - 20)[0]
        headers = (PROGRAM_HEADER.unpack_from(self._map, at + i * size) for i in range(count))
        return [Segment(kind, offset, physical, size) for kind, _, offset, _, physical, size, _, _ in headers]

    def _cores(self, notes: Segment):
        at, end = notes.offset, notes.offset + notes.bytes
        while at < end:
            name_bytes, bytes_, _ = NOTE_HEADER.unpack_from(self._map, at)
            name = at + NOTE_HEADER.size
            state = name + (name_bytes + 3 & -4)
            if self._map[name:name + name_bytes] == b"QEMU\0":
                yield self._core(state)
            at = state + (bytes_ + 3 & -4)

    def _core(self, at: int) -> dict[str, int]:
        at += STATE_HEADER.size
        registers = dict(zip(GENERAL, WORDS.unpack_from(self._map, at)))
        at += WORDS.size
        for name in SEGMENTS:
            selector, _, _, _, base = SEGMENT.unpack_from(self._map, at)
            registers |= {name: selector, f"{name}_base": base}
            at += SEGMENT.size
        return registers | dict(zip(("cr0", "cr1", "cr2", "cr3", "cr4"), CONTROL.unpack_from(self._map, at)))

    def physical(self, address: int, count: int) -> bytes:
        """What is no memory reads as zero, as tables that lead there are damaged anyway."""
        for segment in self._memory:
            offset = address - segment.physical
            if 0 <= offset and offset + count <= segment.bytes:
                return self._map[segment.offset + offset:segment.offset + offset + count]
        return bytes(count)

    def virtual(self, registers: dict[str, int], address: int, count: int) -> bytes:
        """As a core with these registers sees it; as much from the start on as is mapped."""
        found = b""
        for start, length in pieces(address, count):
            at = translate(self.physical, registers["cr3"], start) if registers["cr0"] & PAGING else start
            if at is None:
                break
            found += self.physical(at, length)
        return found
