# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""boot/unpack.sh, with stand-ins for Debian's tools."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "sed", "head", "tail", "dirname", "mktemp", "chmod", "rm", "mv", "mkdir", "tar", "cat", "cp")
PACKAGE = "linux-image-cloud-amd64"
NEEDED = "needed for: make peers: the kernel of the Linux guest."


@pytest.fixture
def unpack(tmp_path):
    """A PATH with nothing but stand-ins, whose archive has one package with one file; what apt-get was asked for is in `asked`."""
    tools, tree = tmp_path / "bin", tmp_path / "tree"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool))
    (tree / "boot").mkdir(parents=True)
    (tree / "boot/vmlinuz-7.0").write_text("a kernel")
    subprocess.run(["tar", "cf", tmp_path / "package.tar", "-C", tree, "./boot"], check=True)

    def stand_in(name, body):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)

    def run(auto="1", offline=False, stale=False, pattern="./boot/vmlinuz-*"):
        asked = tmp_path / "asked"
        asked.write_text("")
        known = f'[ -e {tmp_path}/updated ] || exit 100\n' if stale else ""
        stand_in("id", "echo 0")
        stand_in("apt-cache", f'{known}echo {PACKAGE}; echo "  Depends: linux-image-7.0"')
        stand_in("apt-get", f'echo "$*" >>{asked}\n' + ('echo "E: no network"; exit 100' if offline else
                 f'case "$*" in *update*) : >{tmp_path}/updated; exit 0 ;; *" linux-image-7.0"*) cp {tmp_path}/package.tar x.deb ;; '
                 '*) exit 100 ;; esac'))
        stand_in("dpkg-deb", 'cat "$2"')
        answer = subprocess.run([ROOT / "boot/unpack.sh", PACKAGE, pattern, tmp_path / "out/vmlinuz"],
                                env={"PATH": str(tools), "AUTO_DEPS": auto}, capture_output=True, text=True, check=False)
        answer.asked = asked.read_text()
        return answer

    run.target = tmp_path / "out/vmlinuz"
    return run


def test_the_file_of_the_newest_package_is_taken_and_nothing_is_installed(unpack):
    answer = unpack()
    assert answer.returncode == 0, answer.stderr
    assert unpack.target.read_text() == "a kernel"
    assert answer.asked == "-qq download linux-image-7.0\n"


def test_old_package_lists_are_fetched_first(unpack):
    assert unpack(stale=True).returncode == 0
    assert unpack.target.read_text() == "a kernel"


def test_without_permission_nothing_is_downloaded(unpack):
    answer = unpack(auto="0")
    assert answer.returncode == 1 and answer.asked == ""
    assert answer.stderr == (f"AUTO_DEPS=0, so the package {PACKAGE} was not downloaded (by hand: its ./boot/vmlinuz-* belongs at "
                             f"{unpack.target}); {NEEDED}\n")


def test_without_a_network_it_says_so(unpack):
    answer = unpack(offline=True)
    assert answer.returncode == 1 and not unpack.target.exists()
    assert answer.stderr.endswith(f"E: no network\nThe package {PACKAGE} could not be downloaded; {NEEDED}\n")


def test_a_package_without_the_file(unpack):
    answer = unpack(pattern="./boot/nothing-*")
    assert answer.returncode == 1 and not unpack.target.exists()
    assert answer.stderr.endswith(f"The package {PACKAGE} has no ./boot/nothing-*; {NEEDED}\n")
