# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""From virtual to physical, by the four levels of tables of 64-bit mode (Intel SDM vol. 3, 4.5). Pure: the caller reads memory."""

PAGE = 4096
PRESENT, LARGE, ADDRESS = 1, 1 << 7, 0x000FFFFFFFFFF000
# The lowest bit of the address that an entry of each level translates, from the root on.
SHIFTS = (39, 30, 21, 12)


def translate(read, root: int, address: int) -> int | None:
    """`read(physical, count)` answers bytes; None: nothing is mapped there."""
    table = root & ADDRESS
    for shift in SHIFTS:
        entry = int.from_bytes(read(table + (address >> shift & 511) * 8, 8), "little")
        if not entry & PRESENT:
            return None
        if shift == SHIFTS[-1] or (entry & LARGE and shift != SHIFTS[0]):
            return (entry & ADDRESS & -(1 << shift)) | (address & (1 << shift) - 1)
        table = entry & ADDRESS
    raise AssertionError("the last level ends the walk")


def pieces(address: int, count: int):
    """A range in parts that lie in one page each: (address, count)."""
    end = address + count
    while address < end:
        part = min(end, (address & -PAGE) + PAGE) - address
        yield address, part
        address += part
