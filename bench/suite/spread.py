# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""One job list, three ways to work through it: a loop here, GNU parallel on a list of hosts, a Slurm job array.

The hosts have to see this checkout and its build directory under the same path (a shared file system), as nodes of a cluster usually do;
what they keep is then in one place, and a sweep that one way has begun another can finish. Each host runs one job at a time, for two
would measure each other.
"""

import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import facts
import job as runner
import jobs
from progress import Experience, Line, duration

ROOT = Path(__file__).resolve().parents[2]
JOB = "bench/suite/job.py"
HERE = ":"  # GNU parallel's name for the machine that it runs on
ANSWER_SECONDS = 10


def open_repetitions(plan: jobs.JobList) -> list[tuple[jobs.Job, int]]:
    """In rounds: the first repetition of all jobs, then the second, so that a change of the host over time meets all alike."""
    rounds = max((job.repetitions for job in plan.jobs), default=0)
    return [(job, repetition) for repetition in range(1, rounds + 1) for job in plan.jobs
            if repetition <= job.repetitions and runner.is_open(plan, job, repetition)]


def here(plan: jobs.JobList) -> None:
    todo = open_repetitions(plan)
    experience, line = Experience(plan), Line(len(todo))
    for index, (job, repetition) in enumerate(todo):
        left = sum(experience.expect(later) for later, _ in todo[index:])
        line.step(f"{job.id}, {repetition} of {job.repetitions}", left)
        begin = time.monotonic()
        if not runner.run(plan, job, repetition):
            line.say(f"{job.id}, {repetition} of {job.repetitions}, failed: {facts.read(plan.file(job, repetition)).why}")
        experience.add(job, time.monotonic() - begin)
    if todo:
        line.say(f"{len(todo)} repetitions are done.")


# ---- GNU parallel -----------------------------------------------------------------------------------------------------

def hosts(path: Path) -> list[str]:
    """A line for each; `:` is this one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise jobs.Refused(f"HOSTS={path} can't be read: {error.strerror}.") from None
    found = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not found:
        raise jobs.Refused(f"HOSTS={path} names no host: a line for each, and `:` for this one.")
    return found


def check_hosts(found: list[str], directory: Path) -> None:
    """Each has to answer, and to see the job list."""
    list_file = ROOT / directory / "jobs.json"
    for host in found:
        if host == HERE:
            continue
        try:
            answer = subprocess.run(["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={ANSWER_SECONDS}", host, "test", "-r",
                                     shlex.quote(str(list_file))], capture_output=True, text=True, timeout=2 * ANSWER_SECONDS,
                                    stdin=subprocess.DEVNULL, check=False)
        except FileNotFoundError:
            raise jobs.Refused(f"The host {host} needs ssh, which is not installed here.") from None
        except subprocess.TimeoutExpired:
            raise jobs.Refused(f"The host {host} does not answer.") from None
        if answer.returncode == 1:
            raise jobs.Refused(f"The host {host} does not see {list_file}: it needs this checkout under the same path.")
        if answer.returncode:
            raise jobs.Refused(f"The host {host} can't be reached: {' '.join(answer.stderr.split()) or 'ssh does not say why'}.")


def parallel(plan: jobs.JobList, path: Path) -> None:
    found = hosts(path)
    _need("parallel", "BY=parallel needs GNU parallel (Debian package parallel).")
    check_hosts(found, plan.directory)
    todo = list(dict.fromkeys(job.id for job, _ in open_repetitions(plan)))
    if not todo:
        return
    print(f"{len(todo)} jobs on {len(found)} host{'s' if len(found) > 1 else ''}, one at a time on each.", flush=True)
    command = ["parallel", "--will-cite", "--jobs", "1", "--workdir", str(ROOT), "--halt", "never", "--line-buffer"]
    command += ["--eta"] if sys.stderr.isatty() else []
    for host in found:
        command += ["--sshlogin", host]
    command += [JOB, "--again", "--out", str(plan.directory), "{}", ":::", *todo]
    code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    if code:
        print(f"GNU parallel says that {code} jobs failed.", file=sys.stderr)


# ---- Slurm ------------------------------------------------------------------------------------------------------------

def slurm(plan: jobs.JobList) -> None:
    """Submits an array of the open jobs and waits for its end."""
    _need("sbatch", "BY=slurm needs Slurm's sbatch, which is not on this host.")
    numbers = {job.id: number for number, job in enumerate(plan.jobs, 1)}
    todo = sorted({numbers[job.id] for job, _ in open_repetitions(plan)})
    if not todo:
        return
    script = ROOT / plan.directory / "array.sh"
    jobs.write(script, array_script(plan.directory))
    print(f"A job array of {len(todo)} is submitted; its nodes need this checkout under the same path.", flush=True)
    begin = time.monotonic()
    answer = subprocess.run(["sbatch", "--wait", "--parsable", f"--array={array_of(todo)}", str(script)], cwd=ROOT,
                            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if answer.returncode and not answer.stdout.strip():
        raise jobs.Refused(f"Slurm refuses the job array: {' '.join(answer.stderr.split()) or 'it does not say why'}.")
    print(f"Slurm's job {answer.stdout.strip()} ended after {duration(time.monotonic() - begin)}.")


def array_script(directory: Path) -> str:
    output = ROOT / directory / "slurm-%A_%a.txt"
    return "\n".join(["#!/bin/sh", "#SBATCH --job-name=atoll-scale", "#SBATCH --exclusive", f"#SBATCH --chdir={ROOT}",
                      f"#SBATCH --output={output}",
                      f'exec {JOB} --again --out {shlex.quote(str(directory))} --number "$SLURM_ARRAY_TASK_ID"', ""])


def array_of(numbers: list[int]) -> str:
    """As Slurm writes sets: 1-3,7."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts)


def _need(program: str, sentence: str) -> None:
    if shutil.which(program) is None:
        raise jobs.Refused(sentence)
