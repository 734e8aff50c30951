# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make compare`: what changed, what did not, and what nobody can tell."""

import subprocess

import pytest

import compare
import points
from made import ROOT, bench, job


def made(sweep, name, values, lens="elapsed"):
    one = job("icount" if lens == "instructions" else lens, repetitions=len(next(iter(values.values()))))
    kept = sweep(one, name=name)
    for repetition in range(one.repetitions):
        kept.keep(one, repetition + 1, [bench(name, row[repetition], lens, "cycles") for name, row in values.items()])
    points.save(kept.directory, points.results(kept.plan))
    return kept.directory


def compared(a, b):
    return {row.name: row for row in compare.compare(points.load(a)["points"], points.load(b)["points"]).rows}


STEADY = [100, 101, 99, 100, 102, 98]


def test_beyond_the_noise_and_within_it(sweep):
    a = made(sweep, "a", {"slower": STEADY, "same": STEADY, "wild": [100, 200, 50, 100, 400, 90]})
    b = made(sweep, "b", {"slower": [v * 1.1 for v in STEADY], "same": [v * 1.02 for v in STEADY], "wild": [900] * 6})
    rows = compared(a, b)
    assert {name: row.verdict for name, row in rows.items()} == {"slower": "different", "same": "same", "wild": "unsure"}
    assert rows["slower"].ratio == pytest.approx(1.1) and rows["slower"].different == 1


def test_instructions_differ_by_one(sweep):
    a = made(sweep, "a", {"call": [79, 79], "odd": [5, 6]}, "instructions")
    b = made(sweep, "b", {"call": [80, 80], "odd": [5, 5]}, "instructions")
    rows = compared(a, b)
    assert (rows["call"].verdict, rows["odd"].verdict) == ("different", "unsure")
    assert compared(a, a)["call"].verdict == "same"


def tool(*words):
    return subprocess.run([ROOT / "bench/suite/compare.py", *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def test_the_table_and_the_page(sweep):
    a = made(sweep, "a", {"slower": STEADY, "gone": STEADY})
    b = made(sweep, "b", {"slower": [v * 1.5 for v in STEADY]})
    answer = tool(a, b / "results.json")
    assert answer.returncode == 0, answer.stderr
    assert "+ slower" in answer.stdout and "x1.500  in 1 of 1 places" in answer.stdout
    assert "1 differ beyond the noise" in answer.stdout and "1 points are only in A, 0 only in B" in answer.stdout
    assert "slower" in (b / "compare.html").read_text()


@pytest.mark.parametrize("text, sentence", [
    (None, "can't be read: No such file"),
    ('{"format":1,"points":[', "damaged or truncated"),
    ('{"format":7,"points":[]}', "another version of the suite (format 7, not 1)"),
])
def test_bad_results_get_a_sentence(sweep, tmp_path, text, sentence):
    good, bad = made(sweep, "a", {"x": STEADY}), tmp_path / "bad.json"
    if text is not None:
        bad.write_text(text)
    answer = tool(good, bad)
    assert answer.returncode == 2 and sentence in answer.stderr and "bad.json" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_one_sweep_is_not_enough():
    answer = tool("", "b")
    assert answer.returncode == 2 and "make compare A=... B=..." in answer.stderr
