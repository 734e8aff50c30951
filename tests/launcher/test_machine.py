# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""QEMU's command line, and the sorting of the serial line."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "boot/launch"))

import machine  # noqa: E402
import serial  # noqa: E402
import settings  # noqa: E402


def words(tmp_path, *given):
    return machine.command(settings.parse(list(given)), Path("atoll.iso"), tmp_path)


def options(command, name):
    return [value for option, value in zip(command, command[1:]) if option == name]


def test_one_node_is_a_machine_that_does_not_speak_of_nodes(tmp_path):
    assert options(words(tmp_path, "CORES=4", "NODES=1"), "-numa") == []


def test_cores_and_memory_are_shared_evenly(tmp_path):
    command = words(tmp_path, "CORES=7", "NODES=3", "MEM=100M")
    nodes = [value for value in options(command, "-numa") if value.startswith("node,")]
    assert [node.split("cpus=")[1] for node in nodes] == ["0-1", "2-3", "4-6"]
    assert [value.split("size=")[1] for value in options(command, "-object")] == ["33M", "33M", "34M"]


def test_a_node_of_one_core(tmp_path):
    command = words(tmp_path, "CORES=2", "NODES=2")
    assert "node,nodeid=1,memdev=m1,cpus=1" in options(command, "-numa")


def test_sockets_dies_and_threads(tmp_path):
    assert options(words(tmp_path, "CORES=8", "SOCKETS=2", "THREADS=2"), "-smp") == ["8,sockets=2,dies=1,cores=2,threads=2"]
    assert options(words(tmp_path, "CORES=8"), "-smp") == ["8"]
    assert options(words(tmp_path, "CORES=8"), "-cpu") == ["max"]
    assert options(words(tmp_path, "CORES=8", "DIES=2"), "-cpu") == ["max,level=0x1f"]


def test_distances_grow_along_the_shorter_way_round_a_ring():
    assert [machine.distance(0, b, 5) for b in range(5)] == [10, 20, 30, 30, 20]
    assert all(machine.distance(a, b, 5) == machine.distance(b, a, 5) for a in range(5) for b in range(5))


def test_the_two_lenses(tmp_path):
    assert options(words(tmp_path), "-accel") == ["tcg,thread=multi"]
    counting = words(tmp_path, "LENS=icount")
    assert options(counting, "-accel") == ["tcg,thread=single"]
    assert options(counting, "-icount") == ["shift=0,sleep=off"]
    assert options(counting, "-fw_cfg") == ["name=opt/atoll/cmdline,string=lens=instructions"]


def test_uefi_gets_variables_of_its_own(tmp_path):
    drives = options(words(tmp_path, "FIRMWARE=uefi"), "-drive")
    assert "readonly=on" in drives[0] and "OVMF_CODE" in drives[0]
    assert str(tmp_path) in drives[1]
    assert not options(words(tmp_path), "-drive")


def test_the_user_s_words_come_last(tmp_path):
    assert words(tmp_path, "QEMU_EXTRA=-device 'a b'")[-2:] == ["-device", "a b"]


@pytest.mark.parametrize("raw, line", [
    (b"\x1b[2J\x1b[01;01Hplain\r", "plain"), (b"\x1b[=3hx", "x"), (b"\x1b(B\x1b[0;37;40my\x00", "y"), (b"tab\tkept", "tab\tkept"),
    (b"\xff", "\ufffd")])
def test_lines_are_cleaned(raw, line):
    assert serial.clean(raw) == line


def test_a_line_may_come_in_pieces():
    transcript = serial.Transcript(firmware=True)
    for piece in (b"noise\nAto", b"ll\n@boot {\"co", b"re\":1}\nmo", b"re"):
        transcript.feed(piece)
    transcript.end()
    assert transcript.firmware == ["noise"]
    assert transcript.people == ["Atoll", "more"]
    assert transcript.facts == [{"tag": "boot", "core": 1}]
