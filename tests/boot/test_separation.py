# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""No memory is shared between kernels: looked up in the page tables and capabilities of a running system."""

import json
import subprocess

import pytest
from places import BUILD, ROOT

MIB = 1 << 20
NODE_MIB = 256


def look(boot, tmp_path, script: str, **machine_settings) -> list:
    """What the GDB script prints about each core of a machine that stands at the shell's prompt."""
    socket = tmp_path / "gdb"
    with boot.session(app="shell", timeout=90, qemu_extra=["-gdb", f"unix:{socket},server=on,wait=off"], **machine_settings) as machine:
        machine.expect("atoll> ")
        said = subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex", f"target remote {socket}", "-x", ROOT / "tests/boot" / script,
                               "-ex", "detach", BUILD / "cpudriver.elf"], capture_output=True, text=True, timeout=120, check=False)
        machine.type("poweroff")
    cores = [json.loads(line[5:]) for line in said.stdout.splitlines() if line.startswith("CORE ")]
    assert sorted(core["core"] for core in cores) == list(range(machine_settings["cores"])), said.stdout + said.stderr
    return cores


def test_every_core_has_its_own_image_on_its_own_node(boot, tmp_path):
    cores = look(boot, tmp_path, "walk_images.py", cores=4, nodes=2, mem=f"{2 * NODE_MIB}M")

    owner = {}
    for core in cores:
        assert len(core["image"]) >= 10 and len(core["tables"]) >= 5, core  # text, data and stack; four levels and the window
        for page in core["image"] + core["tables"]:
            assert page not in owner, f"page {page:#x} belongs to core {owner[page]} and to core {core['core']}"
            owner[page] = core["core"]
            assert core["node"] * NODE_MIB * MIB <= page < (core["node"] + 1) * NODE_MIB * MIB, f"page {page:#x} of {core['core']}"
    assert {core["node"] for core in cores} == {0, 1}


SHARED = 1 | 2  # CAP_FLAG_REMOTE, CAP_FLAG_FOREIGN


@pytest.mark.parametrize("cores, nodes", [(2, 1), (6, 3)])
def test_no_core_covers_memory_of_another(boot, tmp_path, cores, nodes):
    found = look(boot, tmp_path, "walk_capabilities.py", cores=cores, nodes=nodes, mem=f"{nodes * NODE_MIB}M")
    ranges = sorted((base, base + size, core["core"]) for core in found for base, size, flags in core["ram"] if not flags & SHARED)
    for core in found:
        assert any(owner == core["core"] for _, _, owner in ranges), f"core {core['core']} has no memory"
    reached, by = 0, None
    for base, end, core in ranges:
        assert base >= reached or core == by, f"core {core} has RAM at {base:#x}, which core {by} covers up to {reached:#x}"
        if end > reached:
            reached, by = end, core
