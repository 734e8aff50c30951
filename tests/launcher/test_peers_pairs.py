# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""make peers: what is compared with what, and the runner from the outside, with a QEMU that replays serial logs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench/peers/peers.py"
FAKE = Path(__file__).with_name("fake_qemu.py")
sys.path[:0] = [str(ROOT / directory) for directory in ("boot/launch", "bench/peers", "bench/suite")]

import linux  # noqa: E402
import machine  # noqa: E402
import pairing  # noqa: E402
import rows  # noqa: E402
import settings  # noqa: E402
import table  # noqa: E402


def fact(name, p50, a=0, b=0, unit="cycles", **more):
    return {"tag": "bench", "id": name, "lens": "elapsed", "unit": unit, "from": a, "to": b, **more, "n": 10, "min": p50, "p50": p50,
            "p99": p50, "max": p50}


def turns(atoll, linux_says, lens="elapsed"):
    """A run of each for each of the numbers."""
    return [pairing.Run(system, lens, 2, 1, turn, [fact(name, value, unit="instructions" if lens == "icount" else "cycles")])
            for turn, pair in enumerate(zip(atoll, linux_says))
            for system, name, value in (("atoll", "fault.self", pair[0]), ("linux", "fault", pair[1]))]


def only_line(runs, wanted):
    found = pairing.lines(runs, wanted)
    assert len(found) == 1
    return found[0]


# ---- Pairing ------------------------------------------------------------------------------------------------------------

def test_a_ratio_is_of_one_turn():
    """The host was twice as slow in the second turn, and the ratio does not see it."""
    line = only_line(turns([100, 200, 100, 100, 100, 100], [300, 600, 300, 300, 300, 300]), 6)
    assert (line.ratio.estimate, line.ratio.low, line.ratio.high, line.ratio.stable) == (3, 3, 3, True)
    assert (line.atoll_value, line.linux_value) == (100, 300)


def test_what_varies_too_much_is_marked():
    line = only_line(turns([100] * 6, [100, 200, 300, 400, 500, 600]), 6)
    assert not line.ratio.stable and "?" in table.text([line])
    assert not only_line(turns([100] * 2, [300] * 2), 2).ratio.stable, "two turns are no interval"


def test_counts_have_to_repeat():
    assert only_line(turns([100, 100], [300, 300], "icount"), 2).ratio.stable
    assert only_line(turns([100, 100], [300, 301], "icount"), 2).ratio.stable, "Linux, which has random numbers in it, to one percent"
    assert not only_line(turns([100, 100], [300, 310], "icount"), 2).ratio.stable
    assert not only_line(turns([100], [300], "icount"), 1).ratio.stable, "once is not again"


def test_a_turn_that_lacks_a_side_does_not_count():
    runs = turns([100, 100, 100], [300, 300, 900])
    line = only_line([run for run in runs if (run.system, run.turn) != ("atoll", 2)], 3)
    assert line.ratio.high == 3 and not line.ratio.stable
    assert pairing.lines([run for run in runs if run.system == "atoll"], 3) == []


def test_what_wakes_twice_counts_half():
    runs = [pairing.Run("atoll", "elapsed", 2, 1, 0, [fact("futex.wake.remote", 100, 0, 1)]),
            pairing.Run("linux", "elapsed", 2, 1, 0, [fact("futex.rtt.thread", 600, 0, 1)])]
    assert only_line(runs, 1).ratio.estimate == 3


def test_by_cores_means_the_same_number_of_cores():
    def many(name, *values):
        return [fact(name, value, 0, n, holders=n, messages=0) for n, value in enumerate(values, 1)]
    found = pairing.lines([pairing.Run("atoll", "elapsed", 4, 1, 0, many("barrier", 10, 20, 30)),
                           pairing.Run("linux", "elapsed", 4, 1, 0, many("barrier", 20, 80))], 1)
    assert [(line.holders, line.ratio.estimate) for line in found] == [(1, 2), (2, 4)]


def test_different_units_are_refused():
    runs = turns([100], [300])
    runs[1].facts[0]["unit"] = "instructions"
    with pytest.raises(pairing.Refused, match="fault.self and fault are in different units"):
        pairing.lines(runs, 1)


def test_what_is_said_twice_is_refused():
    runs = turns([100], [300])
    runs[0].facts.append(runs[0].facts[0])
    with pytest.raises(pairing.Refused, match="atoll says fault.self twice"):
        pairing.lines(runs, 1)


def test_points_say_whose_they_are():
    points = pairing.points(turns([100, 100], [300, 300], "icount"), {"icount": 2})
    assert [(point["id"], point.get("system"), point["estimate"], point["stable"]) for point in points] == [
        ("fault.self", None, 100, True), ("fault", "linux", 300, True)]


def test_every_row_has_what_the_programs_measure():
    """A name that no program prints would be a row that never shows."""
    sources = "".join(path.read_text(encoding="utf-8") for where in ("bench", "channels") for path in (ROOT / where).rglob("*.c"))
    for row in rows.ROWS:
        for name in (row.atoll, *row.linux):
            # Some programs put names together of parts.
            assert any(f'"{name[:end]}"' in sources or f'"{name[:end]}.' in sources for end in range(3, len(name) + 1)), name


# ---- Linux's command line -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("lens,named", [("icount", "LENS=instructions"), ("elapsed", "LENS=elapsed")])
def test_both_systems_get_the_same_machine(tmp_path, lens, named):
    given = settings.parse([f"LENS={lens}", "CORES=4", "NODES=2", "BUILD=/b", "QEMU_EXTRA=-device x"])
    command = linux.command(given, tmp_path, 200, 2, ("single", "pairs"))
    hardware = machine.hardware(given, tmp_path)
    assert command[:len(hardware)] == hardware == machine.command(given, Path("atoll.iso"), tmp_path)[:len(hardware)]
    assert command[-2:] == ["-device", "x"]
    append = command[command.index("-append") + 1].split()
    assert {named, "ROUNDS=200", "POLLED=2", "PARTS=single,pairs"} <= set(append)
    assert ("lpj=4000000" in append) == (lens == "icount")


# ---- From the outside -----------------------------------------------------------------------------------------------------

def printed(*facts):
    lines = [f"@bench {json.dumps({name: value for name, value in one.items() if name != 'tag'})}" for one in facts]
    return "\n".join([*lines, '@event {"event":"poweroff","status":0}']) + "\n"


ATOLL = printed(fact("fault.self", 100), fact("unmap", 50, 0, 1, holders=1, messages=1))
LINUX = printed(fact("fault", 300), fact("unmap", 200, 0, 1, holders=1, messages=0))


@pytest.fixture
def peers(tmp_path):
    """Runs peers.py with a QEMU that says one thing as Linux and another as Atoll."""
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin/qemu-system-x86_64"
    stand_in.write_text('#!/bin/sh\ncase " $* " in *" -kernel "*) export FAKE_SERIAL=$FAKE_LINUX FAKE_CODE=$FAKE_LINUX_CODE ;; esac\n'
                        f'exec {FAKE} "$@"\n')
    stand_in.chmod(0o755)

    def run(*words, action="run", atoll=ATOLL, linux_says=LINUX, **fake):
        (tmp_path / "atoll.serial").write_text(atoll)
        (tmp_path / "linux.serial").write_text(linux_says)
        environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "FAKE_SERIAL": str(tmp_path / "atoll.serial"),
                       "FAKE_LINUX": str(tmp_path / "linux.serial"), "FAKE_LINUX_CODE": "0", **fake}
        return subprocess.run([PEERS, action, f"BUILD={tmp_path}", *words], env=environment, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False)

    run.directory = tmp_path / "bench"
    return run


def test_the_systems_take_turns_and_every_fact_is_kept(peers):
    answer = peers("LENS=elapsed", "CORES=2", "REPEAT=2", "PIN=off")
    assert answer.returncode == 0, answer.stderr
    facts = [json.loads(line) for line in (peers.directory / "peers.jsonl").read_text().splitlines()]
    assert [one.get("system") for one in facts if one["tag"] == "provenance"] == [None, "linux"] * 2
    assert facts[-1] == {"tag": "end", "code": 0}
    assert all((one["id"] == "fault") == (one.get("system") == "linux") for one in facts if one.get("id", "").startswith("fault"))
    whole = json.loads((peers.directory / "peers.json").read_text())
    assert whole["format"] == pairing.FORMAT and whole["caveats"]
    assert [(row["row"], row["holders"], row["ratio"]["estimate"]) for row in whole["rows"]] == [
        ("page fault", 0, 3), ("unmap a page that others use", 1, 4)]
    assert {(point["id"], point.get("system")) for point in whole["points"]} == {
        ("fault.self", None), ("unmap", None), ("fault", "linux"), ("unmap", "linux")}
    table_rows = [line.split() for line in answer.stdout.splitlines()]
    assert ["page", "fault", "on", "one", "core", "fault.self", "fault", "100", "300", "3.00?"] in table_rows
    assert rows.CAVEATS[0] in answer.stdout


def test_both_lenses_unless_one_is_chosen(peers):
    answer = peers("CORES=4", "REPEAT=1", "PIN=off", atoll=ATOLL.replace("elapsed", "instructions"))
    assert answer.stdout.count("icount") == answer.stdout.count("elapsed ") == 4, answer.stdout


def test_a_peer_that_fails_is_named(peers):
    answer = peers("LENS=elapsed", "CORES=2", "REPEAT=2", "PIN=off",
                   linux_says='pipe: mmap: Out of memory\n@event {"event":"poweroff","status":1}\n')
    assert answer.returncode == 1
    assert answer.stderr.startswith("Linux on 2 cores, lens elapsed, turn 1: The guest powered off with status 1. "
                                    "Its last line: pipe: mmap: Out of memory.")
    facts = [json.loads(line) for line in (peers.directory / "peers.jsonl").read_text().splitlines()]
    assert facts[-1]["code"] == 1 and not (peers.directory / "peers.json").exists()


def test_a_peer_that_hangs_is_ended(peers):
    answer = peers("LENS=elapsed", "CORES=2", "REPEAT=1", "TIMEOUT=1", "PIN=off", linux_says="starting\n", FAKE_LINUX_CODE="hang")
    assert answer.returncode == 1
    assert "Linux on 2 cores, lens elapsed, turn 1: The machine was still running after 1 seconds and was stopped." in answer.stderr


def test_a_damaged_fact_is_no_figure(peers):
    answer = peers("LENS=elapsed", "CORES=2", "REPEAT=1", "PIN=off", linux_says='@bench {"id":\n' + LINUX)
    assert answer.returncode == 1 and "is not a valid fact" in answer.stderr


@pytest.mark.parametrize("word,sentence", [
    ("APP=hello", "APP=hello does not go with make peers"), ("CORES=1", "CORES=1 is too few for make peers"),
    ("REPEAT=0", "REPEAT=0 is not a number from 1 to 99"), ("REPEAT=x", "REPEAT=x is not a number"), ("PIN=1", "PIN=1 does not go"),
    ("CORES=many", "CORES=many is not a number"), ("LENS=fish", "LENS=fish is unknown")])
def test_what_makes_no_sense_is_refused_at_once(peers, word, sentence):
    answer = peers(word, action="check")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(sentence) and answer.stderr.count("\n") == 1
