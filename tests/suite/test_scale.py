# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make scale` from the outside, with a QEMU that replays a serial log: it resumes, it spreads, it refuses in sentences."""

import fcntl
import json
import shutil

import pytest

QUICK = ("CORES=2", "NODES=2", "LENS=elapsed", "REPEAT=2", "BENCH=boot pairs")


def facts(scale):
    return sorted(str(path.relative_to(scale.out / "jobs")) for path in scale.out.glob("jobs/*/*.jsonl") if path.stem.isdigit())


def test_a_sweep_leaves_facts_results_and_a_report(scale):
    answer = scale(*QUICK)
    assert answer.returncode == 0, answer.stderr
    assert "2 jobs, 4 repetitions, 0 of them done before; about" in answer.stdout
    assert "[1/4] elapsed-c2-n2-boot, 1 of 2, about" in answer.stdout and "left" in answer.stdout
    assert facts(scale) == [f"elapsed-c2-n2-{name}/{n}.jsonl" for name in ("boot", "pairs") for n in (1, 2)]
    end = json.loads((scale.out / "jobs" / facts(scale)[0]).read_text().splitlines()[-1])
    assert end["tag"] == "end" and end["code"] == 0
    points = json.loads((scale.out / "results.json").read_text())["points"]
    assert {point["id"] for point in points} >= {"channel.rtt", "boot.ready"}
    assert all((scale.out / name).exists() for name in ("results.csv", "report.html"))


def test_what_is_complete_is_not_run_again(scale):
    scale(*QUICK)
    kept = scale.out / "jobs" / facts(scale)[1]
    text = kept.read_text()
    kept.write_text(text[:-30])  # as an interruption leaves it
    again = scale(*QUICK)
    assert "4 repetitions, 3 of them done before" in again.stdout
    assert "[1/1] elapsed-c2-n2-boot, 2 of 2" in again.stdout
    longer = scale(*QUICK[1:], "CORES=1 2")
    assert "8 repetitions, 4 of them done before" in longer.stdout
    assert "10 repetitions" not in longer.stdout and longer.returncode == 0


def test_a_run_that_fails_is_tried_twice_said_and_tried_again_later(scale):
    answer = scale(*QUICK, FAKE_CODE="3", FAKE_COMPLAINT="out of luck")
    assert answer.returncode == 1
    assert "elapsed-c2-n2-boot, 1 of 2, failed: qemu-system-x86_64 ended with code 3: out of luck" in answer.stdout
    assert "Missing: elapsed-c2-n2-pairs has 0 of 2 repetitions" in answer.stderr
    assert "out of luck" in (scale.out / "report.html").read_text()
    assert scale(*QUICK).returncode == 0


def test_another_image_is_not_mixed_in(scale):
    scale(*QUICK)
    (scale.directory / "atoll.iso").write_bytes(b"another image")
    answer = scale(*QUICK)
    assert answer.returncode == 2
    assert "has results of another image" in answer.stderr and "FRESH=1" in answer.stderr
    assert "0 of them done before" in scale(*QUICK, "FRESH=1").stdout
    assert "0 of them done before" in scale(*QUICK, f"OUT={scale.directory / 'second'}").stdout


def test_two_sweeps_in_one_place_are_one_too_many(scale):
    scale.out.mkdir()
    with (scale.out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = scale(*QUICK)
    assert answer.returncode == 2 and "Another sweep is at work" in answer.stderr


@pytest.mark.parametrize("word, sentence", [
    ("CORES=two", "CORES=two: two is not a number from 1 to 255."),
    ("CORES=0 1", "CORES=0 1: 0 is not a number from 1 to 255."),
    ("CORES=", "CORES is empty"),
    ("LENS=kvm", "LENS=kvm: kvm is unknown: it is elapsed, icount, host."),
    ("BENCH=pears", "BENCH=pears: pears is unknown: it is boot, pairs"),
    ("REPEAT=1 2", "REPEAT=1 2 is not one number."),
    ("BY=magic", "BY=magic is unknown: it is here, parallel, slurm."),
    ("BY=parallel", "BY=parallel and HOSTS=FILE (a host in each line) belong together."),
    ("FRESH=maybe", "FRESH=maybe is neither 0 nor 1."),
    ("COARSE=1", "COARSE=1 is not a setting of `make scale`"),
])
def test_senseless_settings_get_a_sentence(scale, word, sentence):
    answer = scale(word, action=("check",))
    assert answer.returncode == 2 and answer.stdout == ""
    assert sentence in answer.stderr and "Traceback" not in answer.stderr


def test_nothing_to_measure_gets_a_sentence(scale):
    answer = scale("CORES=1", "BENCH=agreement", "LENS=elapsed")
    assert answer.returncode == 2 and "Nothing is left to measure" in answer.stderr


# ---- One job ----------------------------------------------------------------------------------------------------------

def job(scale, *words):
    return scale("--out", str(scale.out), *words, program="job.py", action=())


def test_a_job_runs_by_itself_by_name_and_by_number(scale):
    scale(*QUICK)
    shutil.rmtree(scale.out / "jobs")
    assert job(scale, "elapsed-c2-n2-pairs", "2").returncode == 0
    assert facts(scale) == ["elapsed-c2-n2-pairs/2.jsonl"]
    assert job(scale, "--number", "1").returncode == 0
    assert len(facts(scale)) == 3
    (scale.directory / "atoll.iso").write_bytes(b"another image")
    assert "another image" in job(scale, "elapsed-c2-n2-pairs").stderr


@pytest.mark.parametrize("words, sentence", [
    (("nothing",), "nothing is not a job of"),
    (("elapsed-c2-n2-pairs", "3"), "3 is not a repetition of elapsed-c2-n2-pairs: it has 1 to 2."),
    (("--number", "9"), "--number 9: the list has jobs 1 to 2"),
    ((), "Which job?"),
])
def test_an_unknown_job_gets_a_sentence(scale, words, sentence):
    scale(*QUICK)
    answer = job(scale, *words)
    assert answer.returncode == 2 and sentence in answer.stderr


# ---- Spread over machines ---------------------------------------------------------------------------------------------

def test_hosts_that_are_not_there_get_a_sentence(scale):
    hosts = scale.directory / "hosts"
    for text, sentence in [(None, "can't be read: No such file"), ("# none\n", "names no host")]:
        if text is not None:
            hosts.write_text(text)
        answer = scale("BY=parallel", f"HOSTS={hosts}", action=("check",))
        assert answer.returncode == 2 and sentence in answer.stderr
    hosts.write_text("atoll-host.invalid\n")
    ssh = scale.directory / "bin/ssh"
    ssh.write_text("#!/bin/sh\necho 'ssh: no such host' >&2; exit 255\n")
    ssh.chmod(0o755)
    answer = scale(*QUICK, "BY=parallel", f"HOSTS={hosts}")
    assert answer.returncode == 2
    assert "The host atoll-host.invalid can't be reached: ssh: no such host." in answer.stderr
    ssh.write_text("#!/bin/sh\nexit 1\n")
    assert "does not see" in scale(*QUICK, "BY=parallel", f"HOSTS={hosts}").stderr


def test_gnu_parallel_works_through_the_same_list(scale):
    (scale.directory / "hosts").write_text("# this machine\n:\n")
    answer = scale(*QUICK, "BY=parallel", f"HOSTS={scale.directory / 'hosts'}")
    assert answer.returncode == 0, answer.stderr
    assert "2 jobs on 1 host, one at a time on each." in answer.stdout
    assert len(facts(scale)) == 4
    assert "4 of them done before" in scale(*QUICK).stdout


SBATCH = """#!/bin/sh
for word; do case $word in --array=*) set=${word#--array=} ;; *.sh) script=$word ;; esac; done
[ "$set" = 1-2 ] || { echo "unexpected set $set" >&2; exit 1; }
for n in 1 2; do SLURM_ARRAY_TASK_ID=$n sh "$script" || exit 1; done
echo 17
"""


def test_a_job_array_is_the_same_list(scale):
    """Slurm's own part is played by a script that runs the array's script for each number."""
    sbatch = scale.directory / "bin/sbatch"
    sbatch.write_text(SBATCH)
    sbatch.chmod(0o755)
    answer = scale(*QUICK, "BY=slurm")
    assert answer.returncode == 0, answer.stderr
    assert "A job array of 2 is submitted" in answer.stdout and "Slurm's job 17 ended" in answer.stdout
    assert len(facts(scale)) == 4
    script = (scale.out / "array.sh").read_text()
    assert "#SBATCH --exclusive" in script and "$SLURM_ARRAY_TASK_ID" in script
    sbatch.write_text("#!/bin/sh\necho 'no controller' >&2; exit 1\n")
    assert "Slurm refuses the job array: no controller." in scale(*QUICK, "REPEAT=3", "BY=slurm").stderr
