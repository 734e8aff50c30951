# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""captop: the agreement of all cores, once and live."""

import re


def test_one_picture_of_every_core(boot):
    machine = boot(cores=4, nodes=2, mem="512M", app="captop once")
    assert "captop: cores 4, view " in machine.text
    for core in range(4):
        assert re.search(rf"^\[0 captop\] +{core} +0 +\d+ +0 ", machine.text, re.MULTILINE), machine.tail()


def test_owner_and_holders_of_a_page(boot):
    machine = boot(cores=4, nodes=2, mem="512M", app="share", timeout=120)
    page = re.search(r"share: the page is at (0x[0-9a-f]{12})", machine.text)[1]
    rows = [line.split("] ")[1].split() for line in machine.text.splitlines() if page in line and "captop] " in line]
    assert rows == [["Frame", page, "4", "KiB", "0", "1-3"]], machine.tail()
    # In the second picture. What is under way has a row that begins alike, but is longer.
    costs = [line.split("] ")[1].split() for line in machine.text.splitlines() if line.startswith("[0 captop] revoke ")]
    costs = [words for words in costs if len(words) == 5]
    assert costs[-1][1:3] == ["1", "6.0"], "one revoke, two messages for each holder"


def test_a_new_picture_each_second_until_a_key(boot):
    with boot.session(cores=2, mem="256M", app="shell") as machine:
        machine.expect("atoll> ")
        machine.type("run captop")
        for _ in range(3):
            machine.expect("captop: cores 2, view ")
        machine.press("x")  # means nothing
        machine.expect("captop: cores 2, view ")
        machine.press("q")
        machine.expect("atoll> ")
        machine.type("run captop nonsense")
        machine.expect("nonsense is not once")
        machine.type("poweroff")


def test_control_c_ends_it_too(boot):
    with boot.session(cores=1, app="shell") as machine:
        machine.expect("atoll> ")
        machine.type("run captop")
        machine.expect("captop: cores 1, view ")
        machine.press("\x03")
        machine.expect("atoll> ")
        machine.type("poweroff")
