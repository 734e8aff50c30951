# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The Linux guest of make peers: a short run in each lens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ATOLL_BUILD", ROOT / "build"))
sys.path[:0] = [str(ROOT / "boot/launch"), str(ROOT / "bench/peers")]

import linux  # noqa: E402
import settings  # noqa: E402
import virtual_machine  # noqa: E402
from rows import ACROSS, BY_CORES, HERE, TRANSPORTS, place  # noqa: E402
from serial import Transcript  # noqa: E402

KINDS = ("process", "thread")
ASLEEP = {f"{name}.rtt.{kind}" for name in TRANSPORTS for kind in KINDS}
POLLED = {f"{name}.rtt.{kind}" for name in ("mailbox", "floor") for kind in KINDS}
SINGLE = {"getppid", "fault", "pthread.create+join", "pthread.mutex.uncontended", "unmap"} | {f"switch.{kind}" for kind in KINDS}
PARTS = ("single", "switch", "pairs", "unmap", "barrier")


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    """Boots Linux; the kernel is downloaded if this build has none yet."""
    made = subprocess.run(["make", "--no-print-directory", "-C", str(ROOT), f"BUILD={BUILD}", str(linux.archive(BUILD)),
                           str(linux.kernel(BUILD))], capture_output=True, text=True, check=False)
    if made.returncode and not linux.kernel(BUILD).exists():
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stderr

    def run(lens, rounds=20, polled=2, parts=PARTS, timeout=100):
        given = settings.parse([f"LENS={lens}", "CORES=2", "NODES=1", "MEM=512M", f"BUILD={BUILD}"])
        transcript = Transcript()
        command = linux.command(given, tmp_path_factory.mktemp("linux"), rounds, polled, parts)
        ended = virtual_machine.stream(command, timeout, transcript.feed)
        transcript.end()
        return transcript, ended or transcript.failure()

    return run


def measured(transcript, lens):
    facts = transcript.tagged("bench")
    assert all(fact["lens"] == lens and 0 < fact["min"] <= fact["p50"] <= fact["max"] for fact in facts)
    return {where: {fact["id"] for fact in facts if place(fact)[0] == where} for where in (HERE, ACROSS, BY_CORES)}


def test_everything_is_counted(guest):
    transcript, failure = guest("icount")
    assert failure is None, transcript.people
    assert transcript.tagged("peer")[0]["cores"] == 2
    assert measured(transcript, "instructions") == {HERE: ASLEEP | SINGLE, ACROSS: ASLEEP, BY_CORES: {"unmap", "unmap.running", "barrier"}}
    medians = {(fact["id"], fact["to"]): fact["p50"] for fact in transcript.tagged("bench")}
    # What is known of any Linux: a call is cheaper than a switch, a switch than a round trip, and that than one between two cores.
    for kind in KINDS:
        assert 100 < medians["getppid", 0] < medians[f"switch.{kind}", 0] < medians[f"futex.rtt.{kind}", 0] < medians[f"futex.rtt.{kind}", 1]
    assert medians["fault", 0] > 4096, "the page is cleared"


def test_everything_takes_its_time(guest):
    transcript, failure = guest("elapsed")
    assert failure is None, transcript.people
    assert measured(transcript, "elapsed") == {HERE: ASLEEP | SINGLE, ACROSS: ASLEEP | POLLED,
                                               BY_CORES: {"unmap", "unmap.running", "barrier", "barrier.polled"}}


@pytest.mark.parametrize("wrong,sentence", [({"parts": ("fish",)}, "fish: there is no such part"),
                                            ({"rounds": 0}, "the command line does not say how much of what is to be measured")])
def test_what_it_can_t_do_ends_in_a_sentence(guest, wrong, sentence):
    transcript, failure = guest("elapsed", **wrong)
    assert failure == "The guest powered off with status 1."
    assert sentence in "\n".join(transcript.people)
