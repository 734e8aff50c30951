# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Programs inside the system: what they may count on, what hostile ones can't do, what init makes of the command line."""

import re

import pytest


def assert_tests(machine, prefix: str, least: int):
    tests = [fact for fact in machine.facts("test") if fact["name"].startswith(prefix)]
    failed = [fact["name"] for fact in tests if not fact["ok"]]
    assert not failed, f"failed: {failed}\n{machine.tail()}"
    assert len(tests) >= least, f"only {len(tests)} tests ran\n{machine.tail()}"


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 2), (4, 2)])
def test_selftest(boot, cores, nodes):
    assert_tests(boot(cores=cores, nodes=nodes, mem="512M", app="selftest", timeout=120, check=False), "selftest.", 16)


def test_selftest_leaks_nothing(boot):
    boot(cores=2, nodes=2, mem="512M", app="selftest", timeout=120)


def test_hostile_programs_hurt_nobody_else(boot):
    machine = boot(cores=2, nodes=2, mem="512M", app="hostile ; hello", timeout=240)
    assert_tests(machine, "hostile.", 60)
    assert "hello from domain" in machine.text


def test_a_million_random_calls(boot):
    machine = boot(cores=2, mem="512M", app="hostile fuzz 1 1000000 ; hello", timeout=300)
    assert_tests(machine, "hostile.fuzz", 1)
    assert "hello from domain" in machine.text


def test_status_of_a_program_is_the_machines(boot):
    machine = boot(cores=1, app="hello 3 ; hello", check=False)
    assert machine.status == 3 and machine.exit_code != 0
    assert machine.text.count("hello from domain") == 2


def test_an_argument_may_be_empty(boot):
    machine = boot(cores=1, app='hello 0 "" last')
    assert re.search(r"argument 2: *\n.*argument 3: last", machine.text), machine.tail()


def test_a_program_that_does_not_exist(boot):
    machine = boot(cores=1, app="no-such-program", check=False)
    assert machine.status not in (0, None)
    assert "no-such-program" in machine.text


@pytest.mark.parametrize("cmdline,word", [("quiet", "quiet"), ("=1", "without a name")])
def test_a_bad_command_line_is_named(boot, cmdline, word):
    machine = boot(cores=1, cmdline=cmdline, app="hello", check=False)
    assert machine.status not in (0, None), machine.tail()
    assert word in machine.text


def test_output_of_many_domains_does_not_mix(boot):
    machine = boot(cores=4, app="selftest", mem="512M", timeout=120)
    for line in machine.text.splitlines():
        assert not re.search(r"\[\d+ \w+\]", line[1:]), f"a tag inside a line: {line}"
