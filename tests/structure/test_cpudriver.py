# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What the CPU driver's image must and must not hold."""

import re

import pytest

from tree import BUILD, output

ELF = BUILD / "cpudriver.elf"
MOST_TEXT = 64 * 1024

# All that may change while a core runs. Anything else would be state outside of the one structure.
MUTABLE = {"core"}
# Filled once, before the first system call, and then left alone: tables that the processor wants in memory.
TABLES: set[str] = set()


def instructions() -> list[str]:
    return re.findall(r"^\s*[0-9a-f]+:\t(.*)$", output("objdump", "-d", "--no-show-raw-insn", ELF), re.MULTILINE)


def test_no_core_locks_the_bus():
    """No lock prefix; nor xchg with memory, which locks without saying so (SDM vol. 3, 9.1.2.1)."""
    code = instructions()
    assert len(code) > 1000
    assert not [line for line in code if re.search(r"\block\b", line)]
    assert not [line for line in code if line.startswith("xchg") and not re.match(r"xchg\w*\s+%\w+,%\w+", line)]


def test_the_state_of_a_core_is_one_structure():
    symbols = [line.split() for line in output("nm", ELF).splitlines()]
    mutable = {words[2] for words in symbols if len(words) == 3 and words[1] in "bBdDcCsS"}
    # The linker script's own marks have no size.
    sized = {words[3] for words in (line.split() for line in output("nm", "-S", ELF).splitlines()) if len(words) == 4}
    assert mutable & sized - TABLES == MUTABLE


def test_the_text_is_small():
    sizes = {words[0]: int(words[1]) for words in map(str.split, output("size", "-A", ELF).splitlines())
             if len(words) == 3 and words[1].isdigit()}
    assert 0 < sizes[".text"] <= MOST_TEXT


def test_no_segment_is_both_writable_and_executable():
    headers = output("readelf", "-lW", ELF)
    flags = re.findall(r"^\s+LOAD\s.*\s([R ][W ][E ])\s+0x", headers, re.MULTILINE)
    assert flags
    assert not [flag for flag in flags if "W" in flag and "E" in flag]


def test_a_trace_point_that_is_off_costs_two_instructions():
    """A comparison, and a jump, which the compiler may put a little further on (cpudriver/trace.h). The ring is the pointer in `core` that is
    compared with nothing most often."""
    code = instructions()
    points = [index for index, line in enumerate(code) if re.match(r"cmpq\s+\$0x0,.*<core\+0x[0-9a-f]+>", line)]
    fields = [re.search(r"<core\+(0x[0-9a-f]+)>", code[index])[1] for index in points]
    ring = max(set(fields), key=fields.count)
    assert fields.count(ring) >= 8
    assert all(any(re.match(r"j[a-z]+\s", line) for line in code[index + 1:index + 12])
               for index, field in zip(points, fields) if field == ring)


@pytest.mark.parametrize("register", ["xmm", "ymm", "mm", "st("])
def test_the_registers_of_programs_are_left_alone(register):
    """Floating point belongs to the running domain; the CPU driver only saves and restores it as a whole."""
    assert not [line for line in instructions() if f"%{register}" in line]
