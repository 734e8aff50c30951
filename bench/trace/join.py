# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Which `receive` belongs to which `send`, and which message was the cause of which.

Both ends of a channel write down the ring's physical address and the sequence of the message's last line. Sequences come again after 65,536
lines, and rings are used again by others; so a receive belongs to the latest send of that ring and sequence before it. What has been
overwritten, or was not received before the end, stays alone.
"""

import bisect
from collections import defaultdict
from dataclasses import dataclass

from clocks import Clocks
from events import PROTOCOLS
from rings import Core, Happening, Writer


@dataclass(frozen=True)
class Message:
    sender: Writer
    receiver: Writer
    send: Happening
    receive: Happening
    kind: str


@dataclass(frozen=True)
class Joined:
    messages: list[Message]  # by the time when they were sent
    alone: int  # sends and receives whose other half is missing
    backwards: int  # as far as the clocks are known, received before they were sent


def join(cores: list[Core], clocks: Clocks, names: dict[tuple[int, int], str]) -> Joined:
    """All messages between writers of different cores or of one."""
    sends, receives = _by_channel(cores, "send"), _by_channel(cores, "receive")
    messages, backwards = [], 0
    for key, received in receives.items():
        sent = sends.get(key, [])
        sent.sort(key=lambda end: clocks.ticks(end[0].core, end[1].time))
        times = [clocks.ticks(writer.core, happening.time) for writer, happening in sent]
        taken = set()
        for writer, happening in received:
            margin = _margin(clocks, {writer.core, *(other.core for other, _ in sent)})
            now = clocks.ticks(writer.core, happening.time)
            at = bisect.bisect_right(times, now + margin) - 1
            if at < 0 or at in taken:
                continue
            taken.add(at)
            backwards += times[at] > now
            messages.append(Message(sent[at][0], writer, sent[at][1], happening, _kind(happening, names)))
    messages.sort(key=lambda m: (clocks.ticks(m.sender.core, m.send.time), m.sender.core, m.sender.index, m.send.b))
    ends = sum(map(len, sends.values())) + sum(map(len, receives.values()))
    return Joined(messages, ends - 2 * len(messages), backwards)


def _by_channel(cores: list[Core], name: str) -> dict[tuple[int, int], list[tuple[Writer, Happening]]]:
    """(ring, sequence) to who did it when. A ring of 0 is one that its writer could not name."""
    found = defaultdict(list)
    for core in cores:
        for writer in core.writers:
            for happening in writer.happenings:
                if happening.event.name == name and happening.c:
                    found[happening.c, happening.b].append((writer, happening))
    return found


def _margin(clocks: Clocks, cores: set[int]) -> float:
    """How far times of these cores may be wrong relative to each other; a millisecond where nothing was measured."""
    if len(cores) == 1:
        return 0
    errors = [clocks.clock[core].error for core in cores]
    return clocks.hz / 1000 if None in errors else sum(sorted(errors)[-2:])


def _kind(happening: Happening, names: dict[tuple[int, int], str]) -> str:
    protocol = happening.d if happening.d < len(PROTOCOLS) else None
    if protocol is None:
        return f"unknown {happening.a}"
    return names.get((protocol, happening.a), f"{PROTOCOLS[protocol]} {happening.a}")


def least_latencies(joined: Joined, clocks: Clocks) -> dict[tuple[int, int], float]:
    """(from, to) to the fewest ticks between send and receive."""
    least: dict[tuple[int, int], float] = {}
    for m in joined.messages:
        pair = (m.sender.core, m.receiver.core)
        took = clocks.ticks(pair[1], m.receive.time) - clocks.ticks(pair[0], m.send.time)
        if pair[0] != pair[1] and took < least.get(pair, took + 1):
            least[pair] = took
    return least


def crossing(joined: Joined) -> list[Message]:
    return [m for m in joined.messages if m.sender.core != m.receiver.core]


def causes(messages: list[Message]) -> list[int | None]:
    """For each message the index of the one that its sender had received last before it; None: it had received none."""
    received = defaultdict(list)
    for index, m in enumerate(messages):
        received[id(m.receiver)].append((m.receive.time, index))
    for arrivals in received.values():
        arrivals.sort()
    found: list[int | None] = []
    for m in messages:
        arrivals = received.get(id(m.sender), [])
        at = bisect.bisect_right(arrivals, (m.send.time, -1)) - 1
        found.append(arrivals[at][1] if at >= 0 else None)
    return found


def records(messages: list[Message], clocks: Clocks) -> list[dict]:
    """What messages.json has."""
    return [{"from": m.sender.core, "to": m.receiver.core,
             "send_ns": round(clocks.ns(m.sender.core, m.send.time), 1),
             "receive_ns": round(clocks.ns(m.receiver.core, m.receive.time), 1), "cause": cause, "kind": m.kind}
            for m, cause in zip(messages, causes(messages))]
