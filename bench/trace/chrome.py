# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The trace for Perfetto (ui.perfetto.dev) and the Chrome tracing view, in the JSON that both read ("Trace Event Format").

A process is a core, or one of its lives if it died and was started again; its threads are: who runs there, by what the CPU driver says;
the CPU driver's other events; and each program that wrote events, with a bar for each message or call that it sent or received and an
arrow from one to the other. An arrow needs bars at its ends, so a message's has a length that means nothing: up to the writer's next
event, at most a microsecond. Readers want to have seen the bars before the arrows, and an arrow's beginning before its end; so arrows
come last, and one that would lead back in time, as the clocks' error may have it, is left out.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from clocks import Clocks
from events import CALLS, FOREIGN_CALL, text_of
from join import Joined
from rings import Core, Happening, Writer

_BAR_US = 1.0
_LINES_OF_A_CORE = 100  # thread numbers; they must be different for different cores
_CORES_MOST = 1000
_RUNNING = 0


class _File:
    """Records one by one: a trace may have millions."""

    def __init__(self, path: Path):
        self._out = path.open("w", encoding="utf-8")
        self._out.write('{"displayTimeUnit":"ns","traceEvents":[\n')
        self._separator = ""

    def add(self, phase: str, name: str, pid: int, tid: int, ts: float | None = None, **more) -> None:
        record = {"ph": phase, "name": name or "?", "pid": pid, "tid": tid, **({} if ts is None else {"ts": round(ts, 4)}), **more}
        self._out.write(self._separator + json.dumps(record, separators=(",", ":")))
        self._separator = ",\n"

    def close(self) -> None:
        self._out.write("\n]}\n")
        self._out.close()


@dataclass(frozen=True)
class _Line:
    """A row of the picture."""
    out: _File
    pid: int
    number: int

    @property
    def tid(self) -> int:
        return self.pid * _LINES_OF_A_CORE + self.number

    def add(self, phase: str, name: str, ts: float | None = None, **more) -> None:
        self.out.add(phase, name, self.pid, self.tid, ts, **more)

    def bar(self, name: str, begin: float, end: float, **more) -> None:
        self.add("X", name, begin, dur=round(end - begin, 4), **more)


class _Arrows:
    """What is known of each message's two ends."""

    def __init__(self, joined: Joined):
        self._kinds = [message.kind for message in joined.messages]
        self._number = {id(end): number for number, message in enumerate(joined.messages) for end in (message.send, message.receive)}
        self._ends: dict[tuple[int, str], tuple[_Line, float]] = {}
        self._others: dict[int, list[Happening]] = defaultdict(list)
        for message in joined.messages:
            for writer, end in ((message.sender, message.send), (message.receiver, message.receive)):
                if "DRIVER" in end.event.writers:
                    self._others[id(writer)].append(end)

    def happenings(self, writer: Writer) -> list[Happening]:
        """What the writer has written, and what the CPU driver has of its calls, by time."""
        return sorted([*writer.happenings, *self._others[id(writer)]], key=lambda happening: happening.time)

    def end(self, line: _Line, happening: Happening, now: float) -> str | None:
        """What the message is called, if both its ends are known."""
        number = self._number.get(id(happening))
        if number is None:
            return None
        self._ends[number, happening.event.name] = (line, now)
        return self._kinds[number]

    def write(self) -> None:
        for number, kind in enumerate(self._kinds):
            (sender, sent), (receiver, received) = self._ends[number, "send"], self._ends[number, "receive"]
            if sent <= received:
                sender.add("s", kind, sent, cat="message", id=number)
                receiver.add("f", kind, received, cat="message", id=number, bp="e")


def write(path: Path, cores: list[Core], clocks: Clocks, joined: Joined) -> None:
    out = _File(path)
    titles, arrows = _titles(cores), _Arrows(joined)
    for core in cores:
        pid = core.life * _CORES_MOST + core.core
        running = _Line(out, pid, _RUNNING)
        out.add("M", "process_name", pid, 0, args={"name": core.title.lower()})
        out.add("M", "process_sort_index", pid, 0, args={"sort_index": core.core * _CORES_MOST + core.life})
        running.add("M", "thread_name", args={"name": "running"})
        for writer in core.writers:
            if not writer.happenings:
                continue
            if writer.kind == "DRIVER":
                _write_running(running, writer, clocks, titles)
            _write_ring(_Line(out, pid, writer.index + 1), writer, clocks, arrows)
        if core.death and core.end is not None:
            running.add("i", f"died: {core.death}", _rounded(clocks.ns(core.core, core.end)), s="p")
    arrows.write()
    out.close()


def _titles(cores: list[Core]) -> dict[int, str]:
    """What to call a dispatcher: its program, and its domain's number."""
    return {writer.dispatcher: writer.title for core in cores for writer in core.writers if writer.dispatcher}


def _rounded(ns: float) -> float:
    """Microseconds. Rounded once, here: a bar that were rounded up would reach into the next one."""
    return round(ns / 1000, 4)


def _us(clocks: Clocks, writer: Writer, happening: Happening) -> float:
    return _rounded(clocks.ns(writer.core, happening.time))


def _write_ring(line: _Line, writer: Writer, clocks: Clocks, arrows: _Arrows) -> None:
    line.add("M", "thread_name", args={"name": writer.title})
    open_bars: list[str] = []
    happenings = arrows.happenings(writer)
    times = [_us(clocks, writer, happening) for happening in happenings]
    end = round(times[-1] + _BAR_US, 4)  # of what has not ended, and of the last message's bar within
    for happening, now, after in zip(happenings, times, times[1:] + [end]):
        if happening.event.name in ("send", "receive"):
            kind = arrows.end(line, happening, now)
            label = f"{happening.event.name} {kind}" if kind else happening.event.name
            line.bar(label, now, min(after, now + _BAR_US), args=arguments(happening))
        else:
            _write_event(line, writer, happening, now, open_bars)
    for name in reversed(open_bars):
        line.add("E", name, end)


def _runs(happening: Happening, titles: dict[int, str]) -> str | None:
    """Who runs from now on, if it is an event that says so; None: nobody."""
    if happening.event.name == "idle":
        return None
    return titles.get(happening.c, text_of(happening.d) if happening.event.name == "switch" else hex(happening.c))


def _is_switch(happening: Happening) -> bool:
    return happening.event.name in ("switch", "idle") or (happening.event.name in ("enter", "leave") and happening.a != 0)


def _write_running(line: _Line, writer: Writer, clocks: Clocks, titles: dict[int, str]) -> None:
    """From each switch to the next switch, to idling, or to the end."""
    began, runs = 0.0, None
    for happening in filter(_is_switch, writer.happenings):
        now = _us(clocks, writer, happening)
        if runs is not None:
            line.bar(runs, began, now)
        began, runs = now, _runs(happening, titles)
    if runs is not None:
        line.bar(runs, began, _us(clocks, writer, writer.happenings[-1]))


def _write_event(line: _Line, writer: Writer, happening: Happening, now: float, open_bars: list[str]) -> None:
    name = happening.event.name
    if _is_switch(happening) or name in ("enter", "leave"):
        return  # _write_running, and the ends of a call
    if name == "count":
        label = text_of(happening.d)
        line.add("C", f"{writer.title} {label}", now, args={label: happening.c})
    elif name == "begin":
        open_bars.append(text_of(happening.c, happening.d))
        line.add("B", open_bars[-1], now, args={"value": happening.b})
    elif name == "end":
        # One whose begin has been overwritten has no bar; one that ends another's bar ends all within.
        label = text_of(happening.c, happening.d)
        while label in open_bars:
            ended = open_bars.pop()
            line.add("E", ended, now)
            if ended == label:
                break
    else:
        line.add("i", _label(happening), now, s="t", args=arguments(happening))


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
