# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What the loader can't go on with: a sentence and an event that name it, and an end."""

import pytest

MENU = """set timeout=0
menuentry "Atoll" {{
    multiboot2 /boot/loader {line}
    module2 /boot/cpudriver cpudriver
    module2 /boot/monitor monitor
    module2 /boot/acpi {acpi}
    module2 /boot/archive.cpio archive
}}
"""


def reason(boot, **options) -> str:
    machine = boot(cores=1, check=False, timeout=60, **options)
    assert machine.exit_code != 0, machine.tail()
    events = machine.facts("event", event="boot_failed")
    assert len(events) == 1, machine.tail()
    assert "Atoll can't start: " + events[0]["reason"] in machine.log.decode("utf-8", "replace")
    return events[0]["reason"]


def test_no_64_bit_mode(boot):
    assert "64-bit" in reason(boot, cpu="qemu32")


def test_no_execute_protection(boot):
    assert "NX" in reason(boot, cpu="max,-nx")


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_overlong_command_line(boot, firmware):
    assert "command line" in reason(boot, firmware=firmware, qemu_extra=["-fw_cfg", "name=opt/atoll/cmdline,string=" + "x" * 1024])


def test_overlong_with_what_the_menu_says(boot):
    menu = MENU.format(line="a" * 600, acpi="acpi")
    assert "command line" in reason(boot, grub=menu, qemu_extra=["-fw_cfg", "name=opt/atoll/cmdline,string=" + "x" * 600])


@pytest.mark.parametrize("line", ["é", "\x7f"])
def test_unprintable_command_line(boot, line):
    assert "printable" in reason(boot, grub=MENU.format(line=line, acpi="acpi"))


def test_module_twice(boot):
    assert "monitor is there twice" in reason(boot, grub=MENU.format(line="", acpi="monitor"))


def test_module_without_a_name(boot):
    assert "no name" in reason(boot, grub=MENU.format(line="", acpi=""))


def test_module_with_a_long_name(boot):
    assert "more than 23 characters" in reason(boot, grub=MENU.format(line="", acpi="a" * 24))


@pytest.mark.parametrize("machine,firmware,mem,cpu", [
    ("pc", "bios", "128M", "max"), ("pc", "uefi", "256M", "Haswell"), ("q35", "bios", "6G", "max,-pdpe1gb"), ("q35", "uefi", "5G", "max")])
def test_machines(boot, machine, firmware, mem, cpu):
    """Both firmwares' memory maps, memory above 4 GiB, with and without pages of 1 GiB."""
    boot(machine=machine, firmware=firmware, mem=mem, cpu=cpu, app="hello", timeout=90)
