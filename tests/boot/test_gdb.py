# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The debugger and its script, on a machine that runs and on one that is about to start."""

import re
import subprocess
from pathlib import Path

from conftest import BUILD, ROOT


def gdb(socket: Path, *commands: str) -> str:
    words = ["gdb", "-nx", "-q", "-batch", "-x", ROOT / "boot/gdb/atoll.py", "-ex", "set pagination off", "-ex", f"target remote {socket}"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run([*words, BUILD / "cpudriver.elf"], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def test_cores_dispatchers_and_symbols_of_a_running_system(boot, tmp_path):
    socket = tmp_path / "gdb"
    with boot.session(cores=3, nodes=1, app="shell", timeout=90, qemu_extra=["-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        machine.expect("atoll> ")
        said = gdb(socket, "atoll cores", "atoll dispatchers", "atoll domain shell", "info line main", "atoll domain nonsense", "detach")
        cores = re.findall(r"^ +\d+ +(\d+) +(\d+) +0 +(\d+)  (?:CPU driver|user space)", said, re.M)
        assert sorted(int(core) for core, _, _ in cores) == [0, 1, 2], said
        assert all(int(dispatchers) >= 1 for _, _, dispatchers in cores), said
        rows = re.findall(r"^ +(\d+)  (\S+) +([A-Z_]+) +\S+ +0x([0-9a-f]{16})  0x[0-9a-f]{16}  0x([0-9a-f]+)$", said, re.M)
        assert {"monitor", "console", "init", "shell"} <= {name for _, name, *_ in rows}, said
        assert len([name for _, name, *_ in rows if name == "monitor"]) == 3, said
        assert len({table for *_, table in rows}) == len(rows), said  # every domain has an address space of its own
        assert "apps/shell/main.c" in said, said
        assert "there is no program nonsense" in said, said
        machine.type("poweroff")


def test_the_first_stop_is_the_entry_of_the_cpu_driver(boot, tmp_path):
    socket = tmp_path / "gdb"
    with boot.session(cores=2, nodes=1, app="hello", timeout=90, qemu_extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        said = gdb(socket, "hbreak core_entry", "continue", "info registers rip", "atoll cores", "delete", "detach")
        assert re.search(r"rip .*<core_entry>", said), said
        assert said.count("not started") >= 1, said
        machine.expect("hello from domain")
