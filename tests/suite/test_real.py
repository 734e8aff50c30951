# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A short sweep of the system itself."""

import csv
import json
import os
import subprocess
from pathlib import Path

from made import ROOT

BUILD = Path(os.environ.get("ATOLL_BUILD", ROOT / "build"))


def sweep(out: Path, *words):
    answer = subprocess.run([ROOT / "bench/suite/scale.py", "run", f"BUILD={BUILD}", f"OUT={out}", *words], capture_output=True, text=True,
                            timeout=200, stdin=subprocess.DEVNULL, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads((out / "results.json").read_text())


def test_counted_instructions_are_the_same_in_two_boots_to_the_last_digit(tmp_path):
    found = sweep(tmp_path / "counted", "CORES=4", "NODES=2", "LENS=icount", "REPEAT=2", "BENCH=pairs agreement groups")
    names = {point["id"] for point in found["points"]}
    assert names >= {"call.null", "channel.wake", "cap.revoke.remote", "barrier.tree"} and len(found["points"]) > 50
    assert [point["id"] for point in found["points"] if not point["stable"] or point["runs"] != 2] == []


def test_a_sweep_over_cores_by_the_clock(tmp_path):
    out = tmp_path / "timed"
    found = sweep(out, "CORES=1 2", "NODES=2", "LENS=elapsed", "REPEAT=1", "BENCH=boot")
    assert {(point["id"], point["cores"]) for point in found["points"]} >= {("boot.ready", 1), ("boot.ready", 2)}
    assert not any(point["stable"] for point in found["points"])  # one run makes nothing sure
    with (out / "results.csv").open(encoding="utf-8") as table:
        assert len(list(csv.DictReader(table))) == len(found["points"])
    assert (out / "report.html").read_text().count("<svg") > 2
