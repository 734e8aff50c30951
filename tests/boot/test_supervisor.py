# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The supervisor: what dies is started again, with what needs it, until it dies too often; clients go on by their stubs."""

import pytest

from test_programs import assert_tests


def events(machine, name: str) -> list[str]:
    return [fact["event"] for fact in machine.facts("service", name=name)]


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 2), (4, 2)])
def test_supervisor(boot, cores, nodes):
    machine = boot(cores=cores, nodes=nodes, mem="512M", app="supervised", timeout=240)
    assert_tests(machine, "supervised.", 8)
    assert events(machine, "base") == ["up"] + ["died", "up"] * 13
    assert events(machine, "side") == ["up"] + ["died", "up"] * 2
    assert events(machine, "frail") == ["up"] + ["died", "up"] * 2 + ["died", "given_up"]
    assert events(machine, "proud") == ["up", "died", "given_up"]
    front = events(machine, "front")
    assert front[:2] == ["up", "with"] and front[-1] == "up" and "died" not in front
    assert events(machine, "absent") == ["given_up"]
    assert "no-such-program" in machine.facts("service", name="absent")[0]["why"]
    assert events(machine, "brief") in (["up", "ended"], ["ended"])
    causes = [fact["cause"] for fact in machine.facts("service", event="died", name="side")]
    assert causes[1] == "exit" and causes[0] != "killed"


@pytest.mark.parametrize("file,words", [("bad.services", ["bad.services, line 5", "lines above"]), ("nothing.services", ["nothing.services"])])
def test_a_bad_file_is_named(boot, file, words):
    machine = boot(cores=1, app=f"supervisor {file}", check=False)
    assert machine.status == 1, machine.tail()
    assert all(word in machine.text for word in words), machine.tail()
