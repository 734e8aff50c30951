# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A program's vector registers stay as they are across upcalls and foreign calls (libos/upcall/entry.S), for nothing that runs in them uses any."""

import re

import pytest

from tree import BUILD, ROOT, output

LIBC = "/usr/lib/x86_64-linux-musl/libc.a"
VECTOR = re.compile(r"%[xyz]?mm\d|%st\b|%st\(")


def functions(*files):
    """{name: instructions} of a disassembly."""
    found, lines = {}, []
    for line in output("objdump", "-d", "--no-show-raw-insn", *files).splitlines():
        if start := re.match(r"[0-9a-f]+ <([^>]+)>:", line):
            lines = found.setdefault(start[1], [])
        elif "\t" in line:
            lines.append(line.split("\t", 1)[1])
    return found


def vector_users(found):
    return {name for name, lines in found.items() if any(VECTOR.search(line) for line in lines)}


@pytest.mark.parametrize("room", ["libos", "channels"])
def test_the_library_os_uses_no_vector_registers(room):
    found = functions(*sorted((BUILD / "user" / room).rglob("*.o")))
    assert len(found) > 10
    assert not vector_users(found)


def test_neither_does_what_it_calls_of_the_c_library():
    names = {"memcpy", "memset", "memmove", "memchr", "strlen", "strcpy", "__stpcpy"}
    found = functions(LIBC)
    assert names <= set(found)
    assert not names & vector_users(found)


def placed(program):
    """{name: address} of a program's data."""
    found = {}
    for line in output("nm", program).splitlines():
        address, kind, name = line.split()[-3:] if len(line.split()) == 3 else ("0", "U", "")
        if kind in "bBdD":
            found[name] = int(address, 16)
    return found


def test_the_library_os_has_its_data_apart():
    """What it writes to lies from USER_PRIVATE on (cpudriver/abi/memory_map.h), and nothing of the program's does: members share the one, not the
    other."""
    private = int(re.search(r"#define USER_PRIVATE\s+(0x[0-9a-f]+)", (ROOT / "cpudriver/abi/memory_map.h").read_text())[1], 16)
    own = {line.split()[2] for line in output("nm", BUILD / "libatoll.a").splitlines()
           if len(line.split()) == 3 and line.split()[1] in "bBdD"}
    program = (BUILD / "user/tests/programs/selftest").glob("*.o")
    shared = {line.split()[2] for line in output("nm", LIBC, *program).splitlines()
              if len(line.split()) == 3 and line.split()[1] in "bBdD"}
    data = placed(BUILD / "programs/selftest")
    assert len(own & data.keys()) > 50 and len(shared & data.keys()) > 20
    assert not [name for name in (own - shared) & data.keys() if data[name] < private]
    assert not [name for name in (shared - own) & data.keys() if data[name] >= private]
