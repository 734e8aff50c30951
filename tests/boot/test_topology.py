# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The machine that the system states as hwloc's XML is the one that QEMU was asked for, and hwloc finds nothing to complain of."""

import subprocess
import sys
import xml.etree.ElementTree as tree

import pytest

from places import BUILD, ROOT

sys.path.insert(0, str(ROOT / "boot/launch"))

import machine  # noqa: E402
import plan  # noqa: E402
import topology  # noqa: E402

PLANNER = BUILD / "planner"


@pytest.fixture(scope="module", autouse=True)
def planner():
    subprocess.run(["make", "-C", ROOT, "--no-print-directory", f"BUILD={BUILD.resolve()}", str(PLANNER.resolve())], check=True)


class Stated:
    """What the guest stated, as hwloc has read it: `lstopo` writes what it understood."""

    def __init__(self, result, directory):
        self.file = directory / "topology.xml"
        self.file.write_text(topology.xml(result.transcript.facts), encoding="utf-8")
        self.verdict = topology.validate(BUILD, self.file)
        understood = directory / "understood.xml"
        subprocess.run([topology.LSTOPO, "-i", self.file, "--filter", "all:all", "-f", "--of", "xml", understood], check=True)
        self.root = tree.parse(understood).getroot()
        topology.draw(self.file, directory / "topology.svg")
        self.picture = (directory / "topology.svg").read_text(encoding="utf-8")

    def objects(self, kind):
        return [found for found in self.root.iter("object") if found.get("type") == kind]

    def groups(self, kind):
        """The cores of each object of a kind, as sets."""
        return [members(found.get("cpuset")) for found in self.objects(kind)]

    def distances(self):
        nodes = len(self.objects("NUMANode"))
        numbers = [int(n) for element in self.root.iter("u64values") for n in element.text.split()]
        return [numbers[n * nodes:(n + 1) * nodes] for n in range(nodes)]


def members(text):
    words = text.split(",")
    bits = sum(int(word or "0", 16) << 32 * n for n, word in enumerate(reversed(words)))
    return {n for n in range(bits.bit_length()) if bits >> n & 1}


def parts(total, count):
    """Consecutive, equal parts of all cores."""
    return [set(range(n * total // count, (n + 1) * total // count)) for n in range(count)]


def info(found, name):
    return next((child.get("value") for child in found.findall("info") if child.get("name") == name), None)


@pytest.mark.parametrize("sockets, dies, cores, threads, nodes, cpu", [
    (1, 1, 2, 1, 1, "max"), (2, 1, 2, 1, 2, "max"), (2, 2, 2, 2, 4, "max"), (1, 1, 3, 2, 3, "max"), (4, 1, 1, 1, 2, "max"),
    (2, 2, 1, 2, 2, "Skylake-Server,-pcid"), (2, 1, 2, 2, 2, "EPYC")])
def test_the_stated_machine_is_the_one_that_was_asked_for(boot, tmp_path, sockets, dies, cores, threads, nodes, cpu):
    total = sockets * dies * cores * threads
    result = boot(cores=total, nodes=nodes, mem=f"{256 * nodes}M", cpu=cpu, sockets=sockets, dies=dies, threads=threads, app="topology",
                  timeout=120)
    stated = Stated(result, tmp_path)
    assert stated.groups("PU") == parts(total, total)
    assert stated.groups("Core") == parts(total, total // threads)
    assert stated.groups("Package") == parts(total, sockets)
    if dies > 1:
        assert stated.groups("Die") == parts(total, sockets * dies)
    if "EPYC" in cpu or "Skylake" in cpu:
        assert stated.groups("L3Cache") == parts(total, sockets * dies)
        assert stated.groups("L2Cache") == parts(total, total // threads)
    assert stated.groups("NUMANode") == parts(total, nodes)
    for found in stated.objects("NUMANode"):
        assert 0.98 * (256 << 20) < int(found.get("local_memory")) <= 256 << 20
    if nodes > 1:
        assert stated.distances() == [[machine.distance(a, b, nodes) for b in range(nodes)] for a in range(nodes)]


def test_what_runs_where(boot, tmp_path):
    result = boot(cores=4, nodes=2, mem="512M", app="topology hello", timeout=120)
    stated = Stated(result, tmp_path)
    cores = {int(found.get("os_index")): found for found in stated.objects("PU")}
    notes = {core: [note.get("name") for note in found.findall("object")] for core, found in cores.items()}
    assert all(info(found, "State") == "up" and info(found, "Monitor") for found in cores.values())
    assert all(sum(note.startswith("monitor, ") for note in notes[core]) == 1 for core in cores)
    for name in ("acpi", "console", "init", "topology"):
        assert any(note.startswith(f"{name}, domain ") for note in notes[0])
        assert f"{name}, domain " in stated.picture
    # Every domain's memory is counted at its node, and none is left over.
    for found in stated.objects("NUMANode"):
        assert 0 < int(info(found, "MemoryServed")) <= int(found.get("local_memory"))
        assert int(info(found, "MemoryUsed")) < int(info(found, "MemoryServed"))
        assert info(found, "Cores") == ("0-1" if found.get("os_index") == "0" else "2-3")
    used = [int(info(found, "MemoryUsed")) for found in stated.objects("NUMANode")]
    assert used[0] > 8 << 20 and used[1] == 0
    shown = any(note.startswith("hello, domain ") for note in notes[0])
    assert shown != ("topology: hello had ended before it could be looked at" in result.text)


def test_a_program_is_shown_where_it_has_grown_to(boot, tmp_path):
    result = boot(cores=4, nodes=2, mem="512M", app="topology stream --rounds 20", timeout=120)
    stated = Stated(result, tmp_path)
    for found in stated.objects("PU"):
        assert any(note.get("name").startswith("stream, domain ") for note in found.findall("object")), result.text
    assert "growing" not in result.text and "had ended" not in result.text


def test_a_planned_machine_comes_out_as_planned(boot, tmp_path):
    """From a host that hwloc makes up, through a plan, QEMU and ACPI tables, back to hwloc, and planned again: the same machine."""
    host = "pack:2 numa:2(memory=1GB) l3:1 core:2 pu:2"
    made = plan.make(BUILD, host, {"cores": 0, "nodes": 0, "memory": 1024, "sockets": 0, "dies": 0, "threads": 2})
    assert made["smp"] == {"sockets": 2, "dies": 2, "cores": 2, "threads": 2}
    result = boot(topology=host, build=BUILD, cores=16, nodes=4, threads=2, mem="1024M", app="topology", timeout=180)
    stated = Stated(result, tmp_path)
    assert stated.groups("Package") == parts(16, 2) and stated.groups("Die") == parts(16, 4) == stated.groups("NUMANode")
    assert stated.distances() == made["distances"]
    again = plan.make(BUILD, str(stated.file), {"cores": 16, "nodes": 4, "memory": 512, "sockets": 0, "dies": 0, "threads": 2})
    assert again["smp"] == made["smp"] and again["distances"] == made["distances"]
    assert [place["cpus"] for place in again["nodes"]] == [4] * 4


def test_what_hwloc_would_not_take_is_refused(tmp_path):
    file = tmp_path / "bad.xml"
    file.write_text("<topology>", encoding="utf-8")
    with pytest.raises(topology.Refused, match="does not accept .*bad.xml"):
        topology.validate(BUILD, file)
    with pytest.raises(topology.Refused, match="to the end"):
        topology.xml([{"tag": "hwloc", "xml": "<topology>"}])
