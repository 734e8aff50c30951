# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Trace areas as cpudriver/abi/trace.h lays them out, read with the suspicion that they deserve: a program may write anything to its own
ring. What can't be is said in a sentence; of a ring that is spoilt nothing is believed, and the others are none the worse.
"""

import struct
from dataclasses import dataclass, field

from events import Event

MAGIC = 0x636172746c6f7461
RING_MAGIC = 0x676e697263617274
VERSION = 1
PAGE = 4096
WRITERS_MOST = 62
FREE, IN_USE, ENDED, RETIRED = range(4)

_DIRECTORY = struct.Struct("<QIIQQIII4x16x")
_WRITER = struct.Struct("<QQQQII24s")
_RING = struct.Struct("<QQQ")
_EVENT = struct.Struct("<QHHIQQ")
assert _DIRECTORY.size == 64 and _WRITER.size == 64 and _EVENT.size == 32

UNFINISHED = 8  # events that upcalls and threads of one dispatcher may have begun and not ended when the machine stops


class BadTrace(Exception):
    """The message is the sentence for the user."""


@dataclass(frozen=True)
class Happening:
    """One event; `time` is its core's counter, a to d are its words."""
    time: int
    event: Event
    a: int
    b: int
    c: int
    d: int


@dataclass
class Writer:
    """One ring and who wrote to it."""
    core: int
    index: int  # in the directory
    kind: str  # DRIVER, MONITOR or LIBRARY
    name: str
    domain: int
    dispatcher: int
    begun: int  # by its core's counter: it can't have written before
    happenings: list[Happening] = field(default_factory=list)
    overwritten: int = 0  # events that newer ones have taken the place of
    spoilt: str | None = None  # a sentence: nothing of the ring is believed

    @property
    def title(self) -> str:
        if self.kind != "LIBRARY":
            return self.name
        return f"{self.name} ({self.domain})"


@dataclass
class Core:
    core: int
    tsc_hz: int
    start_tsc: int
    refused: int  # dispatchers that got no ring
    reused: int  # rings of programs that had ended, given to others
    writers: list[Writer]
    life: int = 0  # how often it had been started before (lives.py)
    death: str | None = None  # what it died of

    @property
    def title(self) -> str:
        return f"Core {self.core}" + ("" if self.life == 0 else ", started again" if self.life == 1 else f", started again ({self.life})")

    @property
    def end(self) -> int | None:
        """When its trace ends, by its counter."""
        return max((writer.happenings[-1].time for writer in self.writers if writer.happenings), default=None)


def read_core(name: str, area: bytes, directory_at: int, table: dict[int, Event]) -> Core:
    """Everything that one area has. `name` is what to call it in a sentence."""
    if len(area) < directory_at + PAGE:
        raise BadTrace(f"{name} is truncated: it ends before its directory.")
    magic, version, core, tsc_hz, start_tsc, writers, refused, reused = _DIRECTORY.unpack_from(area, directory_at)
    if magic != MAGIC:
        raise BadTrace(f"{name} has no trace directory: its memory was used for something else, or the core never came up.")
    if version != VERSION:
        raise BadTrace(f"{name} is of version {version}; this exporter reads version {VERSION}.")
    if not 2 <= writers <= WRITERS_MOST or tsc_hz == 0:
        raise BadTrace(f"{name} has a damaged directory.")
    found = [_read_writer(name, area, core, index, directory_at, table) for index in range(writers)]
    _check_times(found, tsc_hz)
    return Core(core, tsc_hz, start_tsc, refused, reused, [writer for writer in found if writer])


def _read_writer(name: str, area: bytes, core: int, index: int, directory_at: int, table: dict[int, Event]) -> Writer | None:
    offset, size, dispatcher, begun, domain, state, raw = _WRITER.unpack_from(area, directory_at + 64 * (index + 1))
    if state == FREE:
        return None
    kind = ("DRIVER", "MONITOR")[index] if index < 2 else "LIBRARY"
    writer = Writer(core, index, kind, _printable(raw), domain, dispatcher, begun)
    if offset + size > len(area):
        raise BadTrace(f"{name} is truncated: it has {len(area)} bytes, and the ring of {writer.title} ends at {offset + size}.")
    if size < PAGE + _EVENT.size or offset % PAGE or (size - PAGE) // _EVENT.size & ((size - PAGE) // _EVENT.size - 1):
        raise BadTrace(f"{name} has a damaged directory: the ring of {writer.title} can't be.")
    writer.spoilt = _read_ring(writer, memoryview(area)[offset:offset + size], table)
    if writer.spoilt:
        writer.happenings = []
    return writer


def _printable(raw: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7f else "?" for byte in raw.split(b"\0")[0])


def _spoilt(writer: Writer, why: str) -> str:
    return f"The ring of {writer.title} on core {writer.core} is spoilt and left out: {why}."


def _read_ring(writer: Writer, ring: memoryview, table: dict[int, Event]) -> str | None:
    """Fills the writer's events; the answer is None, or why the ring is not believed."""
    slots = (len(ring) - PAGE) // _EVENT.size
    head, mask, magic = _RING.unpack_from(ring)
    if magic != RING_MAGIC or mask != slots - 1:
        return _spoilt(writer, "its header is not as the system wrote it")
    if head >= 1 << 48:
        return _spoilt(writer, f"its header counts {head} events")
    writer.overwritten = max(0, head - slots)
    raw = list(_EVENT.iter_unpack(ring[PAGE:]))
    written = [raw[slot % slots] for slot in range(writer.overwritten, head)]
    unfinished = 0
    for time, number, *words in written:
        event = table.get(number)
        if number == 0 and time == 0:
            unfinished += 1
        elif event is None or writer.kind not in event.writers:
            return _spoilt(writer, f"it has an event number {number}" + (" that only others write" if event else ", which there is not"))
        else:
            writer.happenings.append(Happening(time, event, *words))
    if unfinished > UNFINISHED:
        return _spoilt(writer, f"it counts {unfinished} events that were never written")
    # An upcall's event may stand before that of the thread which it interrupted.
    writer.happenings.sort(key=lambda happening: happening.time)
    return None


def _check_times(writers: list[Writer | None], tsc_hz: int) -> None:
    """No program writes before it began, or after the last event of its core's CPU driver and monitor by more than a second."""
    trusted = [writer for writer in writers if writer and writer.kind != "LIBRARY" and writer.happenings]
    end = max((writer.happenings[-1].time for writer in trusted), default=None)
    for writer in filter(None, writers):
        times = writer.happenings
        if writer.kind == "LIBRARY" and times and (times[0].time < writer.begun or (end is not None and times[-1].time > end + tsc_hz)):
            writer.spoilt = _spoilt(writer, "it has events of a time when it did not run")
            writer.happenings = []
