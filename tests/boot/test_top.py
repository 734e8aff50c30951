# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""top: what the cores do, once and live."""

import re


def rows(machine):
    """The words of each line of the table, by its first word and number."""
    lines = [line.split("] ", 1)[1].split() for line in machine.text.splitlines() if re.match(r"\[\d+ top\] ", line)]
    return {" ".join(words[:2]) if words[0] in ("core", "node") else words[0]: words for words in lines}


def number(text):
    return float(text.rstrip("%"))


def test_one_second_of_an_idle_machine(boot):
    machine = boot(cores=4, nodes=2, mem="512M", app="top once", timeout=60)
    table = rows(machine)
    assert [table[f"core {core}"][2] for core in range(4)] == ["0", "0", "1", "1"], machine.tail()
    assert {"node 0", "node 1", "all", "domain"} <= set(table)
    names = {words[-1] for words in table.values()}
    assert {"init", "console", "acpi", "top"} <= names
    memory = [number(table[f"core {core}"][-2]) for core in range(4)]
    assert 400 < sum(memory) <= 512 and abs(sum(memory) - number(table["all"][-2])) < 1
    assert number(table["all"][1]) < 60, "nobody works"
    assert "This machine has no performance counters." in machine.text, "an emulator has none"


def test_who_counts_instructions_sees_the_same_load_every_time(boot):
    tables = [rows(boot(cores=2, nodes=1, mem="256M", icount=True, app="top once", timeout=100)) for _ in range(2)]
    assert tables[0] == tables[1]
    assert number(tables[0]["core 0"][5]) > 0 and number(tables[0]["core 0"][6]) > 0, "it asked, and was woken"


def test_a_new_table_each_second_until_a_key(boot):
    with boot.session(cores=2, mem="256M", app="shell") as machine:
        machine.expect("atoll> ")
        machine.type("run top")
        for _ in range(2):
            machine.expect("q ends")
            machine.expect("core 1 ")
        machine.press("q")
        machine.expect("atoll> ")
        machine.type("run top nonsense")
        machine.expect("nonsense is not once")
        machine.type("poweroff")
