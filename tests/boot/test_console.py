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


def test_shell_starts_awaits_and_ends_domains(boot):
    with boot.session(cores=2, nodes=2, mem="256M", app="shell", timeout=60) as machine:
        machine.expect("atoll> ")
        machine.type("services")
        machine.expect(r"0x0{16}  console")
        machine.expect("atoll> ")
        machine.type("spawn node=1 memory=2M quota=4M hello 5")
        machine.expect(r"domain 65\d+\W")
        machine.expect("atoll> ")
        machine.type("spawn cores=0,1 services serve lasting 0xabc 0")
        machine.expect(r"domain \d+\W")
        machine.expect("atoll> ")
        machine.type("spawn core=9 hello")
        machine.expect("the machine has no core 9")
        machine.expect("atoll> ")
        machine.type("spawn memory=8M quota=4M hello")
        machine.expect("quota of 4194304 bytes is less")
        machine.expect("atoll> ")
        machine.type("spawn colour=red hello")
        machine.expect("colour= is none of")
        machine.expect("atoll> ")
        machine.type("kill nobody")
        machine.expect("nobody is not a number")
        machine.expect("atoll> ")
        machine.type("kill 99")
        machine.expect("domain 99 can't be ended")
        machine.expect("atoll> ")
        machine.type("spawn services serve brief 0xdef 0")
        domain = int(machine.expect(r"domain (?=\d+\W)") and machine.expect("atoll> ").split()[0])
        machine.type(f"kill {domain}")
        machine.expect("atoll> ")
        machine.type(f"wait {domain}")
        machine.expect(rf"domain {domain} ended, cause 1")
        machine.expect("atoll> ")
        machine.type("poweroff")
