# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""docs/first-program.md: its files, taken out of it, are built and run with its own command."""

import re
import subprocess

from places import BUILD, ROOT

PAGE = ROOT / "docs" / "first-program.md"


def test_the_first_program_runs_as_it_stands_in_the_page(tmp_path):
    page = PAGE.read_text()
    files = re.findall(r"^```\w+ mine/(\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["main.c", "rules.mk"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    command = re.search(r"^make run MORE=mine (.*)$", page, re.MULTILINE)[1]
    build = tmp_path / "build"
    subprocess.run(["cp", "-a", str(BUILD), str(build)], check=True)
    ran = subprocess.run(["make", "--no-print-directory", "-C", str(ROOT), "run", f"MORE={tmp_path}", f"BUILD={build}", *command.split()],
                         capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "hello from core" in ran.stdout
    assert "17984 primes below 200000" in ran.stdout
    taken = [int(n) for n in re.findall(r"member \d+ took (\d+) pieces", ran.stdout)]
    assert len(taken) == 4 and sum(taken) == 200
    assert sum(n > 0 for n in taken) >= 2, taken
