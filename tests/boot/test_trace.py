# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make trace`: every writer's events, messages joined across cores, and a program that spoils its own ring; and that programs do the same
with a trace as without one."""

import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from places import BUILD, ROOT
from trace_rules import broken_rules

NAME = "test-trace"
MOST_OFF, MOST_ON = 3, 60  # instructions of a point


def launch(action: str, *settings: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "boot/launch/run.py", action, f"BUILD={BUILD}", "TIMEOUT=120", *settings], cwd=ROOT,
                          capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module", name="traced")
def traced_run():
    """One traced run of three cores on two nodes: programs that spoil their rings, then one whose monitors talk."""
    answer = launch("trace", "CORES=3", f"NAME={NAME}", "APP=spoil header ; spoil count ; spoil events ; capbench --quick")
    return answer, BUILD / "trace" / NAME


def test_it_ends_well(traced):
    answer, directory = traced
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert not (directory / "memory").exists()
    for core in range(3):
        assert f"\nCore {core}: " in answer.stdout
    assert "its clock is known to within" in answer.stdout


def test_babeltrace_reads_it_without_a_warning(traced):
    _, directory = traced
    read = subprocess.run(["babeltrace2", directory / "ctf"], capture_output=True, text=True, check=False)
    assert read.returncode == 0 and read.stderr == ""
    found = Counter(line.split(") ", 1)[1].split(":")[0] for line in read.stdout.splitlines())
    assert {"switch", "idle", "wake", "call", "interrupt", "fault", "ring", "rung", "send", "receive", "thread", "request",
            "begin_domain", "end_domain", "begin", "end", "queue", "enter", "leave"} <= found.keys()


def test_perfetto_and_chrome_show_all_of_it(traced):
    _, directory = traced
    assert not broken_rules(directory / "trace.json")


def test_arrows_lead_from_core_to_core(traced):
    _, directory = traced
    records = json.loads((directory / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    begins = {record["id"]: record for record in records if record["ph"] == "s"}
    ends = {record["id"]: record for record in records if record["ph"] == "f"}
    assert len({(begins[number]["pid"], ends[number]["pid"]) for number in begins if begins[number]["pid"] != ends[number]["pid"]}) == 6
    messages = json.loads((directory / "messages.json").read_text(encoding="utf-8"))
    crossing = [number for number in begins if begins[number]["pid"] != ends[number]["pid"]]
    assert len(crossing) == sum(message["send_ns"] <= message["receive_ns"] for message in messages)


def test_calls_lead_from_program_to_program_of_a_core(traced):
    """Every program calls its monitor, which answers all but a program's last call."""
    answer, directory = traced
    records = json.loads((directory / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    names = {record["tid"]: record["args"]["name"] for record in records if record["name"] == "thread_name"}
    begins = {record["id"]: record for record in records if record["ph"] == "s" and record["name"] in ("call", "reply")}
    ways = Counter((record["name"], names[begins[record["id"]]["tid"]].split()[0], names[record["tid"]].split()[0])
                   for record in records if record["ph"] == "f" and record["id"] in begins)
    calls, replies = ways["call", "capbench", "monitor"], ways["reply", "monitor", "capbench"]
    assert calls > 100 and 0.95 * calls <= replies <= calls
    assert f"{len(begins):,} calls and replies went" in answer.stdout


def test_messages_say_what_caused_them(traced):
    """The agreement's protocols, as monitor/agreement/messages.def writes them down."""
    _, directory = traced
    messages = json.loads((directory / "messages.json").read_text(encoding="utf-8"))
    kinds = Counter(message["kind"] for message in messages)
    assert kinds["monitors.sweep"] > 10 and kinds["monitors.swept"] > 10
    assert all(message["from"] != message["to"] for message in messages)
    assert sum(message["send_ns"] > message["receive_ns"] for message in messages) * 100 <= len(messages)
    answers = [message for message in messages if message["kind"] == "monitors.swept"]
    caused = [messages[message["cause"]] for message in answers if message["cause"] is not None]
    assert len(caused) * 10 > len(answers) * 9
    assert all(cause["to"] == answer["from"] for cause, answer in zip(caused, answers) if answer["cause"] is not None)
    assert sum(cause["kind"] == "monitors.sweep" for cause in caused) * 10 > len(caused) * 9


def test_who_spoils_his_ring_spoils_nothing_else(traced):
    answer, directory = traced
    said = [line for line in answer.stdout.splitlines() if "is spoilt and left out" in line]
    assert len(said) == 3 and all("The ring of spoil" in line for line in said)
    whys = " ".join(said)
    assert "header is not as" in whys and "counts 18446744073709551615 events" in whys and "event number 40000" in whys
    read = subprocess.run(["babeltrace2", directory / "ctf"], capture_output=True, text=True, check=False)
    assert 'writer = "capbench"' in read.stdout and 'writer = "spoil"' not in read.stdout


def test_a_truncated_trace_is_a_sentence(traced, tmp_path):
    _, directory = traced
    for name in ("facts.jsonl", "core-0.area", "core-1.area"):
        (tmp_path / name).write_bytes((directory / name).read_bytes())
    with (tmp_path / "core-1.area").open("r+b") as area:
        area.truncate(3 << 20)
    answer = subprocess.run([sys.executable, "bench/trace/export.py", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0
    assert "core-1.area is truncated" in answer.stderr and "core-2.area does not exist" in answer.stderr
    assert "Traceback" not in answer.stderr and "\nCore 1" not in answer.stdout
    read = subprocess.run(["babeltrace2", tmp_path / "ctf"], capture_output=True, text=True, check=False)
    assert read.returncode == 0 and read.stderr == ""


@pytest.fixture(scope="module", name="dead")
def run_with_a_dead_core():
    """A core falls silent in the middle of its work, and is started again."""
    answer = launch("trace", "CORES=3", "MEM=512M", f"NAME={NAME}-dead", "APP=chaos --seed 5 --deaths 1")
    return answer, BUILD / "trace" / f"{NAME}-dead"


def test_the_trace_of_a_core_that_died_is_there(dead):
    answer, directory = dead
    assert answer.returncode == 0, answer.stdout + answer.stderr
    died = re.search(r"\nCore (\d) died: it was silent for [\d,]+ ms; its trace ends at ([\d,.]+) ms\.", answer.stdout)
    assert died, answer.stdout
    core, end = int(died[1]), float(died[2].replace(",", ""))
    assert f"\nCore {core}, started again: " in answer.stdout
    records = json.loads((directory / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    names = {record["pid"]: record["args"]["name"] for record in records if record["name"] == "process_name"}
    before, after = ({title: pid for pid, title in names.items()}[f"core {core}{again}"] for again in ("", ", started again"))
    times = {pid: [record["ts"] / 1000 for record in records if record["pid"] == pid and record["ph"] in "Xi"] for pid in (before, after)}
    assert abs(max(times[before]) - end) < 0.01 and min(times[after]) > end
    assert [record["pid"] for record in records if record["name"].startswith("died: ")] == [before]


def test_readers_take_the_trace_of_a_core_that_died(dead):
    _, directory = dead
    read = subprocess.run(["babeltrace2", directory / "ctf"], capture_output=True, text=True, check=False)
    assert read.returncode == 0 and read.stderr == "" and "begin_domain" in read.stdout
    assert not broken_rules(directory / "trace.json")


def test_every_channel_has_its_arrows():
    """Of whoever uses it: monitors, the console, what a monitor tells a program, calls, streams, and a program that uses it bare."""
    name = f"{NAME}-channels"
    answer = launch("trace", "CORES=2", "MEM=512M", f"NAME={name}", "APP=ipcbench --quick ; hello")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    records = json.loads((BUILD / "trace" / name / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    begins = {record["id"]: record for record in records if record["ph"] == "s"}
    ways = {(record["name"].replace(".", " ").split()[0], begins[record["id"]]["pid"] != record["pid"])
            for record in records if record["ph"] == "f"}
    assert {("monitors", True), ("greeting", True), ("call", True), ("stream", True), ("bare", True), ("greeting", False), ("stream", False),
            ("tidings", False), ("call", False)} <= ways, answer.stdout
    assert not broken_rules(BUILD / "trace" / name / "trace.json")


@pytest.mark.parametrize("cores,nodes", [(1, 1), (8, 4)])
def test_readers_take_traces_of_small_and_large_machines(cores, nodes):
    name = f"{NAME}-{cores}"
    answer = launch("trace", f"CORES={cores}", f"NODES={nodes}", "MEM=1G", f"NAME={name}", "APP=hello")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    read = subprocess.run(["babeltrace2", BUILD / "trace" / name / "ctf"], capture_output=True, text=True, check=False)
    assert read.returncode == 0 and read.stderr == ""
    assert {int(core) for core in re.findall(r"cpu_id = (\d+)", read.stdout)} == set(range(cores))
    assert not broken_rules(BUILD / "trace" / name / "trace.json")


def test_programs_go_as_well_with_a_trace(boot):
    """Programs of other tests, which know nothing of a trace: it takes nothing from them, and nothing of it is lost."""
    wanted = {"selftest": 16, "agreement": 40, "services": 8, "roam": 9}
    machine = boot(cores=4, nodes=2, mem="512M", cmdline="trace=on", timeout=120,
                   app="selftest ; agreement operations ; agreement attacks ; services ; roam")
    facts = machine.facts("test")
    assert not [fact for fact in facts if not fact["ok"]], machine.tail()
    ran = Counter(fact["name"].split(".")[0] for fact in facts)
    assert all(ran[name] >= least for name, least in wanted.items()), ran
    assert len(machine.facts("trace")) == 4, machine.tail()


def medians(name: str) -> dict[str, float]:
    facts = [json.loads(line) for line in (BUILD / "results" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return {fact["id"]: fact["p50"] for fact in facts if fact["tag"] == "bench"}


def test_what_a_point_of_a_program_costs():
    answer = launch("run", "CORES=1", "LENS=icount", "APP=tracebench", f"NAME={NAME}-points")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    cost = medians(f"{NAME}-points")
    assert cost["trace.off"] <= MOST_OFF and MOST_OFF < cost["trace.on"] <= MOST_ON


def test_what_a_point_of_the_cpu_driver_costs():
    """An empty invocation passes one point, a call and its reply on one core pass four."""
    common = ("CORES=1", "LENS=icount", "APP=ipcbench --quick")
    off = launch("run", *common, f"NAME={NAME}-off")
    on = launch("run", *common, f"NAME={NAME}-on", "CMDLINE=trace=on")
    assert off.returncode == 0 and on.returncode == 0, off.stderr + on.stderr
    without, traced = medians(f"{NAME}-off"), medians(f"{NAME}-on")
    assert 0 < traced["call.null"] - without["call.null"] <= MOST_ON
    assert 0 < traced["ipc.local.rtt"] - without["ipc.local.rtt"] <= 4 * MOST_ON
