# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What a measurement must reach, and whether it did in one run."""

import math
from dataclasses import dataclass

# Instructions, medians.
INSTRUCTIONS_AT_MOST = {
    "call.null": 80,
    "foreign.null": 250,
    "ipc.local.rtt": 350,
    "ipc.local.rtt.4": 380,
    "fault.self": 800,
    "switch.dispatcher": 250,
    "cap.copy": 400,
    "cap.retype": 900,
    "cap.delete": 800,
    "channel.wake": 1800,
    "thread.switch": 120,
    "thread.create+join": 1500,
    "mutex.uncontended": 25,
    "trace.off": 3,
    "trace.on": 60,
    "futex.wake.remote": 12480,  # Linux's, on one core
}
# Of the same pair in the same run.
RATIO_AT_MOST = {"channel.rtt/floor.rtt": 1.25, "ipc.remote.rtt/channel.rtt": 1.5, "ipc.call/ipc.remote.rtt": 1.2,
                 "steal/balanced": 1.15}
RATIO_AT_LEAST = {"kv.2/kv.1": 1.8}
TYPED_AT_MOST = 1.2  # a call through typed stubs on one core, relative to the call that it is made of
STREAM_AT_LEAST = 3  # messages in the time of one round trip
CROWDED_AT_MOST = 1.5  # with 10,000 capabilities, relative to 10
REVOKE_DESCENDANTS = 10
REVOKE_BEYOND = 1000
# Microseconds, medians, of operations that another core has to agree to, on a machine of two cores.
AGREED_AT_MOST_US = {"cap.retype.remote": 100, "cap.revoke.remote": 150}
MESSAGES_PER_HOLDER = 4
MESSAGES_BEYOND = 4
GROWTH_AT_MOST = 1.25  # what a core costs when a domain grows to all of them, relative to when it grows to few
GROWTH_FEW = 2


@dataclass(frozen=True)
class Verdict:
    name: str
    measured: float  # the worst pair
    bar: str
    places: int
    met: int  # of the places


def verdicts(facts: list[dict]) -> list[Verdict]:
    """In the order of the lists above; only what was measured."""
    bench = [fact for fact in facts if fact.get("tag") == "bench"]
    counted = [fact for fact in bench if fact["lens"] == "instructions"]
    found = [_at_most(name, _medians(counted, name), limit) for name, limit in INSTRUCTIONS_AT_MOST.items()]
    found += [_crowded(counted, name) for name in ("cap.copy", "cap.retype", "cap.delete")]
    found += [_revoke(counted), _typed(counted)]
    # A ratio of counted instructions says nothing about waiting, so these belong to the other lenses.
    timed = [fact for fact in bench if fact["lens"] != "instructions"]
    found += [_at_most(name, _medians(timed, name), limit) for name, limit in RATIO_AT_MOST.items()]
    found += [_at_least(name, _medians(timed, name), limit) for name, limit in RATIO_AT_LEAST.items()]
    found += [_stream(timed), _growth(timed), *_unmap(bench)]
    cores = {core["core"] for fact in facts if fact.get("tag") == "topology" for core in fact["cores"]}
    if len(cores) == 2:
        found += [_at_most(f"{name}, us", _medians(timed, name), limit) for name, limit in AGREED_AT_MOST_US.items()]
    found += [_messages(bench, name) for name in AGREED_AT_MOST_US]
    return [verdict for verdict in found if verdict]


def _medians(bench: list[dict], name: str) -> dict[tuple, float]:
    return {(fact["from"], fact["to"]): fact["p50"] for fact in bench if fact["id"] == name}


def _at_most(name: str, measured: dict, limit: float, bar: str = "") -> Verdict | None:
    if not measured:
        return None
    return Verdict(name, max(measured.values()), bar or f"at most {limit:,}", len(measured),
                   sum(value <= limit for value in measured.values()))


def _at_least(name: str, measured: dict, limit: float) -> Verdict | None:
    if not measured:
        return None
    return Verdict(name, min(measured.values()), f"at least {limit:,}", len(measured),
                   sum(value >= limit for value in measured.values()))


def _by_holders(bench: list[dict], name: str) -> dict[int, dict]:
    return {fact["holders"]: fact for fact in bench if fact["id"] == name and "holders" in fact}


def _growth(timed: list[dict]) -> Verdict | None:
    """Of a domain: `holders` says to how many other cores."""
    facts = _by_holders(timed, "span.grow")
    most = max(facts, default=0)
    if GROWTH_FEW not in facts or most <= GROWTH_FEW:
        return None
    each = {count: facts[count]["p50"] / count for count in (GROWTH_FEW, most)}
    return _at_most(f"span.grow, a core of {most} / of {GROWTH_FEW}", {most: each[most] / each[GROWTH_FEW]}, GROWTH_AT_MOST)


def _unmap(bench: list[dict]) -> list[Verdict | None]:
    """A message for each other user, and as many one behind the other as a binary tree is deep."""
    messages = {users: fact["messages"] / users for users, fact in _by_holders(bench, "unmap").items()}
    rounds = {users: fact["p50"] - math.ceil(math.log2(users + 1)) for users, fact in _by_holders(bench, "unmap.rounds").items()}
    return [_at_most("unmap, messages per user", messages, 1), _at_most("unmap, rounds beyond log2 of the users", rounds, 0)]


def _crowded(counted: list[dict], name: str) -> Verdict | None:
    few, many = _medians(counted, name), _medians(counted, name + ".10000")
    ratios = {place: many[place] / few[place] for place in many if few.get(place)}
    return _at_most(f"{name}.10000 / {name}", ratios, CROWDED_AT_MOST)


def _revoke(counted: list[dict]) -> Verdict | None:
    revoke, delete = _medians(counted, "cap.revoke"), _medians(counted, "cap.delete")
    for place in revoke:
        if place in delete:
            limit = REVOKE_DESCENDANTS * delete[place] + REVOKE_BEYOND
            return _at_most("cap.revoke", {place: revoke[place]}, limit, f"at most {limit:,.0f}")
    return None


def _typed(counted: list[dict]) -> Verdict | None:
    typed, bare = _medians(counted, "ipc.call"), _medians(counted, "ipc.local.rtt")
    ratios = {place: typed[place] / bare[place] for place in typed if bare.get(place)}
    return _at_most("ipc.call / ipc.local.rtt", ratios, TYPED_AT_MOST)


def _messages(bench: list[dict], name: str) -> Verdict | None:
    """Of operations on an object with so many holders: the worst of them, per holder."""
    facts = [fact for fact in bench if fact["id"] == name and "holders" in fact]
    if not facts:
        return None
    met = sum(fact["messages"] <= MESSAGES_PER_HOLDER * fact["holders"] + MESSAGES_BEYOND for fact in facts)
    return Verdict(f"{name}, messages per holder", max(fact["messages"] / fact["holders"] for fact in facts),
                   f"at most {MESSAGES_PER_HOLDER}, and {MESSAGES_BEYOND} more", len(facts), met)


def _stream(timed: list[dict]) -> Verdict | None:
    trip = _medians(timed, "channel.rtt")
    each = {(fact["from"], fact["to"]): fact["p50"] for fact in timed
            if fact["id"] == "channel.stream" and fact["unit"] == "cycles"}
    messages = {place: trip[place] / each[place] for place in each if trip.get(place) and each[place]}
    if not messages:
        return None
    return Verdict("channel.stream, messages per channel.rtt", min(messages.values()), f"at least {STREAM_AT_LEAST}",
                   len(messages), sum(value >= STREAM_AT_LEAST for value in messages.values()))
