# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Run by GDB (test_separation.py): prints, for each core, which physical pages its CPU driver is made of, as one JSON object a line.

A core's page tables are read through its own window on physical memory. Counted are the pages of the image (text, data, stack) and every
page table of the upper half; the window's own large pages and the devices are not memory of the image.
"""

import json
import struct

import gdb

WINDOW = 0xFFFF800000000000
IMAGE, IMAGE_END = 0xFFFFFFFF80000000, 0xFFFFFFFFC0000000
PRESENT, LARGE, ADDRESS = 1, 1 << 7, 0x000FFFFFFFFFF000


def entries(table: int) -> tuple:
    return struct.unpack("<512Q", gdb.selected_inferior().read_memory(WINDOW + table, 4096).tobytes())


def canonical(address: int) -> int:
    return address | 0xFFFF000000000000 if address >> 47 & 1 else address


def walk(table: int, level: int, address: int, tables: list, image: list) -> None:
    tables.append(table)
    for index, entry in enumerate(entries(table)):
        at = canonical(address + (index << (12 + 9 * (level - 1))))
        if not entry & PRESENT or at < WINDOW:
            continue
        if level == 1:
            if IMAGE <= at < IMAGE_END:
                image.append(entry & ADDRESS)
        elif not entry & LARGE:
            walk(entry & ADDRESS, level - 1, at, tables, image)


for thread in gdb.selected_inferior().threads():
    thread.switch()
    boot = gdb.parse_and_eval("core.boot")
    tables, image = [], []
    walk(int(boot["page_table4"]), 4, 0, tables, image)
    print("CORE " + json.dumps({"core": int(gdb.parse_and_eval("core.id")), "node": int(boot["node"]), "tables": tables, "image": image}))
