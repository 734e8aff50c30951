# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Firmware tables that are damaged: each is refused by name, and the system runs and ends as if it were missing."""

import struct

import pytest


def table(tmp_path, signature: str, body: bytes) -> list[str]:
    """QEMU's words for one more table; QEMU itself makes the header, so length and checksum are right."""
    file = tmp_path / f"{signature}.bin"
    file.write_bytes(body)
    return ["-acpitable", f"sig={signature},rev=3,data={file}"]


def srat(*entries: bytes) -> bytes:
    return bytes(12) + b"".join(entries)


def memory(domain: int, base: int, size: int) -> bytes:
    return struct.pack("<BBIHQQIIQ", 1, 40, domain, 0, base, size, 0, 1, 0)


@pytest.mark.parametrize("body, sentence", [
    (srat(bytes([1, 0])), "SRAT refused: an entry shorter than its type needs at offset 48"),
    (srat(bytes([0, 200]) + bytes(14)), "SRAT refused: an entry beyond the table's end at offset 48"),
    (srat(memory(0, 0, 64 << 20), memory(1, 32 << 20, 64 << 20)),
     "SRAT refused: memory that an earlier entry gave to another node at offset 88"),
], ids=["short", "beyond", "contradiction"])
def test_a_damaged_srat_leaves_one_node(boot, tmp_path, body, sentence):
    result = boot(cores=2, app="hello", qemu_extra=table(tmp_path, "SRAT", body))
    assert sentence in result.text
    topology = result.facts("topology")[-1]
    assert len(topology["cores"]) == 2 and len(topology["nodes"]) == 1


def test_aml_that_makes_no_sense_is_survived(boot, tmp_path):
    # A method's beginning, a reference to a name that does not exist, then opcodes that AML does not have.
    garbage = bytes([0x14, 0x3F, 0x41, 0x42]) + b"\\NONE.THEREYOU" + bytes([0x5B, 0xFE, 0x00, 0xFF] * 16)
    result = boot(cores=2, nodes=2, app="hello", qemu_extra=table(tmp_path, "SSDT", garbage))
    assert "[0 acpi] ACPI " in result.text  # ACPICA says what it stumbled over
    assert len(result.facts("topology")[-1]["nodes"]) == 2


@pytest.mark.parametrize("machine, firmware", [("pc", "bios"), ("q35", "uefi")])
def test_the_power_button_is_heard(boot, machine, firmware):
    with boot.session(cores=2, machine=machine, firmware=firmware, app="shell", timeout=90) as running:
        running.expect("atoll> ")
        running.control("system_powerdown")
