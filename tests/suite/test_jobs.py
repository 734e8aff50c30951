# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The job list: what a sweep is made of, and files that are not one."""

import json

import pytest

import benchmarks
import jobs
import spread
from made import job


def plan(cores=(1, 2, 16), nodes=(2, 4), lenses=("elapsed", "icount", "host"), families=None, repetitions=6):
    return jobs.plan(jobs.Sweep(cores, nodes, lenses, families or jobs.family_names(), repetitions))


def test_every_job_has_a_name_of_its_own():
    names = [one.id for one in plan()]
    assert len(names) == len(set(names)) > 10


def test_few_cores_come_first_and_a_node_has_a_core():
    assert [one.cores for one in plan()] == sorted(one.cores for one in plan())
    assert all(one.nodes <= max(one.cores, 1) for one in plan())
    assert {one.nodes for one in plan() if one.family == "pairs" and one.cores == 16} == {2, 4}
    assert {one.nodes for one in plan() if one.family == "threads" and one.cores == 16} == {2}


def test_a_family_is_measured_where_it_applies():
    assert not [one for one in plan() if one.family == "agreement" and one.cores == 1]
    assert {one.lens for one in plan() if one.family == "channels"} == {"host"}
    assert not [one for one in plan() if one.family == "boot" and one.lens == "icount"]


def test_what_repeats_to_the_digit_is_repeated_once():
    assert {one.repetitions for one in plan() if one.lens == "icount"} == {2}
    assert {one.repetitions for one in plan() if one.lens == "elapsed"} == {6}


def test_settings_reach_the_jobs_that_they_are_for():
    sweep = jobs.Sweep((2,), (1,), ("elapsed", "icount", "host"), jobs.family_names(), 1, ("MEM=1G", "PIN=1"))
    found = {one.lens: one.settings for one in jobs.plan(sweep)}
    assert found == {"elapsed": ("MEM=1G", "PIN=1"), "icount": ("MEM=1G",), "host": ()}


def test_pinning_that_is_none_is_refused(scale):
    answer = scale("PIN=x", action=("check",))
    assert answer.returncode == 2 and answer.stderr == "PIN=x is unknown: it is auto, 1 or off.\n"


def test_a_sweep_that_no_host_could_hold_is_refused_before_it_begins(scale, tmp_path):
    """The planner's own sentences are tested elsewhere; here it is one that always refuses."""
    planner = tmp_path / "planner"
    planner.write_text("#!/bin/sh\necho \"$2 doesn't fit.\" >&2\nexit 2\n", encoding="utf-8")
    planner.chmod(0o755)
    answer = scale("PIN=1", "CORES=2", action=("check",))
    assert answer.returncode == 2 and answer.stderr == "cores=2 doesn't fit.\n"
    assert scale("PIN=1", "CORES=2", "LENS=icount", action=("check",)).returncode == 0


def test_all_pairs_of_many_cores_would_take_too_long():
    apps = {one.cores: one.app for one in plan() if one.family == "pairs"}
    assert apps[16] == benchmarks.BY_NAME["pairs"].many_app != apps[2]


def test_the_list_survives_its_file(sweep):
    kept = sweep(job(), job("icount"))
    assert jobs.load(kept.directory) == kept.plan


@pytest.mark.parametrize("text, sentence", [
    ("{", "damaged or truncated"),
    ("[]", "another version"),
    ('{"format":0,"jobs":[]}', "another version of the suite (format 0, not 1)"),
    ('{"format":1,"jobs":[{"id":"x"}],"build":"b","image":"i"}', "is damaged"),
])
def test_a_list_of_another_kind_is_refused(tmp_path, text, sentence):
    (tmp_path / "jobs.json").write_text(text, encoding="utf-8")
    with pytest.raises(jobs.Refused, match="jobs.json") as refusal:
        jobs.load(tmp_path)
    assert sentence in str(refusal.value)


def test_a_truncated_list_is_refused(sweep):
    kept = sweep(job())
    whole = (kept.directory / "jobs.json").read_text()
    (kept.directory / "jobs.json").write_text(whole[:len(whole) // 2])
    with pytest.raises(jobs.Refused, match="truncated"):
        jobs.load(kept.directory)
    assert json.loads(whole)["format"] == jobs.FORMAT


def test_slurms_sets():
    assert spread.array_of([1, 2, 3, 7, 9, 10]) == "1-3,7,9-10"
    assert spread.array_of([5]) == "5"
