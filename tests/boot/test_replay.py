# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make replay`: a run, recorded, kept, and replayed in the debugger forwards and backwards."""

import json
import re
import shutil
import subprocess

import pytest
from places import BUILD, ROOT

QUIET = "set pagination off\nset confirm off\ndelete\n"


def outputs(directory):
    """The outputs as they are, with results of their own."""
    for name in ("atoll.iso", "cpudriver.elf", "programs"):
        (directory / name).symlink_to(BUILD / name)
    return directory


@pytest.fixture
def build(tmp_path):
    return outputs(tmp_path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Where there is a recording of hello, in place of an older one without a name."""
    build = outputs(tmp_path_factory.mktemp("recorded"))
    for name in ("replay-20260101-000000", "replay-notes"):
        (build / "results" / f"{name}.replay").mkdir(parents=True)
    done = replay(build, "MEM=128M", "APP=hello")
    kept = sorted(path.stem for path in build.glob("results/*.replay"))
    assert "hello from domain" in done.stdout and f"The recording is in {build}/results/{kept[0]}.replay; " in done.stdout, done.stderr
    assert len(kept) == 2 and kept[1] == "replay-notes" and kept[0] > "replay-20260101-000000", kept
    return build


def replay(build, *words, commands="") -> subprocess.CompletedProcess:
    # To GDB an empty line is the command before it.
    return subprocess.run([ROOT / "boot/launch/run.py", "replay", f"BUILD={build}", *words], cwd=ROOT,
                          input=re.sub(r"\n+", "\n", QUIET + commands), capture_output=True, text=True, timeout=90, check=False)


def said_of(build, commands: str) -> str:
    done = replay(build, commands=commands)
    return done.stdout + done.stderr


def counts(said: str) -> list[int]:
    return [int(number) for number in re.findall(r"instruction count = (\d+)", said)]


TO_MAIN = """
atoll domain hello
thbreak main if $_streq(core.current->name, "hello")
continue
"""


def test_forwards_and_back(recorded):
    """By instructions, lines, past a call and into it, out of a function to where it was called, in a program and in the CPU driver."""
    said = said_of(recorded, TO_MAIN + """
p/x $rip
stepi 3
reverse-stepi 3
p/x $rip
next
next
echo == line\\n
reverse-next
reverse-next
echo == into\\n
next
next
reverse-step
bt 1
echo == out\\n
delete
hbreak dispatcher_end
continue
delete
reverse-finish
x/i $pc
echo == call\\n
hbreak syscall_entry
reverse-continue
atoll bt 0
delete
continue
echo == last\\n
monitor info replay
hbreak syscall_entry
reverse-continue
monitor info replay
atoll cores
echo == end\\n
delete
continue
continue
""").replace("(gdb) ", "")
    start, line, into, out, call, last, end = said.split("== ")
    forth, back = re.findall(r"^\$\d+ = (0x[0-9a-f]+)", start, re.M)
    assert forth == back, said
    assert len(re.findall(r"^(?:0x\w+\t)?15\t.*printf", line, re.M)) == 2, said  # main's line 17 was next
    assert re.search(r"^\d+\t|^#0 .* in \w+ \(", into, re.M) and "main (" in into, said
    assert re.search(r"call +0x\w+ <dispatcher_end", out), said
    assert re.search(r"Breakpoint \d+, syscall_entry .*^Called by \w+:\n#0 ", call, re.S | re.M), said
    assert "The recording ends shortly behind this" in call, said
    at_last, earlier = counts(end)  # by way of the other stream
    assert 0 < at_last - earlier < 20_000_000, said
    assert re.search(r"^ +1 +0 +0 +0 +\d+  CPU driver +\w+ +syscall_entry", last, re.M), said
    assert "The recording is at its very end, from which QEMU can't go back" in end, said


def test_who_wrote_this_word(recorded):
    """From the end: the CPU driver's count of dispatchers, and a word of hello's that other programs have at the same address."""
    said = said_of(recorded, TO_MAIN + """
hbreak linux_exit_group if $_streq(core.current->name, "hello")
continue
atoll wrote thread_current
p core.current->name
p thread_current
stepi
p thread_current != 0
continue
delete
echo the end\\n
continue
p core.dispatcher_count
atoll wrote core.dispatcher_count
x/i $pc
p core.dispatcher_count
stepi
p core.dispatcher_count
watch core.dispatcher_count
reverse-continue
reverse-stepi
p core.dispatcher_count
atoll wrote *(long *)(&core.dispatcher_count + 0x100)
""")
    program, driver = said.replace("(gdb) ", "").split("the end\n")
    assert re.search(r'^(?:0x\w+\t)?\d+\t\tthread_current = .*= "hello.*\) 0x0$.*\$\d+ = 1$', program, re.S | re.M), said
    assert program.count("linux_exit_group (") == 2, said  # the user's own breakpoint is there again
    assert re.search(r"^=> .*<dispatcher_end.*\n? +subq? .*<core\+", driver, re.M), said
    at_the_end, before, behind, earlier = (int(number) for number in re.findall(r"^\$\d+ = (\d+)$", driver, re.M))
    assert behind == at_the_end and before == earlier + 1 == behind + 1, said
    assert "since the recording began." in driver, said


def test_a_run_that_hangs(build):
    recording = replay(build, "MEM=128M", "APP=shell", "TIMEOUT=6", commands="""
continue
atoll bt shell
reverse-stepi
monitor info replay
""")
    said = recording.stdout + recording.stderr
    assert "The machine was still running after 6 seconds and was stopped." in said, said
    assert re.search(r"linux_console_read .*main .*apps/shell/main.c:\d+", said, re.S), said
    instructions = int(re.search(r"a run of (\d+) instructions, is replayed", said)[1])
    assert counts(said) == [instructions - 2], said


def test_what_does_not_fit_is_refused(recorded, build):
    recording = build / "results/hello.replay"
    shutil.copytree(next(recorded.glob("results/replay-2*.replay")), recording)
    about = recording / "about.json"
    content = json.loads(about.read_text())
    for change, sentence in (({"image": "0"}, "was recorded on another .*atoll.iso than the one that is there now"),
                             ({"qemu": "QEMU 1.0"}, "was recorded by QEMU 1.0, and here is QEMU emulator version"),
                             ({"format": 9}, "is a recording of format 9, and this reads format 1"), ({"last": None}, "about.json is damaged")):
        about.write_text(json.dumps(content | change))
        refused = replay(build, "NAME=hello")
        assert refused.returncode == 2 and re.search(sentence, refused.stderr), refused.stderr
    about.write_text(json.dumps(content))
    (recording / "recording").unlink()
    assert replay(build).stderr == f"{recording}/recording is missing.\n"


@pytest.mark.parametrize("words, sentence", [
    (["CORES=2"], "CORES=2 can't be replayed: QEMU records machines of one core only."),
    (["FIRMWARE=uefi"], "FIRMWARE=uefi can't be replayed: "),
    ([], "There is no recording in {build}/results: `make replay APP=...` makes one."),
    (["NAME=none"], "{build}/results/none.replay is no recording that came to its end: "),
])
def test_what_can_t_be_replayed_is_refused(build, words, sentence):
    refused = replay(build, *words)
    assert refused.returncode == 2 and refused.stderr.startswith(sentence.format(build=build)), refused.stderr
