# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll channels: every end of every channel, by whoever has it: connections of domains, links of a domain on several cores, the monitors'
own. What is in a ring and has not been taken is counted in the ring itself, as its receiver will find it (channels/line.h).
"""

from dataclasses import dataclass

import gdb

import domains
import monitors
import programs
from command import Command
from domains import Domain
from machine import Machine, enumerator, text
from memory import Space, chain

SLOT_BYTES, HEADER_AT = 128, 56  # channels/line.h: a slot of a ring, and the header in it


@dataclass
class End:
    """`channel` is None for an endpoint, which has no ring."""

    owner: str
    core: int
    peer: str
    use: str
    space: Space
    channel: gdb.Value | None
    remark: str = ""

    def show(self):
        ring = f"{'-':>6}  {'-':>7}" if self.channel is None else f"{self._unread():>6}  {_outstanding(self.channel):>7}"
        state = ", ".join(part for part in (self.remark, _state(self.channel) if self.channel is not None else "endpoint") if part)
        print(f"{self.owner:<10}  {self.core:>4}  {self.use:<16}  {self.peer:<22}  {ring}  {state}")

    def _unread(self) -> int:
        """Lines that are there and have not been taken."""
        lines, expected, count = int(self.channel["mask"]) + 1, int(self.channel["next_in"]), 0
        try:
            while count < lines:
                sequence = expected + count & 0xFFFF
                header = self.space.word(int(self.channel["rx"]) + (sequence & lines - 1) * SLOT_BYTES + HEADER_AT)
                if header & 0xFFFF != sequence:
                    break
                count += 1
        except gdb.MemoryError:
            pass  # the ring has been taken away
        return count


def _outstanding(channel: gdb.Value) -> int:
    """Lines sent, and not acknowledged."""
    return int(channel["next_out"]) - int(channel["acked"]) & 0xFFFF


def _state(channel: gdb.Value) -> str:
    fault = int(channel["fault"])
    if fault:
        return "broken: " + enumerator(channel["fault"].type, fault).removeprefix("FAULT_").lower()
    words = ["sleeps"] if int(channel["parking"]) & 1 else []
    words += ["amid a message"] if int(channel["rest"]) else []
    return ", ".join(words)


def of_domain(domain: Domain) -> list[End]:
    """Its library OS's. The program's symbols are loaded."""
    space = domain.dispatcher.space
    lists = space.symbol("connections")
    events = space.symbol("channel", "libos/ipc/events.c")
    core = domain.dispatcher.core.id
    found, ends = set(), [End(domain.label, core, f"monitor@{core}", "events", space, events)]
    for use, (_, pointer) in zip(("serves", "uses"), monitors.items(lists)):
        for at, connection in chain(pointer, space.at, "next"):
            found.add(int(at))
            ends.append(_end(domain, connection, f"{use} {text(connection['peer_name'])}"))
    for member, link in monitors.items(space.symbol("links")):
        if int(link["connection"]) and int(link["connection"]) not in found:
            ends.append(_end(domain, space.at(link["connection"]), f"member {member}"))
    return ends


def _end(domain: Domain, connection: gdb.Value, use: str) -> End:
    channel = None if int(connection["local"]) else connection["channel"]
    remark = "the peer has gone" if int(connection["closed"]) else "in a call" if int(connection["busy"]) else ""
    peer = f"{int(connection['peer_domain'])} on core {int(connection['peer_core'])}"
    return End(domain.label, domain.dispatcher.core.id, peer, use, domain.dispatcher.space, channel, remark)


def of_monitor(domain: Domain, monitor: gdb.Value):
    """Those to other monitors."""
    space = domain.dispatcher.space
    for core in range(int(monitor["peers"])):
        peer = space.at(monitor["peer"] + core)
        if enumerator(peer["state"].type, int(peer["state"])) == "CONNECTED":
            yield End(domain.label, domain.dispatcher.core.id, f"monitor@{core}", "mesh", space, peer["channel"],
                      "more wait for room" if int(peer["first"]) else "")


class Channels(Command):
    """atoll channels [DOMAIN]: the ends of channels, and endpoints in use; of all domains or of one.

    unread: lines that have come and were not taken. unacked: lines sent and not acknowledged."""

    def __init__(self):
        super().__init__("channels")

    def run(self, argument: str) -> None:
        with Machine() as machine:
            wanted = [domains.named(machine, argument)] if argument else domains.every(machine)
            print("domain      core  use               peer                    unread  unacked  state")
            for domain in wanted:
                with programs.symbols_of(domain.program) as there:
                    if not there:
                        print(f"{domain.label}: there are no symbols of {domain.program} in {programs.directory()}")
                    elif domain.start is not None:
                        self._show(of_domain, domain)
            with monitors.every(machine) as everyone:
                for domain, monitor in everyone:
                    if any(domain.label == one.label for one in wanted):
                        self._show(lambda one, known=monitor: list(of_monitor(one, known)), domain)

    @staticmethod
    def _show(ends, domain: Domain):
        try:
            for end in ends(domain):
                end.show()
        except gdb.MemoryError:
            print(f"{domain.label}: its channels can't be listed, as its library OS has not begun or what it knows is damaged")


def commands():
    Channels()
