# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Everything in the public headers is documented, to Doxygen's satisfaction."""

import shutil
import subprocess

from tree import ROOT

HEADERS = "libos/include/atoll"


def warnings(place, output) -> list[str]:
    settings = (ROOT / "docs/Doxyfile").read_text(encoding="utf-8") + f'\nOUTPUT_DIRECTORY = "{output}"\n'
    made = subprocess.run(["doxygen", "-"], input=settings, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    return (made.stdout + made.stderr).splitlines()


def test_doxygen_has_nothing_to_warn_of(tmp_path):
    assert not warnings(ROOT, tmp_path)
    assert (tmp_path / "html/index.html").exists()


def test_what_is_not_documented_is_noticed(tmp_path):
    (tmp_path / HEADERS).mkdir(parents=True)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    header = (ROOT / HEADERS / "span.h").read_text(encoding="utf-8")
    (tmp_path / HEADERS / "span.h").write_text(header + "\nvoid span_undocumented(void);\n\nstruct span_other {\n\tint field;\n};\n")
    found = warnings(tmp_path, tmp_path / "output")
    assert [name for name in ("span_undocumented", "span_other", "field") if not any(name in line for line in found)] == []
    assert len(found) == 3


def test_the_filter_keeps_every_line():
    for header in sorted((ROOT / HEADERS).glob("*.h")):
        shown = subprocess.run(["/usr/bin/python3", "docs/doxygen_filter.py", header], cwd=ROOT, capture_output=True, text=True, check=True)
        assert shown.stdout.count("\n") == header.read_text(encoding="utf-8").count("\n"), header
