# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What the launcher leaves of a run that has failed, and what the debugger sees in it."""

import os
import re
import subprocess
import sys

import pytest
from places import BUILD, ROOT


@pytest.fixture
def build(tmp_path):
    """The outputs as they are, with results of its own."""
    for name in ("atoll.iso", "cpudriver.elf", "programs"):
        (tmp_path / name).symlink_to(BUILD / name)
    return tmp_path


def run(build, *words) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "boot/launch/run.py", "run", f"BUILD={build}", "CORES=2", "MEM=128M", *words],
                          capture_output=True, text=True, timeout=90, check=False)


def postmortem(build, *commands, dump="") -> str:
    words = [word for command in ("set pagination off", *commands) for word in ("-ex", command)]
    done = subprocess.run([sys.executable, ROOT / "boot/launch/postmortem.py", build, dump, "-nx", "-batch", *words],
                          capture_output=True, text=True, timeout=90, check=False)
    return done.stdout + done.stderr


def test_a_panic_is_kept_as_it_was(build):
    failed = run(build, "APP=crash", "NAME=panic")
    assert failed.returncode == 1, failed.stdout
    assert f"The machine's memory is in {build}/results/panic.dump: `make postmortem` looks at it." in failed.stderr, failed.stderr
    said = postmortem(build, "atoll cores", "atoll bt 1", "atoll bt monitor@1", "continue", "atoll cores")
    assert f"The end of {build}/results/panic.log:" in said, said
    assert len(re.findall(r"^ +2 +1 +1 +1 +\d+  CPU driver +monitor +\w+", said, re.M)) == 2, said
    assert re.search(r" panic \(.*trap \(.*<signal handler called>.*op_Kernel_crash \(.*syscall_entry \(", said, re.S), said
    assert len(re.findall(r"^Called by monitor:\n#0  platform_crash \((?:.*\n#)+.*main \(\) at monitor/main.c", said, re.M)) == 2, said
    assert "A dump does not run." in said and "Broken pipe" not in said, said


def test_a_machine_that_hangs_is_kept_before_it_is_stopped(build):
    (build / "results").mkdir()
    (build / "results/older.dump").write_bytes(b"")
    failed = run(build, "APP=shell", "NAME=hang", "TIMEOUT=4")
    assert "The machine was still running after 4 seconds and was stopped." in failed.stderr, failed.stderr
    kept = list((build / "results").glob("*.dump"))
    assert kept == [build / "results/hang.dump"], kept
    assert os.stat(kept[0]).st_blocks * 512 < 100 << 20 < os.stat(kept[0]).st_size  # it has holes
    said = postmortem(build, "atoll domains", "atoll bt shell", dump=str(kept[0]))
    assert re.search(r"linux_console_read .*main .*apps/shell/main.c:\d+", said, re.S), said


def test_a_good_run_leaves_no_dump(build):
    assert run(build, "APP=hello", "NAME=good").returncode == 0
    assert not list((build / "results").glob("*.dump"))


@pytest.mark.parametrize("dump, sentence", [
    ("", "There is no dump in {build}/results: a run that fails leaves one there. DUMP=... names another one."),
    ("{build}/none", "{build}/none can't be read: No such file or directory."),
    ("{build}/cpudriver.elf", "{build}/cpudriver.elf is not a whole memory dump of a machine."),
    ("{build}/short", "{build}/short is not a whole memory dump of a machine."),
])
def test_what_is_no_dump_is_refused_in_a_sentence(build, dump, sentence):
    (build / "short").write_bytes(b"\x7fELF\x02" + bytes(40))
    assert postmortem(build, dump=dump.format(build=build)).startswith(sentence.format(build=build))
