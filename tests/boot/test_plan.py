# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A plan carried out on this host: QEMU's threads are where it says, and so is the guest's memory."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from places import BUILD, ROOT

import plan

WISH = {"cores": 1, "nodes": 1, "memory": 256, "sockets": 0, "dies": 0, "threads": 0}


@pytest.fixture(scope="module", autouse=True)
def planner():
    subprocess.run(["make", "-C", ROOT, "--no-print-directory", f"BUILD={BUILD.resolve()}", str(BUILD.resolve() / "planner")], check=True)


def test_threads_and_memory_are_where_the_plan_says(boot):
    made = plan.make(BUILD, "", WISH)
    complaints = []
    with boot.session(pin="1", build=BUILD, cores=1, nodes=1, mem="256M", app="shell") as running:
        running.expect("atoll> ")
        plan.begin(BUILD, running.control_path, made, complaints.append).join()
        assert complaints == []
        virtual = {cpu["thread-id"]: cpu["cpu-index"] for cpu in running.control("query-cpus-fast")}
        for thread in map(int, os.listdir(f"/proc/{running.pid}/task")):
            place = {made["processors"][virtual[thread]]["processor"]} if thread in virtual else set(made["spare"])
            assert os.sched_getaffinity(thread) == (place or os.sched_getaffinity(0))
        maps = Path(f"/proc/{running.pid}/numa_maps").read_text(encoding="ascii")
        pages = sum(int(count) for count in re.findall(rf" bind:{made['nodes'][0]['host_node']} .*?anon=(\d+)", maps))
        assert pages > 1000  # the guest has touched some of its memory
        running.type("poweroff")
        running.finish()


def test_a_thread_that_can_t_be_bound_is_named():
    with pytest.raises(plan.DoesNotFit, match="Thread and processors .*=65535 can't be bound"):
        plan._planner(BUILD, "bind", f"{os.getpid()}=65535")
    for word in ("", "12", "x=1", "12=", "12=1,x", "-1=0", "1=99999999999"):
        with pytest.raises(plan.DoesNotFit, match="isn't a thread and its processors"):
            plan._planner(BUILD, "bind", word)
