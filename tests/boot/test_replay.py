# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make replay`: a run, replayed in the debugger forwards and backwards."""

import re
import subprocess

import pytest
from conftest import BUILD, ROOT


@pytest.fixture
def build(tmp_path):
    """The outputs as they are, with results of its own."""
    for name in ("atoll.iso", "cpudriver.elf", "programs"):
        (tmp_path / name).symlink_to(BUILD / name)
    return tmp_path


def replay(build, *words, commands="") -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "boot/launch/run.py", "replay", f"BUILD={build}", "MEM=128M", *words], cwd=ROOT, input=commands,
                          capture_output=True, text=True, timeout=90, check=False)


FORWARDS_AND_BACK = """
set pagination off
set confirm off
delete
atoll domain hello
thbreak main if $_streq(core.current->name, "hello")
continue
p/x $rip
stepi 3
reverse-stepi 3
p/x $rip
hbreak syscall_entry
reverse-continue
atoll bt 0
delete
continue
echo at the last\\n
monitor info replay
hbreak syscall_entry
reverse-continue
monitor info replay
atoll cores
"""


def test_forwards_and_back(build):
    done = replay(build, "APP=hello", commands=FORWARDS_AND_BACK)
    said = done.stdout + done.stderr
    assert "hello from domain" in said, said
    forth, back = re.findall(r"\$\d+ = (0x[0-9a-f]+)", said)
    assert forth == back, said
    before, _, after = said.partition("at the last\n")
    assert re.search(r"Breakpoint \d+, syscall_entry .*^Called by hello:\n#0 ", before, re.S | re.M), said
    last, earlier = (int(number) for number in re.findall(r"instruction count = (\d+)", after))
    assert 0 < last - earlier < 20_000_000, said
    assert re.search(r"^ +1 +0 +0 +0 +\d+  CPU driver +\w+ +syscall_entry", after, re.M), said


@pytest.mark.parametrize("setting, sentence", [
    ("CORES=2", "CORES=2 can't be replayed: QEMU records machines of one core only."),
    ("FIRMWARE=uefi", "FIRMWARE=uefi can't be replayed: "),
])
def test_what_can_t_be_recorded_is_refused(build, setting, sentence):
    refused = replay(build, setting)
    assert refused.returncode == 2 and refused.stderr.startswith(sentence), refused.stderr
