# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A machine on which nothing happens halts, whatever its monitors have waited for before: they look on for a bounded time only."""

import os
import subprocess
import time
from pathlib import Path


def processor_seconds(pid: int) -> float:
    """proc(5): user and system time are the 12th and 13th field behind the name."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_machine_halts(boot):
    with boot.session(cores=4, nodes=2, mem="256M", app="shell", timeout=60) as machine:
        machine.expect("atoll> ")
        machine.type("run hello 3 world")
        machine.expect("hello from domain \\d+ on core 3")
        machine.expect("atoll> ")
        time.sleep(1)
        # A busy host leaves little to anybody, so a process that does nothing but loop shows what there was to be had.
        with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as busy:
            used = processor_seconds(machine.pid)
            time.sleep(3)
            used, had = processor_seconds(machine.pid) - used, processor_seconds(busy.pid)
            busy.kill()
        machine.type("poweroff")
    assert used < had / 3, f"the idle machine ran for {used:.2f} s while a loop ran for {had:.2f} s"
