# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Run by GDB (test_separation.py): prints, for each core, its capabilities to RAM, as one JSON object a line: base, size, flags."""

import json

import gdb

RAM = int(gdb.parse_and_eval("CAP_RAM"))


def walk(slot: gdb.Value, found: list) -> None:
    if int(slot) == 0:
        return
    walk(slot["left"], found)
    if int(slot["type"]) == RAM:
        found.append([int(slot["base"]), int(slot["size"]), int(slot["flags"])])
    walk(slot["right"], found)


for thread in gdb.selected_inferior().threads():
    thread.switch()
    found = []
    walk(gdb.parse_and_eval("core.capabilities.root"), found)
    print("CORE " + json.dumps({"core": int(gdb.parse_and_eval("core.id")), "ram": found}))
