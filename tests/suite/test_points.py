# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""From the facts of runs to points, and facts that can't be trusted."""

import csv
import io

import pytest

import facts
import jobs
import points
from made import BOOTS, PHASES, bench, job


def found(whole, name):
    return [point for point in whole["points"] if point["id"] == name]


def test_a_point_is_the_median_of_the_runs(sweep):
    one = job()
    kept = sweep(one)
    for repetition, value in enumerate([100, 101, 99, 100, 98, 102], 1):
        kept.keep(one, repetition, [bench("channel.rtt", value), bench("channel.rtt", value + 50, a=1, b=0)])
    whole = points.results(kept.plan)
    there, back = found(whole, "channel.rtt")
    assert (there["estimate"], there["low"], there["high"], there["runs"], there["stable"]) == (100, 98, 102, 6, True)
    assert back["estimate"] == 150 and back["from"] == 1
    assert there["distance"] == 20 and there["n"] == 600 and there["cores"] == 2
    assert whole["missing"] == [] and whole["provenance"][0]["job"] == there["job"]


def test_only_the_lens_of_the_job_counts(sweep):
    one = job("icount", repetitions=2)
    kept = sweep(one)
    for repetition in (1, 2):
        kept.keep(one, repetition, [bench("call.null", 79, "instructions", "instructions", 0, 0), bench("odd", 1)])
    assert [(p["id"], p["stable"], p["confidence"]) for p in points.results(kept.plan)["points"]] == [("call.null", True, 1.0)]


def test_facts_differ_by_their_parameters(sweep):
    one = job(repetitions=1)
    kept = sweep(one)
    kept.keep(one, 1, [bench("kv", 5, a=0, b=0, cores=1), bench("kv", 3, a=0, b=0, cores=2), bench("cap", 9, holders=1, messages=3)])
    whole = points.results(kept.plan)
    assert [point["parameters"] for point in found(whole, "kv")] == [{"cores": 1}, {"cores": 2}]
    assert found(whole, "cap")[0]["messages"] == 3 and "distance" not in found(whole, "cap")[0]
    assert not found(whole, "kv")[0]["stable"]


def test_the_start_is_measured_too(sweep):
    one = job(family="boot", repetitions=1)
    kept = sweep(one)
    kept.keep(one, 1, [*BOOTS, PHASES])
    whole = points.results(kept.plan)
    assert {p["id"]: p["estimate"] for p in whole["points"] if p.get("from", 1) == 1} == {
        "boot.entered": 1000, "boot.driver": 2000, "boot.ready": 3001, "boot.phase.first_ready": 3000, "boot.phase.complete": 4000}


def test_what_is_missing_is_said(sweep):
    one, other = job(repetitions=3), job(cores=4, repetitions=2)
    kept = sweep(one, other)
    kept.keep(one, 1, [bench("channel.rtt", 5)])
    kept.keep(one, 2, [], code=1, why="The machine stopped.")
    whole = points.results(kept.plan)
    assert whole["missing"] == [{"job": one.id, "good": 1, "wanted": 3, "why": "The machine stopped."},
                                {"job": other.id, "good": 0, "wanted": 2, "why": "not run yet"}]
    assert "only 1 of 3 runs" in found(whole, "channel.rtt")[0]["why"]


def test_an_interrupted_run_is_no_run(sweep):
    one = job(repetitions=1)
    kept = sweep(one)
    file = kept.keep(one, 1, [bench("channel.rtt", 5)])
    text = file.read_text()
    for cut in (len(text) - 3, text.rindex("{"), text.index("\n") + 1, text.index("\n") + 20, 0):
        file.write_text(text[:cut])
        assert facts.read(file) is None
    assert facts.read(file.with_name("7.jsonl")) is None


@pytest.mark.parametrize("wrong, sentence", [
    ('{"tag":"bench","id":"x"}', "a measurement without lens"),
    ('{"tag":"bench","id":"x","lens":"elapsed","unit":"c","n":1,"min":1,"p50":"many","p99":1,"max":1}', "p50 of x is not a number: 'many'"),
    ("nonsense", "line 2, is not a fact"),
])
def test_damaged_facts_are_refused_by_name(sweep, wrong, sentence):
    one = job(repetitions=1)
    file = sweep(one).keep(one, 1, [])
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], wrong, *lines[2:]]) + "\n")
    with pytest.raises(facts.Damaged) as refusal:
        facts.read(file)
    assert sentence in str(refusal.value) and str(file) in str(refusal.value)


def test_the_same_place_twice_is_refused(sweep):
    one = job(repetitions=1)
    kept = sweep(one)
    kept.keep(one, 1, [bench("channel.rtt", 5), bench("channel.rtt", 6)])
    with pytest.raises(facts.Damaged, match="channel.rtt twice"):
        points.results(kept.plan)


def test_the_table_has_what_the_json_has(sweep):
    one = job(repetitions=1)
    kept = sweep(one)
    kept.keep(one, 1, [bench("kv, fast", 5, cores=2)])
    rows = list(csv.DictReader(io.StringIO(points.as_csv(points.results(kept.plan)))))
    assert [(row["id"], row["estimate"], row["parameters"], row["stable"]) for row in rows] == [("kv, fast", "5", "cores=2", "no")]


@pytest.mark.parametrize("text, sentence", [
    ("", "damaged or truncated"),
    ('{"points":3}', "is not a results file"),
    ('{"format":99,"points":[]}', "another version of the suite (format 99, not 1)"),
    ('{"format":1,"points":[{"id":"x"}]}', "a point without lens"),
])
def test_results_of_another_kind_are_refused(tmp_path, text, sentence):
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(jobs.Refused) as refusal:
        points.load(tmp_path)
    assert sentence in str(refusal.value)
