# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""No memory is shared between kernels: looked up in the page tables of a running system."""

import json
import subprocess

from conftest import BUILD, ROOT

MIB = 1 << 20
NODE_MIB = 256


def test_every_core_has_its_own_image_on_its_own_node(boot, tmp_path):
    socket = tmp_path / "gdb"
    with boot.session(cores=4, nodes=2, mem=f"{2 * NODE_MIB}M", app="shell", timeout=90,
                      qemu_extra=["-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        machine.expect("atoll> ")
        said = subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex", f"target remote {socket}", "-x", ROOT / "tests/boot/walk_images.py",
                               "-ex", "detach", BUILD / "cpudriver.elf"], capture_output=True, text=True, timeout=120, check=False)
        machine.type("poweroff")
    cores = [json.loads(line[5:]) for line in said.stdout.splitlines() if line.startswith("CORE ")]
    assert sorted(core["core"] for core in cores) == [0, 1, 2, 3], said.stdout + said.stderr

    owner = {}
    for core in cores:
        assert len(core["image"]) >= 10 and len(core["tables"]) >= 5, core  # text, data and stack; four levels and the window
        for page in core["image"] + core["tables"]:
            assert page not in owner, f"page {page:#x} belongs to core {owner[page]} and to core {core['core']}"
            owner[page] = core["core"]
            assert core["node"] * NODE_MIB * MIB <= page < (core["node"] + 1) * NODE_MIB * MIB, f"page {page:#x} of {core['core']}"
    assert {core["node"] for core in cores} == {0, 1}
