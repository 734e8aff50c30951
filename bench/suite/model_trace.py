# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A run's messages (build/trace/NAME/messages.json, bench/trace/export.py): whether operations had the shape that the rules say, and what
their parts cost.

Operations are found in the order of sending: one begins with its first question, and is over when as many answers were sent and whoever began
it knows. So two of the same kind at the same time are not told apart; what is then not one operation is counted as torn, and not compared. So
is an operation of which older messages were overwritten.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from jobs import Refused, read_json
from model_trees import build

# Question and answer; of a hand-over the last message, which has no answer.
KINDS = {"retype": ("monitors.find", "monitors.found"), "revoke": ("monitors.sweep", "monitors.swept"),
         "unmap": ("span.drop", "span.dropped"), "hand over": ("monitors.take_over", "monitors.complete"),
         "barrier": ("stream.group_tree", "stream.group_tree_answer"), "flat barrier": ("stream.group_flat", "stream.group_flat_answer")}
HAND_OVER = {"monitors.take_over", "monitors.taken_over", "monitors.new_owner", "monitors.noted", "monitors.complete"}
FIELDS = {"from": int, "to": int, "send_ns": (int, float), "receive_ns": (int, float), "kind": str}
CORES_MOST = 1024
LEAST = 20  # samples, for a quartile to mean something


@dataclass(frozen=True, slots=True)
class Message:
    sender: int
    receiver: int
    sent: float
    received: float
    cause: int | None
    kind: str


@dataclass(frozen=True)
class Shape:
    """All operations of one kind with so many others."""
    operation: str
    holders: int
    seen: int
    equal: int  # of them as the rule says: the same messages between the same cores, and the same depth
    messages: int  # as the rule says
    depth: int


@dataclass(frozen=True)
class Part:
    """What a kind's questions cost: quartiles, in nanoseconds of the run (or instructions, if it counted those)."""
    operation: str
    of: int
    hop: tuple[float, float, float]  # from sending to receiving, with the wake-up
    handle: tuple[float, float, float]  # from receiving to sending the answer, with nobody below
    send: tuple[float, float, float]  # from one to the next of the same sender

    def share(self) -> float:
        """Of a message's cost, the sender's. The lower quartiles, in which nothing else came between."""
        return self.send[0] / (self.send[0] + self.handle[0])


@dataclass(frozen=True)
class Seen:
    """What one trace shows."""
    path: Path
    shapes: list[Shape]
    torn: dict[str, int]
    parts: list[Part]

    @property
    def name(self) -> str:
        return self.path.parent.name


def look_at(path: Path) -> Seen:
    messages = read(path)
    return Seen(path, *shapes(messages), parts(messages))


def all_shapes(traces: list[Seen]) -> list[Shape]:
    """Of all of them together."""
    found: dict[tuple[str, int], Shape] = {}
    for shape in (shape for one in traces for shape in one.shapes):
        before = found.get((shape.operation, shape.holders))
        found[shape.operation, shape.holders] = shape if before is None else replace(before, seen=before.seen + shape.seen,
                                                                                     equal=before.equal + shape.equal)
    return [found[key] for key in sorted(found, key=lambda key: (list(KINDS).index(key[0]), key[1]))]


def all_parts(traces: list[Seen]) -> list[Part]:
    """Of each operation the first that there is."""
    found: dict[str, Part] = {}
    for part in (part for one in traces for part in one.parts):
        found.setdefault(part.operation, part)
    return list(found.values())


# ---- Reading ----------------------------------------------------------------------------------------------------------

def read(path: Path) -> list[Message]:
    records = read_json(path)
    if not isinstance(records, list):
        raise Refused(f"The trace {path} is not a list of messages.")
    messages = [_message(path, index, record, len(records)) for index, record in enumerate(records)]
    _check_causes(path, messages)
    return messages


def _message(path: Path, index: int, record: object, count: int) -> Message:
    if not isinstance(record, dict) or "cause" not in record:
        raise Refused(f"Message {index} of the trace {path} lacks its cause.")
    for name, kind in FIELDS.items():
        if not isinstance(record.get(name), kind) or isinstance(record[name], bool):
            raise Refused(f"Message {index} of the trace {path} has no proper {name!r}: {record.get(name)!r}.")
    for name in ("from", "to"):
        if not 0 <= record[name] < CORES_MOST:
            raise Refused(f"Message {index} of the trace {path} names core {record[name]}: the model has at most {CORES_MOST:,} cores.")
    cause = record["cause"]
    if cause is not None and (not isinstance(cause, int) or isinstance(cause, bool) or not 0 <= cause < count):
        raise Refused(f"Message {index} of the trace {path} has cause {cause!r}, which is not one of its {count} messages: it is truncated.")
    return Message(record["from"], record["to"], record["send_ns"], record["receive_ns"], cause, record["kind"])


def _check_causes(path: Path, messages: list[Message]) -> None:
    """A cause came to whoever sent, and nothing causes itself."""
    state = [0] * len(messages)  # 1: on the way that is being followed, 2: known to end
    for start, message in enumerate(messages):
        if message.cause is not None and messages[message.cause].receiver != message.sender:
            raise Refused(f"Message {start} of the trace {path} is from core {message.sender}, but its cause went to core "
                          f"{messages[message.cause].receiver}.")
        way, at = [], start
        while at is not None and state[at] == 0:
            state[at] = 1
            way.append(at)
            at = messages[at].cause
        if at is not None and state[at] == 1:
            raise Refused(f"Message {at} of the trace {path} is among its own causes.")
        for index in way:
            state[index] = 2


# ---- Operations -------------------------------------------------------------------------------------------------------

def operations(messages: list[Message], operation: str) -> tuple[list[list[Message]], int]:
    """Those that are whole, and how many were torn."""
    question, answer = KINDS[operation]
    kinds = HAND_OVER if operation == "hand over" else {question, answer}
    whole, torn, current, unanswered = [], 0, [], 0
    for m in sorted((m for m in messages if m.kind in kinds), key=lambda m: m.sent):
        if current and unanswered == 0 and not _is_late(current, m, question):
            whole.append(current)
            current = []
        elif current and not _continues(current, m, question):
            torn, current = torn + 1, []
        if not current and m.kind != question:
            continue
        unanswered = (unanswered if current else 0) + (m.kind == question) - (m.kind == answer)
        current.append(m)
    if current and unanswered == 0:
        whole.append(current)
    return whole, torn + bool(current and unanswered)


def _is_late(current: list[Message], m: Message, question: str) -> bool:
    """All that was asked is answered, but the one that began it had not heard so when it asked this as well."""
    root = current[0].sender
    return m.kind == question and m.sender == root and any(other.receiver == root and other.received > m.sent for other in current)


def _continues(current: list[Message], m: Message, question: str) -> bool:
    """Each core is asked once, and who sends is in it."""
    inside = {current[0].sender, *(other.receiver for other in current)}
    return m.sender in inside and not (m.kind == question and m.receiver in inside)


def shapes(messages: list[Message]) -> tuple[list[Shape], dict[str, int]]:
    """Against the rules; and how many operations of each kind were torn."""
    found, torn = [], {}
    for operation in KINDS:
        whole, torn[operation] = operations(messages, operation)
        by_holders: dict[int, list[bool]] = {}
        for one in whole:
            by_holders.setdefault(len(_others(one)), []).append(is_as_the_rule_says(operation, one))
        for holders, equal in sorted(by_holders.items()):
            rule = build(operation, 0, tuple(range(1, holders + 1)))
            found.append(Shape(operation, holders, len(equal), sum(equal), len(rule.messages()), rule.depth()))
    return found, torn


def is_as_the_rule_says(operation: str, one: list[Message]) -> bool:
    rule = build(operation, one[0].sender, _others(one))
    return Counter((m.sender, m.receiver) for m in one) == Counter(rule.messages()) and depth(one) == rule.depth()


def _others(one: list[Message]) -> tuple[int, ...]:
    return tuple(sorted({core for m in one for core in (m.sender, m.receiver)} - {one[0].sender}))


def depth(one: list[Message]) -> int:
    """The longest chain: each message after all that its sender had received."""
    deep: list[int] = []
    for m in one:
        deep.append(1 + max((d for d, before in zip(deep, one) if before.receiver == m.sender and before.received <= m.sent), default=0))
    return max(deep)


# ---- Costs ------------------------------------------------------------------------------------------------------------

def parts(messages: list[Message]) -> list[Part]:
    found = []
    for operation, (question, answer) in KINDS.items():
        asked = [m for m in messages if m.kind == question]
        hops = [m.received - m.sent for m in asked]
        turns = [m.sent - messages[m.cause].received for m in messages
                 if m.kind == answer and m.cause is not None and messages[m.cause].kind == question]
        gaps = [b.sent - a.sent for a, b in zip(asked, asked[1:]) if a.sender == b.sender and a.cause == b.cause]
        if min(len(hops), len(turns), len(gaps)) >= LEAST:
            found.append(Part(operation, len(asked), quartiles(hops), quartiles(turns), quartiles(gaps)))
    return found


def quartiles(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    return tuple(ordered[min(len(ordered) - 1, len(ordered) * quarter // 4)] for quarter in (1, 2, 3))
