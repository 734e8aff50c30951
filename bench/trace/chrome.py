# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The trace for Perfetto (ui.perfetto.dev) and the Chrome tracing view, in the JSON that both read ("Trace Event Format").

A process is a core; its threads are: who runs there, by what the CPU driver says; the CPU driver's other events; and each program that
wrote events, with a bar for each message that it sent or received and an arrow from one to the other. An arrow needs bars at its ends, so a
message's has a length that means nothing: up to the writer's next event, at most a microsecond.
"""

import json
from pathlib import Path

from clocks import Clocks
from events import CALLS, FOREIGN_CALL, text_of
from join import Joined
from rings import Core, Happening, Writer

_BAR_US = 1.0
_LINES_OF_A_CORE = 100  # thread numbers; they must be different for different cores
_RUNNING = 0


class _File:
    """Records one by one: a trace may have millions."""

    def __init__(self, path: Path):
        self._out = path.open("w", encoding="utf-8")
        self._out.write('{"displayTimeUnit":"ns","traceEvents":[\n')
        self._separator = ""

    def add(self, phase: str, name: str, pid: int, tid: int, ts: float | None = None, **more) -> None:
        record = {"ph": phase, "name": name, "pid": pid, "tid": tid, **({} if ts is None else {"ts": round(ts, 4)}), **more}
        self._out.write(self._separator + json.dumps(record, separators=(",", ":")))
        self._separator = ",\n"

    def close(self) -> None:
        self._out.write("\n]}\n")
        self._out.close()


def write(path: Path, cores: list[Core], clocks: Clocks, joined: Joined) -> None:
    out = _File(path)
    titles = _titles(cores)
    ends = _ends(joined)
    for core in cores:
        out.add("M", "process_name", core.core, 0, args={"name": f"core {core.core}"})
        out.add("M", "process_sort_index", core.core, 0, args={"sort_index": core.core})
        out.add("M", "thread_name", core.core, _line(core.core, _RUNNING), args={"name": "running"})
        for writer in core.writers:
            if writer.happenings:
                _write_ring(out, writer, clocks, titles, ends)
    out.close()


def _line(core: int, number: int) -> int:
    return core * _LINES_OF_A_CORE + number


def _titles(cores: list[Core]) -> dict[int, str]:
    """What to call a dispatcher: its program, and its domain's number."""
    return {writer.dispatcher: writer.title for core in cores for writer in core.writers if writer.dispatcher}


def _ends(joined: Joined) -> dict[int, tuple[int, str]]:
    """Both ends of each message, by the event's identity, to the arrow's number and name."""
    found = {}
    for number, message in enumerate(joined.messages):
        found[id(message.send)] = found[id(message.receive)] = (number, message.kind)
    return found


def _us(clocks: Clocks, writer: Writer, happening: Happening) -> float:
    """Rounded once, here: a bar that were rounded up would reach into the next one."""
    return round(clocks.ns(writer.core, happening.time) / 1000, 4)


def _write_ring(out: _File, writer: Writer, clocks: Clocks, titles: dict[int, str], ends: dict[int, tuple[int, str]]) -> None:
    tid = _line(writer.core, writer.index + 1)
    out.add("M", "thread_name", writer.core, tid, args={"name": writer.title})
    if writer.kind == "DRIVER":
        _write_running(out, writer, clocks, titles)
    open_bars: list[str] = []
    times = [_us(clocks, writer, happening) for happening in writer.happenings]
    for happening, now, after in zip(writer.happenings, times, times[1:] + [times[-1] + _BAR_US]):
        if happening.event.name in ("send", "receive"):
            _write_end(out, writer, tid, happening, now, min(after - now, _BAR_US), ends.get(id(happening)))
        else:
            _write_event(out, writer, tid, happening, now, open_bars)
    for name in reversed(open_bars):
        out.add("E", name, writer.core, tid, times[-1])


def _write_running(out: _File, writer: Writer, clocks: Clocks, titles: dict[int, str]) -> None:
    """From each switch to the next switch, or to idling."""
    began, runs = 0.0, None
    for happening in writer.happenings:
        if happening.event.name not in ("switch", "idle"):
            continue
        now = _us(clocks, writer, happening)
        if runs is not None:
            out.add("X", runs, writer.core, _line(writer.core, _RUNNING), began, dur=round(now - began, 4))
        runs = None if happening.event.name == "idle" else titles.get(happening.c, text_of(happening.d))
        began = now


def _write_end(out: _File, writer: Writer, tid: int, happening: Happening, now: float, length: float, end: tuple[int, str] | None) -> None:
    """A message's bar, and its end of the arrow, if both ends are known."""
    name = happening.event.name
    out.add("X", f"{name} {end[1]}" if end else name, writer.core, tid, now, dur=round(length, 4), args=arguments(happening))
    if end:
        # Both bind to the bar that lies around them: the beginning of an arrow by itself, its end only if told so.
        binding = {"bp": "e"} if name == "receive" else {}
        out.add("f" if binding else "s", end[1], writer.core, tid, now, cat="message", id=end[0], **binding)


def _write_event(out: _File, writer: Writer, tid: int, happening: Happening, now: float, open_bars: list[str]) -> None:
    name = happening.event.name
    if name in ("switch", "idle"):
        return  # _write_running
    if name == "count":
        label = text_of(happening.d)
        out.add("C", f"{writer.title} {label}", writer.core, tid, now, args={label: happening.c})
    elif name == "begin":
        open_bars.append(text_of(happening.c, happening.d))
        out.add("B", open_bars[-1], writer.core, tid, now, args={"value": happening.b})
    elif name == "end":
        # One whose begin has been overwritten has no bar; one that ends another's bar ends all within.
        label = text_of(happening.c, happening.d)
        while label in open_bars:
            ended = open_bars.pop()
            out.add("E", ended, writer.core, tid, now)
            if ended == label:
                break
    else:
        out.add("i", _label(happening), writer.core, tid, now, s="t", args=arguments(happening))


def _label(happening: Happening) -> str:
    if happening.event.name == "mark":
        return text_of(happening.c, happening.d)
    if happening.event.name == "call":
        known = "foreign call" if happening.a == FOREIGN_CALL else CALLS[happening.a] if happening.a < len(CALLS) else "?"
        return known
    return happening.event.name


def arguments(happening: Happening) -> dict:
    """Names to values, as a person wants to read them."""
    found = {}
    for argument in happening.event.arguments:
        value = getattr(happening, argument.place)
        if argument.kind == "NAME":
            found[argument.name] = text_of(happening.c, happening.d)
        elif argument.kind == "TEXT":
            found[argument.name] = text_of(value)
        else:
            found[argument.name] = hex(value) if argument.kind == "HEX" else value
    return found
