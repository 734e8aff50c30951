# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The launcher from the outside, with a QEMU that replays a serial log."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ATOLL_BUILD", ROOT / "build"))
FAKE = Path(__file__).with_name("fake_qemu.py")

TOPOLOGY = '@topology {"cores":[{"core":0,"apic":0,"node":0},{"core":1,"apic":2,"node":1}],' \
           '"nodes":[{"node":0,"memory":1073741824},{"node":1,"memory":536870912}],' \
           '"distances":[[10,21],[22,10]],"acpica":"20220331"}'
BOOTS = '@boot {"core":0,"apic":0,"node":0,"us":1500,"image_bytes":180224}\n' \
        '@boot {"core":1,"apic":2,"node":1,"us":2500,"image_bytes":184320}'


def bench(name, a, b, p50):
    return f'@bench {{"id":"{name}","lens":"elapsed","unit":"cycles","from":{a},"to":{b},"n":10,' \
           f'"min":{p50 - 100},"p50":{p50},"p99":{p50 + 100},"max":{p50 + 500}}}'


GOOD = "\n".join(["Atoll starts.\r", BOOTS, TOPOLOGY,
                  bench("floor.rtt", 0, 1, 1000), bench("floor.rtt", 1, 0, 1000),
                  bench("channel.rtt", 0, 1, 1200), bench("channel.rtt", 1, 0, 1300),
                  '@event {"event":"poweroff","status":0}', "Good night."]) + "\n"


@pytest.fixture
def launch(tmp_path):
    """Runs the launcher on a serial log; the answer has its output, exit code, and the kept facts."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "qemu-system-x86_64").symlink_to(FAKE)
    (tmp_path / "planner").symlink_to(BUILD / "planner")

    def run(serial, *words, action="run", **fake):
        (tmp_path / "serial").write_text(serial, encoding="utf-8")
        environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                       "FAKE_SERIAL": str(tmp_path / "serial"), **fake}
        answer = subprocess.run([ROOT / "boot/launch/run.py", action, f"BUILD={tmp_path}", *words], env=environment,
                                capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        kept = tmp_path / "results/latest.jsonl"
        answer.facts = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
        return answer

    run.directory = tmp_path
    return run


def test_a_good_run_shows_the_lines_and_tables_and_keeps_every_fact(launch):
    answer = launch(GOOD, "NAME=good", "CORES=2")
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    assert answer.stdout.startswith("Atoll starts.\nGood night.\n")
    assert "@" not in answer.stdout
    assert [fact["tag"] for fact in answer.facts] == ["provenance"] + ["boot"] * 2 + ["topology"] + ["bench"] * 4 + ["event"]
    assert (launch.directory / "results/good.jsonl").exists()
    assert (launch.directory / "results/good.log").read_bytes() == GOOD.encode()


def test_what_firmware_says_is_only_in_the_log(launch):
    noise = "\x1b[2J\x1b[01;01HBdsDxe: loading Boot0001\r\n  Booting `Atoll'\n\r\n"
    answer = launch(noise + GOOD, "NAME=noisy", "FIRMWARE=uefi")
    assert answer.stdout.startswith("Atoll starts.\n")
    assert "BdsDxe" in (launch.directory / "results/noisy.log").read_text(encoding="utf-8")


def test_the_tables_say_what_the_facts_say(launch):
    lines = launch(GOOD, "CORES=2").stdout.splitlines()
    rows = [line.split() for line in lines]
    assert "The machine, as ACPICA 20220331 found it: 2 cores, 2 nodes" in lines
    assert ["1", "2", "1", "2.5", "ms", "180", "KiB"] in rows
    assert ["0", "1", "GiB", "10", "21"] in rows
    assert ["1", "512", "MiB", "22", "10"] in rows
    assert ["0", "-", "1,200"] in rows and ["1", "1,300", "-"] in rows
    assert ["channel.rtt", "elapsed", "cycles", "2", "1,100", "1,250", "1,400", "1.25", "1.30"] in rows
    assert any(line.startswith("Lens elapsed: ") for line in lines)


def test_where_the_time_of_the_start_goes(launch):
    phases = '@boot_phases {"first_ready_us":26060,"last_core_us":185613,"acpi_tables_us":85467}\n'
    assert "first ready 26 ms, acpi tables 85 ms, last core 186 ms" in launch(GOOD + phases).stdout


def test_a_machine_without_acpi(launch):
    assert "The machine, which has no ACPI tables: 2 cores" in launch(GOOD.replace('"20220331"', '""')).stdout


def test_the_bars_are_judged_by_the_worst_pair(launch):
    def ratio(name, a, b, p50):
        return f'@bench {{"id":"{name}","lens":"elapsed","unit":"ratio","from":{a},"to":{b},"n":10,' \
               f'"min":{p50},"p50":{p50},"p99":{p50},"max":{p50}}}\n'

    def counted(name, p50):
        return bench(name, 0, 0, p50).replace("elapsed", "instructions").replace("cycles", "instructions") + "\n"

    rows = [line.split() for line in launch(
        GOOD + ratio("channel.rtt/floor.rtt", 0, 1, 1.24) + ratio("channel.rtt/floor.rtt", 1, 0, 1.27) + counted("call.null", 79)
        + counted("foreign.null", 251) + counted("cap.copy", 100) + counted("cap.copy.10000", 150) + counted("cap.delete", 700)
        + counted("cap.revoke", 8001) + bench("channel.stream", 0, 1, 400) + "\n").stdout.splitlines()]
    assert ["channel.rtt/floor.rtt", "1.27", "at", "most", "1.25", "1", "of", "2"] in rows
    assert ["call.null", "79", "at", "most", "80", "yes"] in rows
    assert ["foreign.null", "251", "at", "most", "250", "no"] in rows
    assert ["cap.copy.10000", "/", "cap.copy", "1.5", "at", "most", "1.5", "yes"] in rows
    assert ["cap.revoke", "8,001", "at", "most", "8,000", "no"] in rows
    assert ["channel.stream,", "messages", "per", "channel.rtt", "3", "at", "least", "3", "yes"] in rows
    assert any(row[:1] == ["channel.rtt"] and row[-2:] == ["1.25", "1.27"] for row in rows)


def held(name, holders, p50, messages):
    return f'@bench {{"id":"{name}","lens":"elapsed","unit":"us","from":0,"to":{holders},"holders":{holders},"messages":{messages},"n":10,' \
           f'"min":{p50},"p50":{p50},"p99":{p50},"max":{p50}}}\n'


def test_agreed_operations_are_shown_by_holders(launch):
    lines = launch(GOOD + held("cap.retype.remote", 1, 60, 2) + held("cap.revoke.remote", 1, 151, 2)
                   + held("cap.revoke.remote", 2, 300, 12.5) + held("page.unmap", 2, 17, 0)).stdout.splitlines()
    rows = [line.split() for line in lines]
    assert ["holders", "cap.retype.remote", "messages", "cap.revoke.remote", "messages", "page.unmap"] in rows
    assert ["1", "60", "2", "151", "2"] in rows
    assert ["2", "300", "12.5", "17"] in rows
    assert ["cap.retype.remote,", "us", "60", "at", "most", "100", "yes"] in rows
    assert ["cap.revoke.remote,", "us", "300", "at", "most", "150", "0", "of", "2"] in rows
    assert ["cap.retype.remote,", "messages", "per", "holder", "2", "at", "most", "4,", "and", "4", "more", "yes"] in rows
    assert ["cap.revoke.remote,", "messages", "per", "holder", "6.25", "at", "most", "4,", "and", "4", "more", "1", "of", "2"] in rows


def test_bench_runs_all_benchmarks_unless_one_is_named(launch):
    app = launch(GOOD, action="bench").facts[0]["settings"]["app"]
    assert app == "ipcbench ; capbench ; stubbench ; threadbench ; spanbench ; groupbench ; placebench ; kv --rounds 9 --ms 10 ; tracebench"
    alone = launch(GOOD, "CORES=1", action="bench").facts[0]["settings"]["app"]
    assert alone == "ipcbench ; stubbench ; threadbench ; placebench ; kv --rounds 9 --ms 10 ; tracebench"
    assert launch(GOOD, "APP=hello", action="bench").facts[0]["settings"]["app"] == "hello"


def test_the_provenance_says_what_ran(launch):
    origin = launch(GOOD, "CORES=2", "APP=ipcbench -a, b").facts[0]
    assert origin["qemu"] == "QEMU emulator version 0.0 (fake)"
    assert origin["accelerator"] == "tcg,thread=multi"
    assert origin["command"][0] == "qemu-system-x86_64"
    assert "name=opt/atoll/cmdline,string=app=ipcbench -a,, b" in origin["command"]
    assert origin["settings"]["cores"] == 2
    assert set(origin["host"]) == {"cpu", "cores", "kernel", "load"}


HOST = sorted(os.sched_getaffinity(0))


@pytest.mark.skipif(len(HOST) < 2, reason="a host of one core has nothing to choose from")
def test_each_core_keeps_a_core_of_the_host(launch):
    answer = launch(GOOD, "CORES=2", FAKE_QMP="answer")
    pinned = answer.facts[0]["pinned"]
    assert len(set(pinned)) == 2 and set(pinned) <= set(HOST)
    assert answer.stdout.startswith(f"pinned to {pinned[0]}\npinned to {pinned[1]}\n")
    assert answer.stderr == ""


def test_cores_are_not_pinned_where_that_makes_no_sense(launch):
    for words in (["PIN=off", "CORES=1"], ["LENS=icount", "CORES=1"], [f"CORES={len(HOST) + 1}"]):
        answer = launch(GOOD, *words)
        assert answer.facts[0]["pinned"] is None
        assert not any(word.startswith("unix:") for word in answer.facts[0]["command"])


def test_a_run_that_could_not_pin_says_so_and_goes_on(launch):
    answer = launch(GOOD, "CORES=1", FAKE_QMP="refuse")
    assert answer.returncode == 0
    assert answer.stderr == "The virtual cores are not pinned: not today.\n"
    assert answer.facts[-1] == {"tag": "unpinned", "why": "The virtual cores are not pinned: not today."}


@pytest.mark.skipif(len(HOST) < 2, reason="a host of one core has nothing to choose from")
def test_a_planned_machine_is_bound_as_planned(launch):
    answer = launch(GOOD, "PIN=1", "CORES=2", "NODES=1", "MEM=64M", FAKE_QMP="answer")
    assert answer.returncode == 0, answer.stderr
    plan, pinned = answer.facts[0]["plan"], answer.facts[0]["pinned"]
    assert pinned == [cpu["processor"] for cpu in plan["processors"]]
    assert plan["this_host"] and plan["nodes"][0]["memory_mib"] == 64
    assert answer.stdout.startswith(f"pinned to {pinned[0]}\npinned to {pinned[1]}\n")
    assert f"memory-backend-ram,id=m0,size=64M,host-nodes={plan['nodes'][0]['host_node']},policy=bind" in answer.facts[0]["command"]


def test_a_plan_that_can_t_be_carried_out_fails_the_run(launch):
    answer = launch(GOOD, "PIN=1", "CORES=1", "NODES=1", "MEM=64M", FAKE_QMP="refuse")
    assert answer.returncode == 1
    assert answer.stderr.startswith("The plan can't be carried out: not today.\n")


def test_without_the_planner_there_is_no_plan(launch):
    (launch.directory / "planner").unlink()
    answer = launch(GOOD, "PIN=1")
    assert answer.returncode == 2
    assert answer.stderr.startswith("There is no plan without the planner") and len(answer.stderr.splitlines()) == 1


def test_a_plan_is_explained_and_kept(launch):
    topology = "pack:2 numa:1(memory=8GB) l3:1 core:4 pu:2"
    answer = launch(GOOD, f"TOPOLOGY={topology}", "CORES=16", "NODES=2", "MEM=12G", action="plan")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[0] == f"16 virtual CPUs on {topology}: 2 sockets of 1 die of 4 cores of 2 threads"
    rows = [line.split() for line in lines]
    assert ["0", "0", "to", "7", "6144", "0"] + [str(n) for n in range(8)] in rows
    assert ["1", "8", "to", "15", "6144", "1"] + [str(n) for n in range(8, 16)] in rows
    assert any(line.startswith("There are too few cores for one virtual CPU each") for line in lines)
    for option in ("-smp 16,sockets=2,dies=1,cores=4,threads=2", "-m 12288M", "-object memory-backend-ram,id=m1,size=6144M",
                   "-numa node,nodeid=1,memdev=m1,cpus=8-15", "-numa dist,src=0,dst=1,val=20"):
        assert f"  {option}" in lines
    kept = json.loads((launch.directory / "plan.json").read_text(encoding="utf-8"))
    assert kept["smp"] == {"sockets": 2, "dies": 1, "cores": 4, "threads": 2} and kept["memory_mib"] == 12288


def stated(tmp_path):
    """What a guest would state of a small machine; hwloc itself writes it here."""
    file = tmp_path / "stated.xml"
    subprocess.run(["lstopo-no-graphics", "-i", "numa:2 core:2 pu:1", "-f", "--of", "xml", file], check=True)
    text = file.read_text(encoding="utf-8")
    return "".join(f"@hwloc {json.dumps({'xml': text[at:at + 300]})}\n" for at in range(0, len(text), 300))


def test_the_topology_is_put_together_validated_and_drawn(launch, tmp_path):
    answer = launch(stated(tmp_path) + GOOD, "CORES=2", "APP=hello", action="topology")
    assert answer.returncode == 0, answer.stderr
    assert "hwloc finds it consistent: 2 nodes, 0 packages, 0 dies, 4 cores, 4 processors, 0 notes." in answer.stdout
    assert answer.facts[0]["settings"]["app"] == "topology hello"
    assert (launch.directory / "topology.xml").read_text(encoding="utf-8") == (tmp_path / "stated.xml").read_text(encoding="utf-8")
    assert "<svg" in (launch.directory / "topology.svg").read_text(encoding="utf-8")


def test_a_topology_that_is_cut_off_or_nonsense_is_refused(launch, tmp_path):
    lines = stated(tmp_path).splitlines(keepends=True)
    answer = launch("".join(lines[:-1]) + GOOD, "CORES=2", action="topology")
    assert answer.returncode == 1 and "The guest did not state its topology to the end." in answer.stderr
    answer = launch('@hwloc {"xml":"<topology></topology>\\n"}\n' + GOOD, "CORES=2", action="topology")
    assert answer.returncode == 1 and f"hwloc does not accept {launch.directory / 'topology.xml'}" in answer.stderr


def test_a_machine_like_another_one_is_not_bound(launch):
    answer = launch(GOOD, "TOPOLOGY=numa:3(memory=1GB) core:2 pu:1", "MEM=300M", "PIN=off")
    assert answer.returncode == 0, answer.stderr
    command = answer.facts[0]["command"]
    assert "6,sockets=1,dies=3,cores=2,threads=1" in command
    assert not any("policy=bind" in word or word.startswith("unix:") for word in command)
    assert answer.facts[0]["settings"]["cores"] == 6 and answer.facts[0]["settings"]["nodes"] == 3


@pytest.mark.parametrize("line", [
    '@boot {"core":1,', '@boot {"core":NaN}', '@boot {"core":1,"core":2}', '@boot {"tag":"x"}',
    '[1 bench] @bench {"id":"a" @event {"event":"x"}'])
def test_a_damaged_fact_fails_the_run_and_is_named(launch, line):
    answer = launch(GOOD + line + "\n")
    assert answer.returncode == 1
    assert line in answer.stderr


def test_a_fact_without_a_line_end_is_kept(launch):
    assert launch(GOOD + '@test {"name":"last","ok":true}').facts[-1] == {"tag": "test", "name": "last", "ok": True}


@pytest.mark.parametrize("event, sentence", [
    ('{"event":"poweroff","status":3}', "The guest powered off with status 3."),
    ('{"event":"panic","core":1}', "The guest reported a panic"),
    ('{"event":"boot_failed","reason":"no monitor"}', "The machine did not start: no monitor."),
    ('{"event":"other"}', "stopped without powering itself off")])
def test_other_ends_are_failures(launch, event, sentence):
    answer = launch(f"Atoll starts.\nlast words\n@event {event}\n")
    assert answer.returncode == 1
    assert sentence in answer.stderr
    assert "The guest's last line: last words" in answer.stderr


def test_deaths_that_are_meant_are_no_failure(launch):
    assert launch('@event {"event":"deaths_are_meant"}\n@event {"event":"panic","core":1}\n' + GOOD).returncode == 0


def test_a_leak_is_a_failure(launch):
    leak = '@leak {"core":1,"ram_before":8192,"ram_after":4096,"caps_before":3,"caps_after":3}\n'
    answer = launch(GOOD + leak)
    assert answer.returncode == 1
    assert "core 1" in answer.stderr and "ram" in answer.stderr


def test_a_machine_that_hangs_is_stopped(launch):
    before = time.monotonic()
    answer = launch("Atoll starts.\n", "TIMEOUT=1", FAKE_CODE="hang")
    assert time.monotonic() - before < 20
    assert answer.returncode == 1
    assert "still running after 1 seconds" in answer.stderr


def test_qemu_s_own_complaint_is_shown(launch):
    answer = launch("", FAKE_CODE="1", FAKE_COMPLAINT="no such device")
    assert answer.returncode == 1
    assert "no such device" in answer.stderr


def test_the_shell_takes_its_input_from_a_pipe_too(launch):
    assert launch(GOOD, action="shell").returncode == 0


@pytest.mark.parametrize("words, sentence", [
    (["CORES=abc"], "CORES=abc is not a number."),
    (["CORES=-1"], "CORES=-1 is not a number."),
    (["CORES=0"], "CORES=0 is out of range: 1 to 255."),
    (["CORES=256"], "CORES=256 is out of range: 1 to 255."),
    (["CORES=2", "NODES=4"], "NODES=4 is more than CORES=2: every node needs a core."),
    (["NODES=0"], "NODES=0 is out of range: 1 to 128."),
    (["MEM=63M"], "MEM=63M is too little: at least 64M."),
    (["MEM=64M", "NODES=8"], "MEM=64M is too little for NODES=8: at least 16M each."),
    (["MEM=2"], "MEM=2 is not an amount of memory: write 512M or 2G."),
    (["MEM=90000G"], "MEM=90000G is more than this host's"),
    (["FIRMWARE=efi"], "FIRMWARE=efi is unknown: it is bios or uefi."),
    (["MACHINE=virt"], "MACHINE=virt is unknown: it is q35 or pc."),
    (["ACCEL=hvf"], "ACCEL=hvf is unknown: it is tcg or kvm."),
    (["ACCEL=kvm", "LENS=icount"], "does not go with ACCEL=kvm"),
    (["LENS=time"], "LENS=time is unknown: it is elapsed or icount."),
    (["CPU=z80"], "CPU=z80 is unknown: `qemu-system-x86_64 -cpu help` lists the models."),
    (["CPU=a b"], "CPU=a b is not the name of a processor model."),
    (["PIN=yes"], "PIN=yes is unknown: it is auto or on or off."),
    (["PIN=on", f"CORES={len(HOST) + 1}"], f"CORES={len(HOST) + 1} doesn't fit: this host has {len(HOST)} processor"),
    (["PIN=1", "TOPOLOGY=numa:2 core:2 pu:1"], "PIN=on does not go with TOPOLOGY=numa:2 core:2 pu:1, which is another machine than this one."),
    (["TOPOLOGY=numa:x"], "numa:x is not a description that hwloc understands"),
    (["TOPOLOGY=/nothing.xml"], "/nothing.xml can't be read: No such file or directory."),
    (["TOPOLOGY=numa:2(memory=1GB) core:2 pu:1", "CORES=2", "NODES=1", "MEM=1G"], "no node of numa:2(memory=1GB) core:2 pu:1 has 1024M"),
    (["THREADS=0"], "THREADS=0 is out of range: 1 to 255."),
    (["CORES=6", "SOCKETS=4"], "CORES=6 can't be dealt out evenly to SOCKETS=4, DIES=1 and THREADS=1."),
    (["PIN=on", "LENS=icount"], "PIN=on does not go with LENS=icount"),
    (["QEMU_EXTRA='"], "QEMU_EXTRA=' cannot be split into words"),
    (["APP=a\tb"], "has a character that is not printable ASCII"),
    (["APP=" + "x" * 1001], "longer than 1000 characters"),
    (["TIMEOUT=soon"], "TIMEOUT=soon is not a number."),
    (["NAME=../x"], "NAME=../x is not usable as the name of a result file."),
    (["NAME=latest"], "NAME=latest is taken"),
    (["COLOR=blue"], "COLOR=blue is not a setting"),
    (["COLOR"], "COLOR is not a setting")])
def test_senseless_settings_are_refused_in_a_sentence(launch, words, sentence):
    for action in ("check", "run"):
        answer = launch(GOOD, *words, action=action)
        assert answer.returncode == 2
        assert sentence in answer.stderr
        assert len(answer.stderr.splitlines()) == 1
    assert not (launch.directory / "results").exists()


def test_every_setting_is_explained(launch):
    text = (ROOT / "boot/help.txt").read_text(encoding="utf-8")
    refusal = launch(GOOD, "NONSENSE=1", action="check").stderr
    for name in refusal.partition("the settings are ")[2].rstrip(".\n").split(", "):
        assert f"  {name}=" in text


@pytest.mark.parametrize("word, sentence", [
    ("CORES=abc", "CORES=abc is not a number."), ("APP=it's\ta", "has a character that is not printable ASCII"),
    ("CORE=3", "CORE is not a setting: `make help` lists the settings")])
def test_make_refuses_before_it_builds(tmp_path, word, sentence):
    build = tmp_path / "build"
    answer = subprocess.run(["make", "-C", ROOT, "--no-print-directory", "run", word, f"BUILD={build}"], capture_output=True,
                            text=True, check=False, env={**os.environ, "MAKEFLAGS": ""})
    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert answer.stdout == "" and not build.exists()
