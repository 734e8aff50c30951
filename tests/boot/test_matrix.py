# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Machines of many shapes: every one comes up whole, runs a program and powers itself off, leaking nothing (that is `check` in conftest)."""

import pytest

# cores, nodes: memory is what the monitors of so many cores need and a little more.
SHAPES = [(1, 1), (2, 1), (2, 2), (3, 1), (4, 2), (4, 4), (6, 3), (8, 2), (16, 4), (32, 2), (64, 4)]


def memory_for(cores: int) -> str:
    return f"{max(256, cores * 48)}M"


def assert_topology(machine, cores: int, nodes: int):
    topology = machine.facts("topology")[-1]
    assert len(topology["cores"]) == cores
    assert len(topology["nodes"]) == nodes
    assert [boot["core"] for boot in sorted(machine.facts("boot"), key=lambda boot: boot["core"])] == list(range(cores))
    node_of = {core["core"]: core["node"] for core in topology["cores"]}
    for boot in machine.facts("boot"):
        assert boot["node"] == node_of[boot["core"]]
        assert boot["image_bytes"] <= 256 * 1024 + max(0, cores - 8) * 3 * 4096
    assert "hello from domain" in machine.text
    return topology


@pytest.mark.parametrize("cores,nodes", SHAPES)
def test_cores_and_nodes(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem=memory_for(cores), app="hello", timeout=120)
    topology = assert_topology(machine, cores, nodes)
    assert sum(node["memory"] for node in topology["nodes"]) >= 0.9 * 1024 * 1024 * int(memory_for(cores)[:-1])


@pytest.mark.parametrize("machine", ["q35", "pc"])
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_machines_and_firmwares(boot, machine, firmware):
    assert_topology(boot(cores=4, nodes=2, machine=machine, firmware=firmware, app="hello", timeout=120), 4, 2)


@pytest.mark.parametrize("cpu", ["max", "Haswell", "Skylake-Server,-pcid", "EPYC", "max,-pdpe1gb", "max,-smap,-smep,-umip"])
def test_cpu_models(boot, cpu):
    assert_topology(boot(cores=2, cpu=cpu, app="hello"), 2, 1)


def test_cpu_without_fsgsbase_is_refused_with_a_sentence(boot):
    machine = boot(cores=1, cpu="max,-fsgsbase", app="hello", check=False)
    assert machine.exit_code != 0
    assert "FSGSBASE" in machine.log.decode("utf-8", "replace")


@pytest.mark.parametrize("smp,cores", [("6,sockets=2,cores=3,threads=1", 6), ("5,sockets=5,cores=1,threads=1,maxcpus=5", 5),
                                       ("9,sockets=3,cores=3,threads=1", 9), ("4,maxcpus=8", 4)])
def test_apic_ids_need_not_be_dense(boot, smp, cores):
    machine = boot(cores=1, qemu_extra=["-smp", smp], app="hello")
    topology = assert_topology(machine, cores, 1)
    assert len({core["apic"] for core in topology["cores"]}) == cores


def numa(*words: str) -> list[str]:
    """The whole layout in QEMU's own words; `-machine` keeps the launcher's."""
    return [part for word in words for part in word.split(" ", 1)]


def test_a_node_without_memory(boot):
    machine = boot(cores=4, mem="256M", app="hello", qemu_extra=numa(
        "-object memory-backend-ram,id=a,size=256M", "-numa node,nodeid=0,memdev=a,cpus=0-1", "-numa node,nodeid=1,cpus=2-3"))
    topology = assert_topology(machine, 4, 2)
    assert sorted(node["memory"] > 0 for node in topology["nodes"]) == [False, True]


def test_a_node_without_cores(boot):
    machine = boot(cores=2, mem="256M", app="hello", qemu_extra=numa(
        "-object memory-backend-ram,id=a,size=128M", "-object memory-backend-ram,id=b,size=128M",
        "-numa node,nodeid=0,memdev=a,cpus=0-1", "-numa node,nodeid=1,memdev=b"))
    assert_topology(machine, 2, 2)


def test_the_first_core_may_be_on_any_node(boot):
    machine = boot(cores=2, mem="256M", app="hello", qemu_extra=numa(
        "-object memory-backend-ram,id=a,size=128M", "-object memory-backend-ram,id=b,size=128M",
        "-numa node,nodeid=0,memdev=a,cpus=1", "-numa node,nodeid=1,memdev=b,cpus=0"))
    topology = assert_topology(machine, 2, 2)
    assert {core["core"]: core["node"] for core in topology["cores"]} == {0: 1, 1: 0}


def test_distances_that_differ(boot):
    machine = boot(cores=3, mem="384M", app="hello", qemu_extra=numa(
        "-object memory-backend-ram,id=a,size=128M", "-object memory-backend-ram,id=b,size=128M", "-object memory-backend-ram,id=c,size=128M",
        "-numa node,nodeid=0,memdev=a,cpus=0", "-numa node,nodeid=1,memdev=b,cpus=1", "-numa node,nodeid=2,memdev=c,cpus=2",
        "-numa dist,src=0,dst=1,val=15", "-numa dist,src=0,dst=2,val=31", "-numa dist,src=1,dst=2,val=22",
        "-numa dist,src=1,dst=0,val=16", "-numa dist,src=2,dst=0,val=32", "-numa dist,src=2,dst=1,val=23"))
    topology = assert_topology(machine, 3, 3)
    assert topology["distances"] == [[10, 15, 31], [16, 10, 22], [32, 23, 10]]


@pytest.mark.parametrize("machine,firmware", [("pc", "bios"), ("q35", "uefi")])
def test_without_acpi_one_core_runs_and_says_so(boot, machine, firmware):
    result = boot(cores=2, machine=machine, firmware=firmware, app="hello", qemu_extra=["-machine", "acpi=off"])
    assert "ACPI" in result.text
    topology = result.facts("topology")[-1]
    assert len(topology["cores"]) == 1 and len(topology["nodes"]) == 1


def test_acpi_off_on_q35_under_seabios_leaves_the_firmwares_own_tables(boot):
    """SeaBIOS has tables of its own for this machine, so what QEMU leaves out is there all the same."""
    assert_topology(boot(cores=2, machine="q35", firmware="bios", app="hello", qemu_extra=["-machine", "acpi=off"]), 2, 1)


def test_128_mib(boot):
    assert_topology(boot(cores=2, mem="128M", app="hello"), 2, 1)


def test_memory_above_4_gib(boot):
    topology = assert_topology(boot(cores=2, nodes=2, mem="6G", app="hello"), 2, 2)
    assert sum(node["memory"] for node in topology["nodes"]) > 5 << 30
