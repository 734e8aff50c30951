# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The serial console as a person uses it, and the power button."""


def test_shell(boot):
    with boot.session(cores=2, nodes=2, mem="256M", app="shell", timeout=60) as machine:
        machine.expect("atoll> ")
        machine.type("help")
        machine.expect("poweroff")
        machine.expect("atoll> ")
        machine.type("cores")
        machine.expect(r"core +APIC +node")
        machine.expect("atoll> ")
        machine.type("ps")
        machine.expect("shell")
        machine.expect("atoll> ")
        machine.type("caps")
        machine.expect(r"\d+ capabilities")
        machine.expect("atoll> ")
        machine.type("run hello 1 world")
        machine.expect("hello from domain \\d+ on core 1")
        machine.expect("world")
        machine.expect("atoll> ")
        machine.type("run nonsense")
        machine.expect("nonsense can't be started")
        machine.expect("atoll> ")
        machine.type("nonsense")
        machine.expect("no command nonsense")
        machine.expect("atoll> ")
        machine.type("poweroff")


def test_backspace(boot):
    with boot.session(cores=1, app="shell", timeout=60) as machine:
        machine.expect("atoll> ")
        machine.type("helx\bp")
        machine.expect("the domains of all cores")
        machine.expect("atoll> ")
        machine.type("poweroff")


def test_power_button(boot):
    with boot.session(cores=2, app="shell", timeout=60) as machine:
        machine.expect("atoll> ")
        machine.control("system_powerdown")
