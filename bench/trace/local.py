# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Calls through endpoints, which stay on a core: the CPU driver carries them from one program to the other and writes that down in its own
ring (cpudriver/dispatch/calls.c). Here they become messages between the two.

  queue   the call stands in its server's queue; without it, it was delivered at once
  enter   the server has it
  leave   the caller has the reply

A token is one call's: the caller's physical address, and a count above.
"""

from collections import defaultdict

from events import Argument, Event
from join import Message
from rings import Core, Happening, Writer

TOKEN_ADDRESS = (1 << 44) - 1  # WINDOW_BYTES - 1 (cpudriver/dispatch/words.h)

_ARGUMENTS = (Argument("token", "HEX", "c"),)
_SEND, _RECEIVE = (Event(name, 0, frozenset({"DRIVER"}), _ARGUMENTS) for name in ("send", "receive"))


def messages(core: Core) -> list[Message]:
    """By the time when they arrived. A call between programs of which one had no ring is left out."""
    found = []
    owners = _owners(core)
    waiting: dict[int, Happening] = {}  # calls in a queue, by token
    servers: dict[int, int] = {}  # who has a call, by token
    for happening in core.writers[0].happenings if core.writers and core.writers[0].kind == "DRIVER" else []:
        name, dispatcher, token = happening.event.name, happening.c, happening.d
        if name == "queue":
            waiting[token] = happening
        elif name == "wake":
            waiting = {other: at for other, at in waiting.items() if other & TOKEN_ADDRESS != dispatcher}  # it has given up
        elif name == "enter":
            servers[token] = dispatcher
            sent = waiting.pop(token, happening)
            found.append(_message(owners, "call", (token & TOKEN_ADDRESS, sent.time), (dispatcher, happening.time), token))
        elif name == "leave" and token in servers:
            found.append(_message(owners, "reply", (servers.pop(token), happening.time), (dispatcher, happening.time), token))
    return [message for message in found if message]


def _owners(core: Core) -> dict[int, list[Writer]]:
    """Writers by their dispatcher; its memory may have been one program's after the other."""
    found = defaultdict(list)
    for writer in core.writers:
        if writer.dispatcher and writer.happenings:
            found[writer.dispatcher].append(writer)
    for writers in found.values():
        writers.sort(key=lambda writer: writer.begun)
    return found


def _message(owners: dict[int, list[Writer]], kind: str, sender: tuple[int, int], receiver: tuple[int, int], token: int) -> Message | None:
    """Who and when, of both ends."""
    ends = []
    for dispatcher, time in (sender, receiver):
        there = [writer for writer in owners.get(dispatcher, []) if writer.begun <= time]
        if not there:
            return None
        ends.append(there[-1])
    return Message(ends[0], ends[1], Happening(sender[1], _SEND, 0, 0, token, 0), Happening(receiver[1], _RECEIVE, 0, 0, token, 0), kind)
