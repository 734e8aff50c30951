#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Serves a memory dump to GDB as if it were a machine that has stopped: `target remote | dump_server.py FILE`.

GDB's threads are the cores, and each sees virtual memory through its own page tables, which GDB's own reader of core files can't do.
Registers may be written, memory may not, and nothing runs. The protocol: GDB manual, appendix E, "Remote Protocol".
"""

import sys
from pathlib import Path

from memory_dump import Dump, Unreadable

MOST = 0x4000  # bytes of a packet
ERROR = b"E01"

# GDB's numbers and sizes are the order and sizes here. The x87 registers are not in the dump, but GDB insists on them.
CORE = [(name, 8) for name in ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", *(f"r{n}" for n in range(8, 16)), "rip")]
CORE += [(name, 4) for name in ("eflags", "cs", "ss", "ds", "es", "fs", "gs")]
CORE += [(f"st{n}", 10) for n in range(8)]
CORE += [(name, 4) for name in ("fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop")]
BASES = [("fs_base", 8), ("gs_base", 8)]
CONTROL = [("cr0", 8), ("cr2", 8), ("cr3", 8), ("cr4", 8)]
REGISTERS = CORE + BASES + CONTROL
KINDS = {"rip": "code_ptr", "rsp": "data_ptr", "rbp": "data_ptr"}


def _feature(name: str, registers: list[tuple[str, int]]) -> str:
    def kind(register: str, size: int) -> str:
        return KINDS.get(register, "i387_ext" if size == 10 else f"int{8 * size}")
    lines = [f'<reg name="{register}" bitsize="{8 * size}" type="{kind(register, size)}"/>' for register, size in registers]
    return f'<feature name="{name}">{"".join(lines)}</feature>'


DESCRIPTION = ('<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>i386:x86-64</architecture>'
               + _feature("org.gnu.gdb.i386.core", CORE) + _feature("org.gnu.gdb.i386.segments", BASES)
               + _feature("org.atoll.control", CONTROL) + "</target>").encode()


class Server:
    """Answers packets; `selected` is the core that GDB means."""

    def __init__(self, dump: Dump):
        self._dump = dump
        self._cores = [dict(core) for core in dump.cores]
        self._selected = 0

    def answer(self, packet: bytes) -> bytes:
        """Empty: not supported."""
        for start, handler in ((b"qSupported", self._supported), (b"qXfer:features:read:target.xml:", self._description),
                               (b"qfThreadInfo", self._threads), (b"qsThreadInfo", lambda _: b"l"),
                               (b"qThreadExtraInfo,", lambda rest: f"core {int(rest, 16) - 1}".encode().hex().encode()),
                               (b"qC", lambda _: b"QC%x" % (self._selected + 1)), (b"qAttached", lambda _: b"1"),
                               (b"?", self._stopped), (b"H", self._select), (b"T", lambda _: b"OK"),
                               (b"g", self._read_all), (b"p", self._read_one), (b"P", self._write_one), (b"m", self._memory),
                               (b"M", lambda _: ERROR), (b"D", lambda _: b"OK")):
            if packet.startswith(start):
                return handler(packet[len(start):])
        return self._stays() if packet[:1] in b"csCSbi" and packet else b""

    def _supported(self, _rest: bytes) -> bytes:
        return b"PacketSize=%x;qXfer:features:read+" % MOST

    def _description(self, rest: bytes) -> bytes:
        offset, count = (int(number, 16) for number in rest.split(b","))
        part = DESCRIPTION[offset:offset + min(count, MOST // 2)]
        return (b"m" if offset + len(part) < len(DESCRIPTION) else b"l") + part

    def _threads(self, _rest: bytes) -> bytes:
        return b"m" + b",".join(b"%x" % (n + 1) for n in range(len(self._cores)))

    def _stopped(self, _rest: bytes = b"") -> bytes:
        return b"T05thread:%x;" % (self._selected + 1)

    def _stays(self) -> bytes:
        return b"E.A dump does not run."

    def _select(self, rest: bytes) -> bytes:
        number = int(rest[1:], 16)
        if rest[:1] == b"g" and number > 0:
            self._selected = min(number, len(self._cores)) - 1
        return b"OK"

    def _register(self, name: str, size: int) -> bytes:
        value = self._cores[self._selected].get(name, 0) & (1 << 8 * size) - 1
        return value.to_bytes(size, "little").hex().encode()

    def _read_all(self, _rest: bytes) -> bytes:
        return b"".join(self._register(name, size) for name, size in REGISTERS)

    def _read_one(self, rest: bytes) -> bytes:
        number = int(rest, 16)
        return self._register(*REGISTERS[number]) if number < len(REGISTERS) else ERROR

    def _write_one(self, rest: bytes) -> bytes:
        number, _, value = rest.partition(b"=")
        if int(number, 16) >= len(REGISTERS):
            return ERROR
        self._cores[self._selected][REGISTERS[int(number, 16)][0]] = int.from_bytes(bytes.fromhex(value.decode()), "little")
        return b"OK"

    def _memory(self, rest: bytes) -> bytes:
        address, count = (int(number, 16) for number in rest.split(b","))
        found = self._dump.virtual(self._cores[self._selected], address, min(count, MOST // 2))
        return found.hex().encode() if found or not count else ERROR


def packets(stream):
    """Without their frames, until GDB closes the pipe."""
    while byte := stream.read(1):
        if byte == b"$":
            packet = b""
            while (byte := stream.read(1)) not in (b"#", b""):
                packet += byte
            stream.read(2)  # the checksum: nothing gets lost in a pipe
            yield packet


def framed(answer: bytes) -> bytes:
    return b"$%b#%02x" % (answer, sum(answer) & 255)


def main(path: str) -> int:
    try:
        server = Server(Dump(Path(path)))
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    for packet in packets(sys.stdin.buffer):
        sys.stdout.buffer.write(b"+" + (b"" if packet == b"k" else framed(server.answer(packet))))
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
