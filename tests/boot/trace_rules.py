# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What a trace in JSON has to keep to so that Perfetto and the Chrome tracing view show all of it: the "Trace Event Format", and what Perfetto
drops without a word, as its trace processor has it.
"""

import json
from collections import Counter
from pathlib import Path

NEEDED = {"M": set(), "X": {"ts", "dur"}, "B": {"ts"}, "E": {"ts"}, "i": {"ts", "s"}, "C": {"ts", "args"}, "s": {"ts", "id", "cat"},
          "f": {"ts", "id", "cat", "bp"}}
METADATA = {"process_name": ("name", str), "thread_name": ("name", str), "process_sort_index": ("sort_index", int)}


def broken_rules(path: Path) -> list[str]:
    """A sentence for each thing that is not as it must be."""
    trace = json.loads(path.read_text(encoding="utf-8"))
    records = trace["traceEvents"]
    broken = [] if trace.get("displayTimeUnit", "ms") in ("ms", "ns") else ["The unit of time is none that readers know."]
    for record in records:
        broken += _form(record)
    return broken or [*_names(records), *_bars(records), *_arrows(records)]


def _number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _form(record: dict) -> list[str]:
    """Of a record by itself."""
    phase = record.get("ph")
    if phase not in NEEDED:
        return [f"{record} has no phase that readers know."]
    wrong = [f"{key} is missing" for key in NEEDED[phase] - record.keys()]
    wrong += [f"{key} is no whole number" for key in ("pid", "tid") if not isinstance(record.get(key), int)]
    wrong += ["its name is no text"] if not isinstance(record.get("name"), str) or not record["name"] else []
    wrong += [f"{key} is no number" for key in ("ts", "dur") if key in record and not _number(record[key])]
    wrong += ["it ends before it begins"] if _number(record.get("dur")) and record["dur"] < 0 else []
    wrong += ["its scope is none"] if phase == "i" and record.get("s") not in ("g", "p", "t") else []
    wrong += ["its values are no numbers"] if phase == "C" and not all(map(_number, record.get("args", {}).values())) else []
    if phase == "M":
        key, kind = METADATA.get(record["name"], ("", str))
        wrong += ["it describes nothing"] if not isinstance(record.get("args", {}).get(key), kind) else []
    return [f"{record}: {why}." for why in wrong]


def _names(records: list[dict]) -> list[str]:
    """Every process and thread has one name, and a thread is of one process."""
    given = Counter((r["name"], r["pid"], r["tid"]) for r in records if r["ph"] == "M")
    broken = [f"{what} is said {count} times." for what, count in given.items() if count > 1]
    threads = {(r["pid"], r["tid"]) for r in records if r["ph"] != "M"}
    broken += [f"Thread {tid} has no name." for pid, tid in threads if ("thread_name", pid, tid) not in given]
    broken += [f"Process {pid} has no name." for pid in {pid for pid, _ in threads} if ("process_name", pid, 0) not in given]
    return broken + [f"Thread {tid} is of several processes." for tid, n in Counter(tid for _, tid in threads).items() if n > 1]


def _bars(records: list[dict]) -> list[str]:
    """Of a thread: begun and ended in order, and none reaches out of the one around it."""
    broken, open_bars, last = [], {}, {}
    for record in records:
        if record["ph"] not in "XBE":
            continue
        tid, ts = record["tid"], record["ts"]
        bars = open_bars.setdefault(tid, [])
        if ts < last.get(tid, ts):
            broken.append(f"{record} stands behind a later one of its thread.")
        last[tid] = ts
        while bars and bars[-1][1] is not None and bars[-1][1] <= ts + 1e-6:
            bars.pop()
        if record["ph"] == "E":
            if not bars or bars.pop()[0] != record["name"]:
                broken.append(f"{record} ends what did not begin.")
            continue
        end = round(ts + record["dur"], 4) if record["ph"] == "X" else None
        if any(around is not None and (end is None or end > around + 1e-6) for _, around in bars):
            broken.append(f"{record} reaches out of the bar around it.")
        bars.append((record["name"], end))
    return broken + [f"{name} of thread {tid} never ends." for tid, bars in open_bars.items() for name, end in bars if end is None]


def _arrows(records: list[dict]) -> list[str]:
    """Each has one beginning, then one end, not before it; both lie on a bar that was told of before."""
    broken, begun, ended = [], {}, set()
    bars = {}
    for record in records:
        if record["ph"] == "X":
            bars.setdefault(record["tid"], set()).add(record["ts"])
        if record["ph"] not in "sf":
            continue
        identity = record["cat"], record["name"], record["id"]
        if record["ts"] not in bars.get(record["tid"], ()):
            broken.append(f"{record} lies on no bar.")
        if record["ph"] == "s":
            if identity in begun:
                broken.append(f"{record} has begun before.")
            begun[identity] = record["ts"]
        elif identity not in begun or identity in ended or record["bp"] != "e" or record["ts"] < begun[identity]:
            broken.append(f"{record} ends no arrow that has begun.")
        else:
            ended.add(identity)
    return broken + [f"The arrow {identity} has no end." for identity in begun.keys() - ended]
