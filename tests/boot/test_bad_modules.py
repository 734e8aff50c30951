# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Missing and damaged boot modules: a sentence that names the thing, and an end."""

import os
import struct
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("ATOLL_BUILD", Path(__file__).resolve().parents[2] / "build"))


def refused(boot, name: str, content):
    machine = boot(cores=1, app="hello", modules={name: content}, check=False, timeout=60)
    text = machine.log.decode("utf-8", "replace")
    assert machine.exit_code != 0, text
    assert name in text.replace("archive.cpio", "archive"), text
    return text


@pytest.mark.parametrize("name", ["cpudriver", "monitor", "acpi", "archive"])
def test_missing(boot, name):
    refused(boot, name, None)


@pytest.mark.parametrize("name", ["cpudriver", "monitor", "acpi", "archive"])
def test_empty_of_sense(boot, name):
    refused(boot, name, b"this is not what it should be" * 200)


@pytest.mark.parametrize("name", ["cpudriver", "monitor"])
@pytest.mark.parametrize("offset,size,value,what", [
    (0, 4, 0x7f, "magic"), (4, 1, 1, "class"), (5, 1, 2, "byte order"), (16, 2, 3, "type"), (18, 2, 3, "machine"),
    (24, 8, 1, "entry"), (32, 8, 1 << 60, "program headers' offset"), (54, 2, 1, "size of a program header"), (56, 2, 60000, "their count")])
def test_damaged_header(boot, name, offset, size, value, what):
    image = bytearray((BUILD / ("cpudriver.elf" if name == "cpudriver" else f"programs/{name}")).read_bytes())
    image[offset:offset + size] = struct.pack("<Q", value)[:size]
    refused(boot, name, bytes(image))


def test_a_truncated_program_in_the_archive_is_refused_when_it_is_started(boot):
    archive = (BUILD / "archive.cpio").read_bytes()
    machine = boot(cores=1, app="hello", modules={"archive": archive[:len(archive) // 2]}, check=False, timeout=60)
    text = machine.log.decode("utf-8", "replace")
    assert machine.exit_code != 0 and "archive" in text, text
