# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What events and messages are called: read from the tables that the system itself is made of."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "cpudriver/abi/trace_events.def"
MONITORS = (ROOT / "monitor/messages.def", ROOT / "monitor/agreement/messages.def")
SPAN = (ROOT / "libos/span/messages.def",)
TIDINGS = (ROOT / "monitor/abi/events.def",)
STREAMS = (ROOT / "bench/groupbench/labels.def",)  # of programs whose labels nobody else uses

# enum trace_protocol (libos/trace/trace.h)
PROTOCOLS = ("monitors", "span", "call", "stream", "stub", "greeting", "tidings", "bare")

FOREIGN_CALL = 0xffff  # TRACE_FOREIGN
CALLS = ("invoke", "call", "reply_wait", "yield")  # enum call_number (cpudriver/abi/calls.h)

_EVENT = re.compile(r"^TRACE_EVENT\((\w+), (\d+), ([A-Z ]+), (.*)\)$", re.MULTILINE)
_ARGUMENT = re.compile(r"NONE|(DEC|HEX|TEXT|NAME)\((\w+)\)")
_MESSAGE = re.compile(r"^(?:MESSAGE|ANSWER|AGREEMENT|EVENT)\((\w+), (\d+|0x[0-9a-f]+)[,)]", re.MULTILINE)
_PLACES = "abcd"


@dataclass(frozen=True)
class Argument:
    name: str
    kind: str  # DEC, HEX, TEXT or NAME
    place: str  # of struct trace_event: a, b, c or d


@dataclass(frozen=True)
class Event:
    name: str
    number: int
    writers: frozenset[str]
    arguments: tuple[Argument, ...]


def events() -> dict[int, Event]:
    """By number."""
    text = EVENTS.read_text(encoding="utf-8")
    found = {int(number): Event(name, int(number), frozenset(writers.split()), _arguments(arguments))
             for name, number, writers, arguments in _EVENT.findall(text)}
    assert len(found) == len(re.findall(r"^TRACE_EVENT", text, re.MULTILINE)), f"{EVENTS} is not as this module reads it"
    return found


def _arguments(text: str) -> tuple[Argument, ...]:
    words = list(_ARGUMENT.finditer(text))
    assert len(words) == len(_PLACES), text
    return tuple(Argument(word[2], word[1], place) for word, place in zip(words, _PLACES) if word[2])


def messages() -> dict[tuple[int, int], str]:
    """(protocol, type) to a name, of the protocols whose messages have names."""
    names = {}
    for protocol, files in ((0, MONITORS), (1, SPAN), (3, STREAMS), (6, TIDINGS)):
        for path in files:
            for name, number in _MESSAGE.findall(path.read_text(encoding="utf-8")):
                names[protocol, int(number, 0)] = f"{PROTOCOLS[protocol]}.{name}"
    return names


def text_of(*words: int) -> str:
    """Characters as they lie in memory, up to the first zero; a program may have written any."""
    raw = b"".join(word.to_bytes(8, "little") for word in words).split(b"\0")[0]
    return "".join(chr(byte) if 0x20 <= byte < 0x7f else "?" for byte in raw)
