# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The exporter of traces (bench/trace), with areas that are made here, some of them bad."""

import dataclasses
import json
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench/trace"), str(ROOT / "tests/boot")]

import clocks  # noqa: E402
import events  # noqa: E402
import join  # noqa: E402
import lives  # noqa: E402
import local  # noqa: E402
import memory  # noqa: E402
import rings  # noqa: E402
from trace_rules import broken_rules  # noqa: E402

HZ = 2_000_000_000  # two ticks are a nanosecond
START = 1_000_000
SLOTS = 128  # of each ring; a power of two, so that rings end where pages do
RING = 4096 + 32 * SLOTS
DIRECTORY = RING
WRITERS = 4
TABLE = events.events()
NUMBER = {event.name: event.number for event in TABLE.values()}
CHANNEL = 0x118000


def event(time: int, name: str, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> bytes:
    """`time` in ticks since the start."""
    return struct.pack("<QHHIQQ", START + time, NUMBER.get(name, 0), a, b, c, d)


def ring(written: list[bytes], head: int | None = None, magic: int = rings.RING_MAGIC) -> bytearray:
    data = bytearray(RING)
    struct.pack_into("<QQQ", data, 0, len(written) if head is None else head, SLOTS - 1, magic)
    for number, one in enumerate(written):
        at = 4096 + 32 * (number % SLOTS)
        data[at:at + 32] = one
    return data


def area(core: int, driver=(), monitor=(), programs=(), **wrong) -> bytearray:
    """`programs`: (domain, name, ring)."""
    owners = [(0, "CPU driver", ring(list(driver))), (0, "monitor", ring(list(monitor))), *programs]
    head = {"magic": rings.MAGIC, "version": rings.VERSION, "writers": WRITERS, **wrong}
    page = bytearray(4096)
    struct.pack_into("<QIIQQIII", page, 0, head["magic"], head["version"], core, HZ, START, head["writers"], 0, 0)
    data = bytearray(owners[0][2]) + page
    for index in range(WRITERS):
        offset = 0 if index == 0 else DIRECTORY + 4096 + (index - 1) * RING
        domain, name, content = owners[index] if index < len(owners) else (0, "", bytearray(RING))
        state = rings.IN_USE if index < len(owners) else rings.FREE
        struct.pack_into("<QQQQII24s", data, DIRECTORY + 64 * (index + 1), offset, RING, 0x1000 * (core * 10 + index), START, domain, state,
                         name.encode())
        if index > 0:
            data += content
    return data


def read(core: int, data: bytes) -> rings.Core:
    return rings.read_core(f"core-{core}.area", bytes(data), DIRECTORY, TABLE)


def program(core: rings.Core, name: str) -> rings.Writer:
    return next(writer for writer in core.writers if writer.name == name)


def send(time: int, sequence: int, channel: int = CHANNEL, kind: int = 1) -> bytes:
    return event(time, "send", kind, sequence, channel, 0)


def receive(time: int, sequence: int, channel: int = CHANNEL, kind: int = 1) -> bytes:
    return event(time, "receive", kind, sequence, channel, 0)


# ---- The layout -------------------------------------------------------------------------------------------------------

def test_the_layout_is_that_of_the_header(tmp_path):
    """Sizes and places that the compiler has for cpudriver/abi/trace.h."""
    source = tmp_path / "layout.c"
    source.write_text("""#include <stdio.h>
        #include "cpudriver/abi/memory_map.h"
        #include "cpudriver/abi/trace.h"
        #define AT(type, field) (unsigned)offsetof(struct type, field)
        int main(void) {
            printf("%zu %u %u %u %u ", sizeof(struct trace_event), AT(trace_event, number), AT(trace_event, a), AT(trace_event, b),
                   AT(trace_event, d));
            printf("%u %u %u ", AT(trace_ring, mask), AT(trace_ring, magic), AT(trace_ring, event));
            printf("%u %u %u %u ", AT(trace_directory, core), AT(trace_directory, writers), AT(trace_directory, reused),
                   AT(trace_directory, writer));
            printf("%u %u %u ", AT(trace_writer, domain), AT(trace_writer, state), AT(trace_writer, name));
            printf("%lu %lu %d %d ", (unsigned long)TRACE_MAGIC, (unsigned long)TRACE_RING_MAGIC, TRACE_VERSION, TRACE_RETIRED);
            printf("%lu\\n", (unsigned long)WINDOW_BYTES - 1);
        }""", encoding="utf-8")
    subprocess.run(["gcc", "-std=c17", f"-I{ROOT}", str(source), "-o", str(tmp_path / "layout")], check=True)
    printed = subprocess.run([tmp_path / "layout"], capture_output=True, text=True, check=True).stdout.split()
    expected = [32, 8, 10, 12, 24, 8, 16, 4096, 12, 32, 40, 64, 32, 36, 40, rings.MAGIC, rings.RING_MAGIC, rings.VERSION, rings.RETIRED,
                local.TOKEN_ADDRESS]
    assert [int(word) for word in printed] == expected


def test_the_tables_of_the_system_are_read():
    assert TABLE[NUMBER["fault"]].arguments == (
        events.Argument("vector", "DEC", "a"), events.Argument("error", "HEX", "b"), events.Argument("address", "HEX", "c"),
        events.Argument("rip", "HEX", "d"))
    names = events.messages()
    assert names[0, 1] == "monitors.up" and names[0, 100] == "monitors.copy" and names[1, 1] == "span.run" and names[6, 1] == "tidings.spawned"


# ---- Rings ------------------------------------------------------------------------------------------------------------

def test_events_are_read_in_the_order_of_their_times():
    core = read(3, area(3, driver=[event(10, "idle")], programs=[(7, "app", ring([event(30, "mark"), event(20, "end")]))]))
    assert (core.core, core.tsc_hz, core.start_tsc) == (3, HZ, START)
    assert [writer.title for writer in core.writers] == ["CPU driver", "monitor", "app (7)"]
    assert [happening.event.name for happening in program(core, "app").happenings] == ["end", "mark"]


def test_a_full_ring_has_the_newest():
    written = [event(time, "mark", b=time) for time in range(3 * SLOTS + 5)]
    app = program(read(0, area(0, driver=[event(99, "idle")], programs=[(7, "app", ring(written))])), "app")
    assert app.overwritten == 2 * SLOTS + 5
    assert [happening.b for happening in app.happenings] == list(range(2 * SLOTS + 5, 3 * SLOTS + 5))


def test_an_event_that_was_begun_and_not_ended_is_left_out():
    app = program(read(0, area(0, driver=[event(9, "idle")], programs=[(7, "app", ring([event(1, "mark"), bytes(32)]))])), "app")
    assert app.spoilt is None and len(app.happenings) == 1


SPOILT = {
    "its header is not as the system wrote it": ring([event(1, "mark")], magic=5),
    "its header counts 18446744073709551615 events": ring([event(1, "mark")], head=(1 << 64) - 1),
    "it has an event number 777, which there is not": ring([struct.pack("<QHHIQQ", START, 777, 0, 0, 0, 0)]),
    f"it has an event number {NUMBER['switch']} that only others write": ring([event(1, "switch")]),
    "it counts 128 events that were never written": ring([], head=SLOTS),
    "it has events of a time when it did not run": ring([event(3 * HZ, "mark")]),
    "it has events of a time when it did not run.": ring([struct.pack("<QHHIQQ", 1, NUMBER["mark"], 0, 0, 0, 0)]),
}


@pytest.mark.parametrize("why", SPOILT)
def test_a_spoilt_ring_is_left_out_and_the_others_are_not(why):
    core = read(1, area(1, driver=[event(5, "idle")], programs=[(7, "bad", SPOILT[why]), (8, "good", ring([event(1, "mark")]))]))
    bad = program(core, "bad")
    assert bad.spoilt.startswith("The ring of bad (7) on core 1 is spoilt and left out: ") and why.rstrip(".") in bad.spoilt
    assert not bad.happenings and len(program(core, "good").happenings) == 1


def test_names_are_shown_whatever_they_are():
    core = read(0, area(0, driver=[event(1, "idle")], programs=[(7, "a\x1b[31m\xff", ring([event(1, "mark", c=0xff1b)]))]))
    assert core.writers[2].name == "a?[31m??"
    assert events.text_of(0xff1b) == "??"


GOOD = area(0, driver=[event(5, "idle")])
BAD = {
    "ends before its directory": GOOD[:DIRECTORY + 10],
    f"it has {len(GOOD) - 1} bytes": area(0, programs=[(7, "a", ring([])), (8, "b", ring([]))])[:-1],
    "has no trace directory": area(0, magic=1),
    "is of version 9; this exporter reads version 1": area(0, version=9),
    "has a damaged directory": area(0, writers=1),
}


@pytest.mark.parametrize("why", BAD)
def test_a_bad_area_is_a_sentence(why):
    with pytest.raises(rings.BadTrace, match="core-0.area") as raised:
        read(0, BAD[why])
    assert why in str(raised.value) and str(raised.value).endswith(".")


# ---- Cores that die ---------------------------------------------------------------------------------------------------

def told(core: int, base: int) -> dict:
    return {"tag": "trace", "core": core, "base": base, "bytes": 100, "directory": DIRECTORY}


def test_a_core_has_a_trace_for_each_of_its_lives():
    panic = {"tag": "event", "event": "panic", "core": 2, "vector": 14}
    suspicions = [{"tag": "event", "event": "core_suspected", "core": 2, "silent_us": us} for us in (25_000, 80_000, 0)]
    found = lives.lives([told(2, 1000), told(1, 0), panic, suspicions[0], told(2, 1200), suspicions[1], told(2, 1090), suspicions[2]])
    assert [(life.core, life.number, life.file) for life in found] == [
        (1, 0, "core-1.area"), (2, 0, "core-2.area"), (2, 1, "core-2.1.area"), (2, 2, "core-2.2.area")]
    assert [life.death for life in found] == [
        None, "its CPU driver took exception 14", "it was silent for 80 ms", "it broke the rules"]
    assert [life.gone for life in found] == [False, True, False, False]


def test_what_a_dead_core_left_is_exported(tmp_path):
    facts = [told(0, 0), told(1, 1000), {"tag": "event", "event": "core_suspected", "core": 1, "silent_us": 80_000}, told(1, 2000)]
    (tmp_path / "facts.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in facts), encoding="utf-8")
    (tmp_path / "core-0.area").write_bytes(area(0, driver=[event(8, "idle")], monitor=[receive(50, 16), receive(35000, 17)]))
    (tmp_path / "core-1.area").write_bytes(area(1, driver=[event(8, "idle")], monitor=[send(40, 16), send(10000, 20)]))
    (tmp_path / "core-1.1.area").write_bytes(area(1, driver=[event(30000, "idle")], monitor=[send(34000, 17)]))
    answer = export(tmp_path)
    assert answer.returncode == 0 and answer.stderr == ""
    assert "Core 1 died: it was silent for 80 ms; its trace ends at 0.005 ms." in answer.stdout
    assert "Core 1, started again: 2 events" in answer.stdout and "2 messages were joined, 2 of them between cores" in answer.stdout
    assert len(list((tmp_path / "ctf").glob("core-001-*"))) == 4
    assert not broken_rules(tmp_path / "trace.json")


# ---- Clocks and messages ----------------------------------------------------------------------------------------------

def clock(**offsets) -> clocks.Clocks:
    """core1=(offset, error)."""
    found = {int(name[4:]): clocks.Clock(*value) for name, value in offsets.items()}
    return clocks.Clocks(HZ, START, {0: clocks.Clock(0, 0), **found})


def two_cores(first: list[bytes], second: list[bytes]) -> list[rings.Core]:
    return [read(core, area(core, driver=[event(10 ** 8, "idle")], monitor=written)) for core, written in ((0, first), (1, second))]


def test_times_are_those_of_the_first_core():
    facts = [{"tag": "clock", "core": 1, "to": 0, "offset_ticks": 500, "error_ticks": 30, "ticks_per_second": HZ}]
    found = clocks.measure(two_cores([], []), facts)
    assert found.ns(0, START + 2000) == 1000 and found.ns(1, START + 2500) == 1000
    assert found.error_ns(0) == 0 and found.error_ns(1) == 15


def test_a_core_that_nobody_measured_is_unknown():
    assert clocks.measure(two_cores([], []), []).error_ns(1) is None


def test_messages_make_a_clock_better():
    """The counter of core 1 is really 100 ahead; it was measured as 110 with an error of 50. A message there takes 20 ticks, one back 40."""
    cores = two_cores([send(1000, 16), receive(2040, 16, 0x9000)], [receive(1120, 16), send(2100, 16, 0x9000)])
    found = clock(core1=(110, 50))
    joined = join.join(cores, found, {})
    better = clocks.tighten(found, join.least_latencies(joined, found))
    low, high = better.clock[1].offset - better.clock[1].error, better.clock[1].offset + better.clock[1].error
    assert low <= 100 <= high and (low, high) == (60, 120)


def test_measurements_that_contradict_the_messages_stay_as_they_are():
    found = clock(core1=(110, 5))
    assert clocks.tighten(found, {(0, 1): -100.0, (1, 0): 40.0}).clock[1] == found.clock[1]


def test_a_receive_belongs_to_the_latest_send_of_its_ring_and_sequence():
    """Sequences come again, and another ring has the same ones."""
    cores = two_cores([send(100, 16), send(200, 16, 0x9000), send(300, 16)], [receive(150, 16), receive(250, 16, 0x9000), receive(350, 16)])
    joined = join.join(cores, clock(core1=(0, 0)), {(0, 1): "monitors.up"})
    assert [(m.send.time - START, m.receive.time - START, m.kind) for m in joined.messages] == [
        (100, 150, "monitors.up"), (200, 250, "monitors.up"), (300, 350, "monitors.up")]
    assert joined.alone == 0 and joined.backwards == 0


def test_ends_without_another_half_stay_alone():
    cores = two_cores([send(100, 16), send(200, 17), send(0, 40, channel=0)], [receive(50, 16), receive(250, 17), receive(260, 17)])
    joined = join.join(cores, clock(core1=(0, 0)), {})
    assert [m.send.b for m in joined.messages] == [17]
    assert joined.alone == 3


def test_what_is_backwards_within_the_error_is_joined_and_counted():
    cores = two_cores([send(100, 16)], [receive(90, 16)])
    assert not join.join(cores, clock(core1=(0, 5)), {}).messages
    joined = join.join(cores, clock(core1=(0, 20)), {})
    assert len(joined.messages) == 1 and joined.backwards == 1


def test_causes():
    """Core 0 asks, core 1 answers, core 0 asks again because of the answer."""
    cores = two_cores([send(100, 1), receive(400, 1, 0x9000), send(500, 2)], [receive(200, 1), send(300, 1, 0x9000), receive(600, 2)])
    joined = join.join(cores, clock(core1=(0, 0)), {})
    records = join.records(join.crossing(joined), clock(core1=(0, 0)))
    assert [(record["from"], record["to"], record["cause"]) for record in records] == [(0, 1, None), (1, 0, 0), (0, 1, 1)]
    assert [(record["send_ns"], record["receive_ns"]) for record in records] == [(50.0, 100.0), (150.0, 200.0), (250.0, 300.0)]


def crossing(name: str, time: int, dispatcher: int, token: int, at_once: int = 1) -> bytes:
    return event(time, name, at_once, 0, dispatcher, token)


def test_calls_within_a_core_lead_from_program_to_program():
    """The first is delivered at once, the second stands in the queue first, the third gives up there, and one that was there before the trace
    begins is answered. The programs' dispatchers are where `area` puts them."""
    client, server, count = 0x2000, 0x3000, 1 << 44
    driver = [crossing("leave", 5, client, client), crossing("enter", 10, server, client + count), crossing("leave", 20, client, client + count),
              crossing("queue", 30, server, client + 2 * count), crossing("enter", 40, server, client + 2 * count, 0),
              crossing("leave", 50, client, client + 2 * count, 0), crossing("queue", 60, server, client + 3 * count),
              event(70, "wake", c=client), crossing("enter", 80, server, client + 3 * count), crossing("enter", 90, 0x9000, server + count)]
    core = read(0, area(0, driver=driver, programs=[(7, "client", ring([event(1, "mark")])), (8, "server", ring([event(1, "mark")]))]))
    found = [(message.kind, message.sender.name, message.send.time - START, message.receiver.name, message.receive.time - START)
             for message in local.messages(core)]
    assert found == [("call", "client", 10, "server", 10), ("reply", "server", 20, "client", 20), ("call", "client", 30, "server", 40),
                     ("reply", "server", 50, "client", 50), ("call", "client", 80, "server", 80)]


def test_a_call_belongs_to_who_had_the_dispatcher_then():
    """What a program's dispatcher lay in may be another program's later."""
    core = read(0, area(0, driver=[crossing("enter", 10, 0x1000, 0x2000)], monitor=[send(1, 1)], programs=[(7, "old", ring([event(1, "mark")]))]))
    heir = dataclasses.replace(core.writers[2], name="new", begun=START + 11)
    core.writers.append(heir)
    assert [message.sender.name for message in local.messages(core)] == ["old"]
    heir.begun = START + 9
    assert [message.sender.name for message in local.messages(core)] == ["new"]


# ---- The guest's memory -----------------------------------------------------------------------------------------------

def test_areas_are_found_in_the_files_of_the_guests_memory(tmp_path):
    """Two nodes, of which the second one's memory lies half below the hole and half above 4 GiB."""
    (tmp_path / "m0").write_bytes(b"a" * 100)
    (tmp_path / "m1").write_bytes(b"b" * 50 + b"c" * 50)
    layout = {"below": 150, "above": 1 << 32, "files": [{"name": "m0", "bytes": 100}, {"name": "m1", "bytes": 100}]}
    assert memory.read(tmp_path, layout, 90, 20) == b"a" * 10 + b"b" * 10
    assert memory.read(tmp_path, layout, 100, 50) == b"b" * 50
    assert memory.read(tmp_path, layout, 1 << 32, 50) == b"c" * 50
    assert memory.read(tmp_path, layout, (1 << 32) + 40, 50) == b"c" * 10


# ---- All of it --------------------------------------------------------------------------------------------------------

def export(directory: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, ROOT / "bench/trace/export.py", directory], capture_output=True, text=True, check=False)


def make(directory: Path, areas: dict[int, bytes]) -> None:
    facts = [{"tag": "provenance", "revision": "abc", "date": "2026-11-21T10:00:00Z"}]
    for core, data in areas.items():
        facts.append({"tag": "trace", "core": core, "base": 0, "bytes": len(data), "directory": DIRECTORY})
        (directory / f"core-{core}.area").write_bytes(data)
    facts.append({"tag": "clock", "core": 1, "to": 0, "offset_ticks": 0, "error_ticks": 30, "ticks_per_second": HZ})
    (directory / "facts.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in facts), encoding="utf-8")


def test_what_is_exported(tmp_path):
    name = int.from_bytes(b"sort\0\0\0\0", "little")
    bars = [event(10, "begin", c=name), event(20, "count", c=5, d=name), event(30, "begin", c=name), event(40, "end", c=1), event(50, "mark")]
    make(tmp_path, {0: area(0, driver=[event(1, "switch", c=0x3000), event(60, "idle")], monitor=[send(100, 16)],
                            programs=[(7, 'app"\\', ring(bars))]),
                    1: area(1, driver=[event(300, "idle")], monitor=[receive(200, 16)])})
    answer = export(tmp_path)
    assert answer.returncode == 0 and answer.stderr == ""
    assert "Core 1: 2 events, 0 older ones overwritten; its clock is known to within 15 ns." in answer.stdout
    assert "1 messages were joined, 1 of them between cores" in answer.stdout

    read_by = subprocess.run(["babeltrace2", tmp_path / "ctf"], capture_output=True, text=True, check=False)
    assert read_by.returncode == 0 and read_by.stderr == "" and len(read_by.stdout.splitlines()) == 10
    records = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    phases = [record["ph"] for record in records]
    assert phases.count("B") == phases.count("E") == 2 and phases.count("s") == phases.count("f") == phases.count("C") == 1
    assert [record["dur"] for record in records if record["name"] == 'monitor' and record["ph"] == "X"] == []
    assert json.loads((tmp_path / "messages.json").read_text(encoding="utf-8")) == [
        {"from": 0, "to": 1, "send_ns": 50.0, "receive_ns": 100.0, "cause": None, "kind": "monitors.up"}]
    assert not broken_rules(tmp_path / "trace.json")
    assert export(tmp_path).returncode == 0  # once more, over what is there


def test_bars_and_arrows_keep_to_the_rules(tmp_path):
    """A message within a bar that never ends, and one that seems to arrive before it was sent."""
    name = int.from_bytes(b"work\0\0\0\0", "little")
    make(tmp_path, {0: area(0, driver=[event(1, "idle"), event(900, "idle")], programs=[
                        (7, "app", ring([event(10, "begin", c=name), send(20, 1)]))]),
                    1: area(1, driver=[event(1, "idle"), event(900, "idle")], monitor=[receive(10, 1)])})
    answer = export(tmp_path)
    assert "and 1 seem to arrive before they were sent" in answer.stdout
    assert not broken_rules(tmp_path / "trace.json")
    phases = Counter(record["ph"] for record in json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"])
    assert phases["B"] == phases["E"] == 1 and phases["s"] == phases["f"] == 0


GOOD_TRACE = [{"ph": "M", "name": "process_name", "pid": 0, "tid": 0, "args": {"name": "core 0"}},
              *({"ph": "M", "name": "thread_name", "pid": 0, "tid": tid, "args": {"name": f"line {tid}"}} for tid in (1, 2)),
              {"ph": "B", "name": "work", "pid": 0, "tid": 1, "ts": 5}, {"ph": "X", "name": "send", "pid": 0, "tid": 1, "ts": 10, "dur": 1},
              {"ph": "E", "name": "work", "pid": 0, "tid": 1, "ts": 11}, {"ph": "X", "name": "receive", "pid": 0, "tid": 2, "ts": 10, "dur": 0},
              {"ph": "s", "name": "m", "cat": "message", "pid": 0, "tid": 1, "ts": 10, "id": 1},
              {"ph": "f", "name": "m", "cat": "message", "pid": 0, "tid": 2, "ts": 10, "id": 1, "bp": "e"}]
BREAKS = {"no phase": {"ph": "Z"}, "no whole number": {"tid": 1.5}, "no number": {"ts": "now"}, "is missing": {"dur": None},
          "ends before": {"dur": -1}, "ends what did not begin": {"dur": 9}, "later one": {"ts": 4},
          "lies on no bar": {"ts": 9}, "has no name": {"tid": 9}}


@pytest.mark.parametrize("why", BREAKS)
def test_the_rules_find_what_breaks_them(tmp_path, why):
    for at, change in ((None, {}), (4, BREAKS[why])):
        records = [dict(record) for record in GOOD_TRACE]
        if at is not None:
            records[at] = {key: value for key, value in {**records[at], **change}.items() if value is not None}
        (tmp_path / "trace.json").write_text(json.dumps({"traceEvents": records}), encoding="utf-8")
        broken = " ".join(broken_rules(tmp_path / "trace.json"))
        assert (why in broken) if at is not None else broken == ""


def test_the_rules_want_arrows_in_order_and_bars_within_bars(tmp_path):
    bars = [{"ph": "X", "name": "bar", "pid": 0, "tid": 2, "ts": ts, "dur": 3} for ts in (20, 22)]
    for records in ([*GOOD_TRACE[:7], GOOD_TRACE[8], GOOD_TRACE[7]], GOOD_TRACE[:8], [*GOOD_TRACE, GOOD_TRACE[8]], [*GOOD_TRACE, *bars]):
        (tmp_path / "trace.json").write_text(json.dumps({"traceEvents": records}), encoding="utf-8")
        assert broken_rules(tmp_path / "trace.json")


REFUSALS = {
    "can't be read: No such file or directory": {},
    "not every line of it is JSON": {"facts.jsonl": b"{"},
    "was it started with trace=on": {"facts.jsonl": b'{"tag":"provenance"}\n'},
    "core-0.area does not exist": {"facts.jsonl": b'{"tag":"trace","core":0,"base":0,"bytes":9,"directory":9}\n'},
    "has no layout.json": {"facts.jsonl": b'{"tag":"trace","core":0,"base":0,"bytes":9,"directory":9}\n', "memory/x": b""},
}


@pytest.mark.parametrize("why", REFUSALS)
def test_nothing_to_export_is_a_sentence(tmp_path, why):
    for name, content in REFUSALS[why].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    answer = export(tmp_path)
    assert answer.returncode == 2 and why in answer.stderr and "Traceback" not in answer.stderr


def test_damage_at_any_place_is_never_more_than_a_sentence(tmp_path):
    """Each word of the directory and of the rings' headers is replaced by each of some values."""
    good = area(0, driver=[event(5, "idle"), event(6, "switch")], monitor=[send(3, 1)], programs=[(7, "app", ring([event(1, "mark")]))])
    places = [*range(0, 24, 8), *range(DIRECTORY, DIRECTORY + 64 * 5, 8), *range(DIRECTORY + 4096, DIRECTORY + 4096 + 24, 8)]
    for at in places:
        for value in (0, 1, 0xffffffff, (1 << 63) + 5, (1 << 64) - 1):
            data = bytearray(good)
            struct.pack_into("<Q", data, at, value)
            try:
                read(0, data)
            except rings.BadTrace as refusal:
                assert str(refusal).endswith(".")
