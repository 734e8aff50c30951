# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""captop: the agreement of all cores, once and live."""

import re


def test_one_picture_of_every_core(boot):
    machine = boot(cores=4, nodes=2, mem="512M", app="captop once")
    assert "captop: cores 4, view " in machine.text
    for core in range(4):
        assert re.search(rf"^\[0 captop\] +{core} +0 +\d+ +0 ", machine.text, re.MULTILINE), machine.tail()


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
