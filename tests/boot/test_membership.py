# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Cores that die, or seem to, while the others go on; they come back, and nothing is lost but what ran on them."""

import re
import time

import pytest
from stopped_thread import stopped

CALM_US = 65_000  # monitor/heartbeat.h: silence that is enough on a machine that has a processor for everybody
BEAT_US = 25_000
DELAY_US = 3_000  # and delays that are longer say that it has not; in the longest silence they fade by half


def balanced(machine, cores) -> None:
    """Every core has at its end what it had at its beginning."""
    leaks = machine.facts("leak")
    assert {leak["core"] for leak in leaks} == set(cores), machine.tail()
    for leak in leaks:
        for kind in ("ram", "caps", "channels"):
            assert leak[f"{kind}_before"] == leak[f"{kind}_after"], f"core {leak['core']}\n{machine.tail()}"


def in_time(suspicion) -> bool:
    """Noticed within 100 ms, unless processors were being shared out: then the bound says so. 0: the core said itself that it stops."""
    return suspicion["bound_us"] > CALM_US or suspicion["bound_us"] == 0 or suspicion["silent_us"] + BEAT_US <= 100_000


def thread_of(machine, core: int) -> int:
    return next(cpu["thread-id"] for cpu in machine.control("query-cpus-fast") if cpu["cpu-index"] == core)


def test_a_processor_that_stands_still_for_a_second(boot):
    """Its core is suspected, stopped and started anew, and finds itself without a past when it runs again."""
    with boot.session(cores=4, nodes=2, mem="512M", app="shell", timeout=90) as machine:
        machine.expect("atoll> ")
        machine.type("run hello 2 before")
        machine.expect("before")
        machine.expect("atoll> ")
        start = time.monotonic()
        with stopped(thread_of(machine, 2)):
            machine.expect(r'"core_suspected","core":2,[^}]*}')
            noticed = time.monotonic() - start
            time.sleep(max(0.0, 1.0 - noticed))
        machine.expect('"core_joined","core":2')
        machine.type("run hello 2 after")
        machine.expect("after")
        machine.expect("atoll> ")
        machine.type("poweroff")
    suspicions = machine.facts("event", event="core_suspected")
    assert [suspicion["core"] for suspicion in suspicions] == [2], machine.tail()
    assert in_time(suspicions[0]), suspicions
    # It took its INIT only when it ran again, and nothing that it could write to was used before.
    returned = machine.facts("event", event="memory_returned", core=2)
    assert len(returned) == 1 and returned[0]["stopped_us"] + noticed * 1_000_000 > 900_000, machine.tail()
    balanced(machine, range(4))


def test_a_core_is_started_by_hand(boot):
    with boot.session(cores=4, mem="256M", app="shell", timeout=90, check=False) as machine:
        machine.expect("atoll> ")
        machine.type("start 2")
        machine.expect("core 2 can't be started: the object's state")
        machine.expect("atoll> ")
        machine.type("start 7")
        machine.expect("core 7 can't be started: this core knows no core of that number")
        machine.expect("atoll> ")
        machine.type("run crash 0 2 6")
        machine.expect("others_run")
        machine.expect("atoll> ")
        machine.type("run hello 2")
        machine.expect("hello can't be started")
        machine.expect("atoll> ")
        machine.type("start 2")
        machine.expect("atoll> ")
        machine.type("run hello 2")
        machine.expect("hello from domain \\d+ on core 2")
        machine.expect("atoll> ")
        machine.type("poweroff")
        machine.finish()
    assert machine.status == 0, machine.tail()
    assert [joined["core"] for joined in machine.facts("event", event="core_joined")] == [2]
    balanced(machine, range(4))


def test_a_death_is_noticed_in_time(boot):
    """Within 100 ms of the machine's own clock, which counts instructions, so that the host's load is not in it. Only delays that the machine
    itself has seen excuse it, and it has several tries."""
    with boot.session(cores=2, app="shell", icount=True, timeout=60, check=False) as machine:
        machine.expect("atoll> ")
        for _ in range(4):
            time.sleep(2)  # so that the cores know each other's beats, and what was late at the start has faded
            machine.type("run crash 0 1 256")
            machine.expect(r'"core_suspected","core":1,[^}]*}')
            machine.expect("others_run")
            machine.expect("atoll> ")
            suspicion = machine.facts("event", event="core_suspected")[-1]
            if suspicion["strain_us"] < DELAY_US / 2:
                break
        machine.type("poweroff")
        machine.finish()
    if suspicion["strain_us"] >= DELAY_US / 2:
        pytest.skip(f"the machine was starved each time: its cores ran up to {suspicion['strain_us'] / 1000:.0f} ms late")
    assert suspicion["bound_us"] == CALM_US, suspicion
    assert suspicion["silent_us"] + BEAT_US <= 100_000, suspicion


@pytest.mark.parametrize("cores,nodes,seed", [(4, 2, 3), (4, 1, 5), (8, 2, 7)])
def test_chaos(boot, cores, nodes, seed):
    """Cores die in the middle of what they do, one or two at a time, and come back."""
    machine = boot(cores=cores, nodes=nodes, mem=f"{cores * 128}M", app=f"chaos --seed {seed}", timeout=300)
    assert {fact["name"] for fact in machine.facts("test") if fact["ok"]} == {
        "chaos.workers", "chaos.kills_and_restarts", "chaos.everybody_works", "chaos.nobody_was_wrong"}, machine.tail()
    suspicions = machine.facts("event", event="core_suspected")
    assert len(suspicions) >= 4 and all(map(in_time, suspicions)), suspicions
    # What each of them had is somebody's: the heir's, or that of whoever held it.
    deaths = sorted(suspicion["core"] for suspicion in suspicions)
    returned = machine.facts("event", event="memory_returned")
    assert sorted(fact["core"] for fact in returned) == deaths, machine.tail()
    balanced(machine, range(cores))


def test_without_the_first_core_the_machine_ends(boot):
    """Its successor says why. The INIT that fences the first core makes the firmware start the machine again, which ends QEMU."""
    machine = boot(cores=3, app="crash 0 256", timeout=60, check=False)
    assert re.search(r"Core 0 does not answer", machine.log.decode("utf-8", "replace")), machine.tail()
    assert machine.status is None and machine.exit_code == 1
    assert "timed out" not in (machine.ended or ""), machine.ended
