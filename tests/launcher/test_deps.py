# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""boot/deps.sh on systems that lack something, with stand-ins for Debian's tools."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "sed", "tr", "dirname", "mktemp", "tail", "rm", "env")
LISTED = [line.split()[0] for line in (ROOT / "boot/packages").read_text().splitlines() if line and line[0] != "#"]


@pytest.fixture
def system(tmp_path):
    """A PATH with nothing but stand-ins; the answer has what apt-get was asked for in `asked`."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool))

    def stand_in(name, body):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    def run(missing=(), broken=(), user=0, sudo=False, auto="1", arguments=()):
        installed = "".join(f"echo installed {name}\n" for name in LISTED if name not in missing)
        stand_in("dpkg-query", installed)
        stand_in("id", f"echo {user}")
        refuse = "".join(f'case " $* " in *" {name} "*) echo "E: no {name}"; exit 100 ;; esac\n' for name in broken)
        stand_in("apt-get", f'echo "$*" >>{tmp_path}/asked\n{refuse}exit 0')
        if sudo:
            stand_in("sudo", f'echo sudo >>{tmp_path}/asked; exec "$@"')
        answer = subprocess.run([ROOT / "boot/deps.sh", *arguments], env={"PATH": str(tmp_path), "AUTO_DEPS": auto},
                                capture_output=True, text=True, check=False)
        asked = tmp_path / "asked"
        answer.asked = asked.read_text() if asked.exists() else ""
        return answer

    return run


def test_the_list_is_well_formed():
    for line in (ROOT / "boot/packages").read_text().splitlines():
        assert line.startswith("#") or len(line.split(None, 1)) == 2, line
    assert len(LISTED) == len(set(LISTED)) > 20


def test_a_complete_system_is_left_alone(system):
    answer = system()
    assert (answer.returncode, answer.stdout, answer.stderr, answer.asked) == (0, "", "", "")


def test_what_is_missing_is_said_and_installed(system):
    answer = system(missing=["gdb", "xorriso"])
    assert answer.returncode == 0
    assert "The package gdb is missing; needed for: make gdb." in answer.stderr
    assert "install" in answer.asked and "gdb" in answer.asked and "xorriso" in answer.asked
    assert "update" not in answer.asked and "gcc" not in answer.asked


def test_without_permission_to_install_it_only_reports(system):
    answer = system(missing=["gdb"], auto="0")
    assert answer.returncode == 1
    assert "The package gdb is missing" in answer.stderr and "apt-get install gdb" in answer.stderr
    assert answer.asked == ""


def test_a_package_that_fails_is_named_with_what_needs_it(system):
    answer = system(missing=["gdb", "ovmf"], broken=["ovmf"])
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == "The package ovmf could not be installed; needed for: FIRMWARE=uefi."
    assert "E: no ovmf" in answer.stderr
    assert "update" in answer.asked
    assert "The package gdb could not" not in answer.stderr


def test_a_user_goes_through_sudo(system):
    assert "sudo" in system(missing=["gdb"], user=1000, sudo=True).asked


def test_a_user_without_sudo_is_told_what_to_do(system):
    answer = system(missing=["gdb"], user=1000)
    assert answer.returncode == 1
    assert "As root: apt-get install gdb" in answer.stderr
    assert answer.asked == ""


def test_only_what_was_asked_for(system):
    assert "gdb" not in system(missing=["gdb", "ovmf"], arguments=["ovmf"]).asked
