# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Sweeps that were made up, and sweeps of a QEMU that replays a serial log."""

import os
import subprocess

import pytest

from made import ROOT, SERIAL, Sweep


@pytest.fixture
def sweep(tmp_path):
    return lambda *job_list, name="bench": Sweep(tmp_path / name, list(job_list))


@pytest.fixture
def scale(tmp_path):
    """Runs scale.py; QEMU replays a serial log, so the image may be anything."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/qemu-system-x86_64").symlink_to(ROOT / "tests/launcher/fake_qemu.py")
    (tmp_path / "serial").write_text(SERIAL, encoding="utf-8")
    (tmp_path / "atoll.iso").write_bytes(b"an image")

    def run(*words, program="scale.py", action=("run",), **environment):
        settings = [f"BUILD={tmp_path}", *words] if program == "scale.py" else list(words)
        return subprocess.run([ROOT / "bench/suite" / program, *action, *settings], capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                                   "FAKE_SERIAL": str(tmp_path / "serial"), **environment})

    run.directory = tmp_path
    run.out = tmp_path / "bench"
    return run
